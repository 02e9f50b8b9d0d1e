"""What is done with a planned procedure: what it amounts to today, recording it, cancelling it, who does it."""

import dataclasses
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions import due
from experiments.actions.planning import assign_planned, cancel_planned
from experiments.actions.procedures import record_procedure
from experiments.actions.proposals import propose
from experiments.api.animals import ProcedureSerializer
from experiments.api.calendars import ICalendar, icalendar_of
from experiments.api.procedures import DoseSerializer, InductionSerializer
from experiments.api.protocols import PlannedProcedures, PlannedProcedureSerializer
from experiments.api.recorded import RecordedProcedures
from experiments.exchange.calendars import medication_events, planned_events
from experiments.models import Vial
from labdb.base.models import User
from labdb.base.rest.authentication import CalendarTokens
from labdb.base.rest.serializers import (
    ExactNumberField,
    InstantField,
    RecordSerializer,
    StrictSerializer,
    VisibleRelatedField,
)

NUMBERS = (
    "weight_g",
    "amount",
    "amount_per_kg",
    "concentration_mg_per_ml",
    "mg",
    "ml",
    "mg_in_ml",
    "viability_percent",
)
PROPOSAL = inline_serializer(
    "Proposal",
    {
        "on": serializers.DateField(),
        "weighed_on": serializers.DateField(allow_null=True),
        **{name: serializers.CharField(allow_blank=True) for name in ("agent", "amount_unit", "route", "site")},
        **{name: ExactNumberField(allow_null=True) for name in NUMBERS},
        **{name: serializers.ListField(child=serializers.CharField()) for name in ("problems", "warnings")},
    },
)


def _without_procedure(serializer: type[RecordSerializer]) -> Any:
    return tuple(name for name in serializer.Meta.fields if name not in ("id", "procedure"))


class InductionDetailsSerializer(InductionSerializer):
    """What was given; what is left out is taken as planned."""

    class Meta(InductionSerializer.Meta):
        fields = _without_procedure(InductionSerializer)
        extra_kwargs = {name: {"required": False} for name in fields}


class DoseDetailsSerializer(DoseSerializer):
    """What was given; what is left out is taken as planned."""

    class Meta(DoseSerializer.Meta):
        fields = _without_procedure(DoseSerializer)
        extra_kwargs = {name: {"required": False} for name in fields}


class RecordingSerializer(StrictSerializer):
    """What was really done."""

    performed_on = serializers.DateField(required=False)
    performed_at = InstantField(required=False)
    performed_by = VisibleRelatedField(queryset=User.objects.all(), required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    induction = InductionDetailsSerializer(required=False)
    dose = DoseDetailsSerializer(required=False)
    deviation_reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    medications_given = serializers.BooleanField(required=False)


class CancellationSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=250)


class AssignmentSerializer(StrictSerializer):
    """Who does it; null: nobody in particular."""

    person = VisibleRelatedField(queryset=User.objects.all(), allow_null=True)


class ProposalQuery(StrictSerializer):
    """The query of a proposal."""

    on = serializers.DateField(required=False)
    vial = VisibleRelatedField(queryset=Vial.objects.select_related("lot__product"), required=False)


class PlannedToDo(PlannedProcedures):
    __doc__ = PlannedProcedures.__doc__
    query_parameters = {"proposal": ("on", "vial"), "overdue": ("limit", "offset")}

    @extend_schema(
        parameters=[OpenApiParameter("on", str, description="Day; today."), OpenApiParameter("vial", str)],
        responses=PROPOSAL,
        filters=False,
    )
    @action(detail=True)
    def proposal(self, request: Request, pk: Any) -> Response:
        """What it amounts to: mg and mL from the animal's latest weight, the volume of cells from the vial."""
        asked = self.input(ProposalQuery, dict(request.query_params.items()))
        rows = self.get_queryset().select_related("step__product", "enrolment__animal__strain")
        told = propose(self.found(rows), on=asked.get("on") or timezone.localdate(), vial=asked.get("vial"))
        return Response(dataclasses.asdict(told))

    @extend_schema(request=RecordingSerializer, responses={201: ProcedureSerializer})
    @action(detail=True, methods=["post"])
    def record(self, request: Request, pk: Any) -> Response:
        """Record that it was done, and how. Where it differs from the plan or a limit, ``deviation_reason`` is asked for."""
        values = self.input(RecordingSerializer, request.data)
        made = record_procedure(planned=self.found(), by=request.user, **values)
        view = RecordedProcedures(request=request, format_kwarg=None)
        return view.answer(made.pk, status.HTTP_201_CREATED)

    @extend_schema(request=CancellationSerializer, responses=PlannedProcedureSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: Any) -> Response:
        """Take it from the plan, with a reason."""
        values = self.input(CancellationSerializer, request.data)
        return self.answer(cancel_planned(planned=self.found(), by=request.user, **values).pk)

    @extend_schema(request=AssignmentSerializer, responses=PlannedProcedureSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: Any) -> Response:
        """Say who does it."""
        values = self.input(AssignmentSerializer, request.data)
        return self.answer(assign_planned(planned=self.found(), by=request.user, **values).pk)

    @extend_schema(responses={(200, "text/calendar"): OpenApiTypes.STR}, filters=False)
    @action(
        detail=False,
        renderer_classes=[ICalendar],
        authentication_classes=[CalendarTokens, SessionAuthentication],
        pagination_class=None,
    )
    def calendar(self, request: Request) -> StreamingHttpResponse:
        """What is yours to do, or nobody's in particular, as an iCalendar feed to subscribe to.

        A calendar program sends an access token as the password of basic authentication.
        """
        planned, medications = due.calendar_of(request.user, timezone.localdate())
        events = chain(planned_events(planned), medication_events(medications))
        return icalendar_of(f"labdb: {request.user}", events)

    @extend_schema(responses=PlannedProcedureSerializer(many=True), filters=False)
    @action(detail=False)
    def overdue(self, request: Request) -> Any:
        """What should have been done by now: its window has passed, its animal lives, its experiment is open."""
        rows = due.overdue_planned(timezone.localdate()).visible_to(request.user).order_by("latest_on", "pk")
        return self.get_paginated_response(self.paginate_queryset(self.rows(rows)))
