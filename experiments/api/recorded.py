"""Procedures with their details, written through the verbs that compare them with plan and limits; medications."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions import due
from experiments.actions.medications import give_medication, omit_medication
from experiments.actions.recorded import save_recorded
from experiments.api.animals import Procedures, ProcedureSerializer
from experiments.api.procedures import Doses, Inductions, Medications, MedicationSerializer
from labdb.base.rest.serializers import InstantField, StrictSerializer


class Verbed:
    """Rows that are saved by ``save_recorded``."""

    def add(self: Any, values: dict[str, Any]) -> Any:
        return save_recorded(row=self.model(**values), by=self.request.user)

    def change(self: Any, record: Any, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(record, name, value)
        save_recorded(row=record, by=self.request.user, deviation_reason=values.get("deviation_reason"))


class RecordedProcedureSerializer(ProcedureSerializer):
    class Meta(ProcedureSerializer.Meta):
        read_only_fields = ("deviation",)


class RecordedProcedures(Verbed, Procedures):
    """What was done to animals. Those of a blinded experiment are there for its unmasked members only.

    In what a procedure differs from its plan is computed; then ``deviation_reason`` is asked for.
    """

    serializer_class = RecordedProcedureSerializer


class RecordedInductions(Verbed, Inductions):
    __doc__ = Inductions.__doc__


class RecordedDoses(Verbed, Doses):
    __doc__ = Doses.__doc__


class GivenSerializer(StrictSerializer):
    """When it was given; now unless told."""

    given_at = InstantField(required=False)


class OmittedSerializer(StrictSerializer):
    """Why it is left out."""

    reason = serializers.CharField(max_length=250)


class DueMedications(Medications):
    __doc__ = Medications.__doc__
    query_parameters = {"overdue": ("limit", "offset")}

    @extend_schema(request=GivenSerializer, responses=MedicationSerializer)
    @action(detail=True, methods=["post"])
    def give(self, request: Request, pk: Any) -> Response:
        """Record that it was given."""
        values = self.input(GivenSerializer, request.data)
        return self.answer(give_medication(medication=self.found(), by=request.user, **values).pk)

    @extend_schema(request=OmittedSerializer, responses=MedicationSerializer)
    @action(detail=True, methods=["post"])
    def omit(self, request: Request, pk: Any) -> Response:
        """Record that it was left out, and why."""
        values = self.input(OmittedSerializer, request.data)
        return self.answer(omit_medication(medication=self.found(), by=request.user, **values).pk)

    @extend_schema(responses=MedicationSerializer(many=True), filters=False)
    @action(detail=False)
    def overdue(self, request: Request) -> Any:
        """What should have been given by now."""
        rows = due.overdue_medications(timezone.now()).visible_to(request.user).order_by("due_at", "pk")
        return self.get_paginated_response(self.paginate_queryset(self.rows(rows)))
