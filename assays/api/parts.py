"""What belongs to a run, read-only: plates, wells, readings, curves, results, tallies, remarks."""

from assays.models import Curve, CurveParameter, Plate, Reading, Remark, Result, Tally, Well, WellResult
from labdb.base.rest.serializers import RecordSerializer, serializers
from labdb.base.rest.views import ReadRecords


class PlateSerializer(RecordSerializer):
    class Meta:
        model = Plate
        fields = (
            "id", "run", "position", "label", "rows", "columns", "read_mode", "read_type", "unit", "temperature_c",
            "read_at", "source_line",
        )  # fmt: skip
        read_only_fields = fields


class Plates(ReadRecords):
    """Plates of assay runs."""

    serializer_class = PlateSerializer
    filters = ("run", "run__experiment", "label")
    ordering = ("run", "position")


class WellSerializer(RecordSerializer):
    class Meta:
        model = Well
        fields = (
            "id", "run", "plate", "name", "row", "column", "role", "sample", "group", "specimen",
            "nominal_concentration", "nominal_unit", "dilution_factor", "is_masked", "masked_by", "masked_at",
            "masked_reason",
        )  # fmt: skip
        read_only_fields = fields


class WellRows(ReadRecords):
    """Wells: their place, what is in them, and whether a person masked them."""

    serializer_class = WellSerializer
    filters = ("run", "plate", "name", "role", "sample", "specimen", "is_masked")
    ordering = ("run", "plate", "row", "column")


class ReadingSerializer(RecordSerializer):
    class Meta:
        model = Reading
        fields = (
            "id", "run", "well", "channel", "wavelength_nm", "is_reduced", "value", "flag", "printed", "source_line",
        )  # fmt: skip
        read_only_fields = fields


class Readings(ReadRecords):
    """What the instrument printed for a well in one channel."""

    serializer_class = ReadingSerializer
    filters = ("run", "well", "well__plate", "channel", "is_reduced", "flag")
    ordering = ("run", "well__plate", "well__row", "well__column", "channel")


class WellResultSerializer(RecordSerializer):
    class Meta:
        model = WellResult
        fields = (
            "id", "run", "well", "curve", "role", "sample", "group", "response", "nominal_concentration",
            "concentration", "standard_error", "recovery_percent", "qualifier", "is_used", "flags",
        )  # fmt: skip
        read_only_fields = fields


class WellResults(ReadRecords):
    """Wells read from their curve; those with the role ``standard`` are the back-calculation of the curve."""

    serializer_class = WellResultSerializer
    filters = ("run", "well", "curve", "role", "sample", "is_used")
    ordering = ("run", "well__plate", "well__row", "well__column")


class CurveSerializer(RecordSerializer):
    class Meta:
        model = Curve
        fields = (
            "id", "run", "plate", "position", "model", "weighting", "verdict", "r_squared", "rss", "df", "n_points",
            "lower_limit", "upper_limit", "unit",
        )  # fmt: skip
        read_only_fields = fields


class Curves(ReadRecords):
    """Standard curves as fitted. Only one with the verdict ``ok`` gives concentrations."""

    serializer_class = CurveSerializer
    filters = ("run", "plate", "model", "verdict")
    ordering = ("run", "position")


class CurveParameterSerializer(RecordSerializer):
    class Meta:
        model = CurveParameter
        fields = ("id", "run", "curve", "position", "name", "estimate", "standard_error")
        read_only_fields = fields


class CurveParameters(ReadRecords):
    """Fitted parameters with their standard errors."""

    serializer_class = CurveParameterSerializer
    filters = ("run", "curve", "name")
    ordering = ("curve", "position")


class ResultSerializer(RecordSerializer):
    observation = serializers.UUIDField(source="publication.observation", read_only=True, allow_null=True)

    class Meta:
        model = Result
        fields = (
            "id", "run", "position", "endpoint", "role", "sample", "group", "specimen", "animal", "places", "n_wells",
            "n_used", "mean_response", "dilution_factor", "qualifier", "value", "limit", "unit", "standard_error",
            "sd", "cv_percent", "flags", "is_excluded", "excluded_reason", "observation",
        )  # fmt: skip
        read_only_fields = fields


class ResultRows(ReadRecords):
    """What a run says of a sample: a value, or ``<`` or ``>`` with its limit, dilution applied."""

    serializer_class = ResultSerializer
    filters = ("run", "endpoint", "role", "sample", "specimen", "animal", "qualifier", "is_excluded")
    ordering = ("run", "position")


class TallySerializer(RecordSerializer):
    class Meta:
        model = Tally
        fields = ("id", "run", "animal_name", "side", "section", "structure", "count", "source_line")
        read_only_fields = fields


class Tallies(ReadRecords):
    """Counts as they were tallied."""

    serializer_class = TallySerializer
    filters = ("run", "animal_name", "side", "structure")
    ordering = ("run", "source_line")


class RemarkSerializer(RecordSerializer):
    class Meta:
        model = Remark
        fields = ("id", "run", "position", "topic", "text")
        read_only_fields = fields


class Remarks(ReadRecords):
    """What a person should know before accepting a run."""

    serializer_class = RemarkSerializer
    filters = ("run", "topic")
    ordering = ("run", "position")
