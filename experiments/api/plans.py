"""What experiments will measure and compute."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.plans import lock_plan, new_plan_version
from experiments.models import AnalysisPlan, PlannedComparison, PlannedEndpoint
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class AnalysisPlanSerializer(RecordSerializer):
    class Meta:
        model = AnalysisPlan
        fields = (
            "id",
            "experiment",
            "version",
            "primary_endpoint",
            "primary_timepoint",
            "scale",
            "method",
            "experimental_unit",
            "multiplicity",
            "alpha",
            "exclusion_rules",
            "missing_data",
            "change_note",
            "locked_at",
            "locked_by",
        )
        read_only_fields = ("locked_at", "locked_by")


class PlanVersionSerializer(StrictSerializer):
    """What will be different."""

    change_note = serializers.CharField(max_length=500)


class AnalysisPlans(ReadRecords, AddRecords, ChangeRecords):
    """Analysis plans. One that is locked stays as it is."""

    serializer_class = AnalysisPlanSerializer
    filters = (
        "experiment",
        "primary_endpoint",
        "primary_timepoint",
        "scale",
        "method",
        "experimental_unit",
        "multiplicity",
        "locked_at__gte",
        "locked_at__lte",
        "locked_by",
    )
    ordering = ("experiment__code", "-version")

    @extend_schema(request=None, responses=AnalysisPlanSerializer)
    @action(detail=True, methods=["post"])
    def lock(self, request: Request, pk: Any) -> Response:
        """From now on the plan and its comparisons stay as they are."""
        return self.answer(lock_plan(plan=self.found(), by=request.user).pk)

    @extend_schema(request=PlanVersionSerializer, responses={201: AnalysisPlanSerializer})
    @action(detail=True, methods=["post"], url_path="new-version")
    def new_version(self, request: Request, pk: Any) -> Response:
        """An open copy of a locked plan, with what will be different."""
        asked = self.input(PlanVersionSerializer, request.data)
        made = new_plan_version(plan=self.found(), by=request.user, **asked)
        return self.answer(made.pk, status.HTTP_201_CREATED)


class PlannedComparisonSerializer(RecordSerializer):
    class Meta:
        model = PlannedComparison
        fields = ("id", "plan", "arm", "reference", "endpoint", "is_primary")


class PlannedComparisons(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Arms that plans compare."""

    serializer_class = PlannedComparisonSerializer
    filters = ("plan__experiment", "plan", "arm", "reference", "endpoint", "is_primary")
    ordering = ("arm__label",)


class PlannedEndpointSerializer(RecordSerializer):
    class Meta:
        model = PlannedEndpoint
        fields = ("id", "experiment", "endpoint", "timepoint")


class PlannedEndpoints(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Endpoints that experiments measure."""

    serializer_class = PlannedEndpointSerializer
    filters = ("experiment", "endpoint", "timepoint")
    ordering = ("experiment__code", "endpoint__name")
