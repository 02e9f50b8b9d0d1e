"""An experiment's plan: made from its protocols, brought up to date, and as a calendar."""

from typing import Any

from django.db.models import F
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.due import open_planned
from experiments.actions.planning import PlanOutcome, plan_procedures, replan_procedures
from experiments.api.calendars import ICalendar, icalendar_of
from experiments.api.experiments import Experiments
from experiments.exchange.calendars import planned_events
from experiments.models import Enrolment, PlannedProcedure
from labdb.base.rest.serializers import StrictSerializer, VisibleRelatedField
from labdb.base.rest.wire import ExactJsonRenderer, FormatFirst

CHANGE = inline_serializer(
    "PlanChange",
    {
        "planned_procedure": serializers.UUIDField(),
        "was_due_on": serializers.DateField(),
        "due_on": serializers.DateField(allow_null=True, help_text="Null: no protocol asks for it any more."),
    },
)
OUTCOME = inline_serializer(
    "PlanOutcome",
    {
        "added": serializers.IntegerField(),
        "unchanged": serializers.IntegerField(),
        "changes": serializers.ListField(child=CHANGE),
        "without_day_0": serializers.IntegerField(),
        "unallocated": serializers.IntegerField(),
        "ended": serializers.IntegerField(),
    },
)
ENTRY = inline_serializer(
    "CalendarEntry",
    {
        **{name: serializers.UUIDField() for name in ("id", "enrolment", "step")},
        **{name: serializers.CharField() for name in ("animal", "name", "kind", "state")},
        "repeat": serializers.IntegerField(),
        **{name: serializers.DateField() for name in ("due_on", "earliest_on", "latest_on")},
        "performed_on": serializers.DateField(allow_null=True),
        "deviation": serializers.CharField(allow_null=True),
    },
)
CALENDAR = inline_serializer(
    "StudyCalendar", {"count": serializers.IntegerField(), "results": serializers.ListField(child=ENTRY)}
)
COLUMNS = {"animal": "enrolment__animal__lab_id", "name": "step__name", "kind": "step__kind"}
COLUMNS |= {"performed_on": "procedure__performed_on", "deviation": "procedure__deviation"}
OWN = ("id", "enrolment", "step", "repeat", "state", "due_on", "earliest_on", "latest_on")


class PlanSerializer(StrictSerializer):
    """Of which animals; all of the experiment unless told."""

    enrolments = serializers.ListField(
        child=VisibleRelatedField(queryset=Enrolment.objects.all()), required=False, max_length=1000
    )


class ReplanSerializer(PlanSerializer):
    """Of which animals, and why."""

    reason = serializers.CharField(max_length=250)


class PlannedExperiments(Experiments):
    __doc__ = Experiments.__doc__
    query_parameters = {**Experiments.query_parameters, "calendar": ("format",)}

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        asked = request.query_params.get("format")
        if self.action == "calendar" and asked not in (None, "ics", "json"):
            raise ValidationError({"format": [f"“{asked[:40]}” is not one of: ics, json."]})
        super().initial(request, *args, **kwargs)

    @extend_schema(request=PlanSerializer, responses=OUTCOME)
    @action(detail=True, methods=["post"], url_path="plan-procedures")
    def plan_procedures(self, request: Request, pk: Any) -> Response:
        """Plan what is missing of the protocols of the animals' arms; ``changes`` are what ``replan`` would do."""
        values = self.input(PlanSerializer, request.data)
        return _told(plan_procedures(experiment=self.found(), by=request.user, **values))

    @extend_schema(request=ReplanSerializer, responses=OUTCOME)
    @action(detail=True, methods=["post"])
    def replan(self, request: Request, pk: Any) -> Response:
        """Bring the plan to what protocols and days ask for now: ``changes`` were made."""
        values = self.input(ReplanSerializer, request.data)
        return _told(replan_procedures(experiment=self.found(), by=request.user, **values))

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=["ics", "json"], description="Or by the Accept header.")],
        responses={(200, "application/json"): CALENDAR, (200, "text/calendar"): OpenApiTypes.STR},
        filters=False,
    )
    @action(detail=True, renderer_classes=[ExactJsonRenderer, ICalendar], content_negotiation_class=FormatFirst)
    def calendar(self, request: Any, pk: Any) -> HttpResponseBase:
        """What is planned and what was done of it; as iCalendar what is still to be done."""
        experiment = self.found()
        rows = PlannedProcedure.objects.visible_to(request.user).filter(enrolment__experiment=experiment)
        if request.accepted_renderer.format == "ics":
            waiting = open_planned().filter(pk__in=rows.values("pk"))
            return icalendar_of(experiment.code, planned_events(waiting))
        joined = {name: F(path) for name, path in COLUMNS.items()}
        told = list(rows.order_by("due_on", "enrolment__animal__lab_id", "pk").values(*OWN, **joined))
        return Response({"count": len(told), "results": told})


def _told(outcome: PlanOutcome) -> Response:
    moved = [(each.planned.pk, each.was_due_on, each.due_on) for each in outcome.changes]
    gone = [(row.pk, row.due_on, None) for row in outcome.surplus]
    names = ("planned_procedure", "was_due_on", "due_on")
    changes = [dict(zip(names, each, strict=True)) for each in (*moved, *gone)]
    numbers = {name: getattr(outcome, name) for name in ("added", "unchanged", "without_day_0", "unallocated", "ended")}
    return Response({**numbers, "changes": changes})
