"""Stored summaries with their estimates, reports and their schedules."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from experiments.actions.reports import keep_schedule, request_report
from experiments.models import DataChange, Estimate, OutcomeSummary, Report, ReportSchedule
from labdb.base.access import VisibleQuerySet
from labdb.base.rest.serializers import RecordSerializer, serializers
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords, download
from labdb.base.rest.wire import Download


class OutcomeSummarySerializer(RecordSerializer):
    endpoint_key = serializers.CharField(source="endpoint.key", read_only=True)
    endpoint_name = serializers.CharField(source="endpoint.name", read_only=True)
    unit = serializers.CharField(source="endpoint.unit", read_only=True)
    is_stale = serializers.BooleanField(read_only=True, help_text="Data changed since it was computed.")

    class Meta:
        model = OutcomeSummary
        fields: tuple[str, ...] = (
            "id", "experiment", "endpoint", "endpoint_key", "endpoint_name", "unit", "scale", "inputs_sha256",
            "methods", "computed_at", "is_current", "is_stale", "job",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


def shown_summaries() -> VisibleQuerySet:
    of_endpoint = Q(endpoint=None) | Q(endpoint=OuterRef("endpoint"))
    changed = DataChange.objects.filter(of_endpoint, experiment=OuterRef("experiment"))
    return OutcomeSummary.objects.annotate(is_stale=Exists(changed))


class OutcomeSummaries(ReadRecords):
    """Summaries of an endpoint of an experiment, with the digest of what they were computed from."""

    serializer_class = OutcomeSummarySerializer
    filters = ("experiment", "endpoint", "endpoint__key", "is_current", "job")
    ordering = ("experiment__code", "endpoint__key", "-computed_at")

    def records(self) -> QuerySet:
        return shown_summaries()


class EstimateSerializer(RecordSerializer):
    order = ("timepoint__study_day", "quantity", "arm__position", "reference_arm__position", "id")

    timepoint_label = serializers.CharField(source="timepoint.label", read_only=True, allow_null=True)
    study_day = serializers.IntegerField(source="timepoint.study_day", read_only=True, allow_null=True)
    arm_label = serializers.CharField(source="arm.label", read_only=True, allow_null=True)
    reference_arm_label = serializers.CharField(source="reference_arm.label", read_only=True, allow_null=True)

    class Meta:
        model = Estimate
        fields = (
            "id", "summary", "timepoint", "timepoint_label", "study_day", "arm", "arm_label", "reference_arm",
            "reference_arm_label", "quantity", "scale", "estimate", "lower", "upper", "level", "statistic", "df1",
            "df2", "p_value", "n_by_arm", "method_key", "method_version", "method", "reference", "warnings", "refused",
        )  # fmt: skip
        read_only_fields = fields


class Estimates(ReadRecords):
    """Computed quantities: at a timepoint, of an arm, or of an arm against its reference arm.

    While an experiment is blinded there are pooled counts only, for everybody.
    """

    serializer_class = EstimateSerializer
    filters = (
        "summary", "summary__experiment", "summary__endpoint", "summary__is_current", "timepoint", "arm",
        "reference_arm", "quantity", "method_key",
    )  # fmt: skip
    ordering = ("summary_id", *EstimateSerializer.order[:-1])


class ReportSerializer(RecordSerializer):
    class Meta:
        model = Report
        fields = (
            "id", "experiment", "kind", "schedule", "due_at", "job", "inputs_sha256", "sha256", "rendered_at",
            "created_at",
        )  # fmt: skip
        read_only_fields = ("schedule", "due_at", "job", "inputs_sha256", "sha256", "rendered_at")


class Reports(ReadRecords, AddRecords):
    """Rendered reports. A POST asks for one; poll its job, then fetch ``content``."""

    serializer_class = ReportSerializer
    filters = ("experiment", "kind", "schedule", "created_at__gte", "created_at__lte", "rendered_at__isnull")
    ordering = ("-created_at",)

    def add(self, values: dict[str, Any]) -> Report:
        return request_report(by=self.request.user, **values)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[Download])
    def content(self, request: Request, pk: Any) -> FileResponse:
        """The PDF."""
        report = self.found(self.get_queryset().select_related("experiment"))
        if not report.sha256:
            raise NotFound("This report is not rendered yet; its job says how far it is.")
        return download(report.path, report.file_name, "application/pdf")


class ReportScheduleSerializer(RecordSerializer):
    class Meta:
        model = ReportSchedule
        fields = (
            "id", "experiment", "cadence", "weekday", "day_of_month", "at_time", "time_zone", "is_active",
            "active_since", "created_by",
        )  # fmt: skip
        read_only_fields = ("active_since", "created_by")


class ReportSchedules(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """When reports of an experiment are made by themselves."""

    serializer_class = ReportScheduleSerializer
    filters = ("experiment", "cadence", "is_active")
    ordering = ("experiment__code", "cadence")

    def add(self, values: dict[str, Any]) -> ReportSchedule:
        return keep_schedule(schedule=ReportSchedule(**values), by=self.request.user)

    def change(self, record: Any, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(record, name, value)
        keep_schedule(schedule=record, by=self.request.user)
