"""What experiments will measure and compute."""

from experiments.models import AnalysisPlan, PlannedComparison, PlannedEndpoint
from labdb.base.rest.serializers import RecordSerializer
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
