"""Donors, consents, tissue, batches, their passages and counts."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.api.derived import GrownSerializer, told_grown
from experiments.derived import expansion_of
from experiments.models import CellCount, Consent, Donor, IsolationBatch, Passage, TissueSample
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class DonorSerializer(RecordSerializer):
    class Meta:
        model = Donor
        fields = (
            "id",
            "code",
            "species",
            "strain",
            "sex",
            "age_years",
            "gestational_weeks",
            "delivery",
            "menstrual_cycle_day",
            "serology",
            "serology_detail",
        )


class Donors(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """People and animals whose tissue is used, under a pseudonym."""

    serializer_class = DonorSerializer
    filters = ("code", "species", "strain", "sex", "delivery", "serology")
    ordering = ("code",)


class ConsentSerializer(RecordSerializer):
    class Meta:
        model = Consent
        fields = (
            "id",
            "donor",
            "code",
            "version",
            "scope",
            "ethics_number",
            "given_on",
            "withdrawn_at",
            "withdrawal_note",
        )


class Consents(ReadRecords, AddRecords, ChangeRecords):
    """What donors agreed to."""

    serializer_class = ConsentSerializer
    filters = ("donor", "code", "given_on__gte", "given_on__lte", "withdrawn_at__gte", "withdrawn_at__lte")
    ordering = ("donor__code", "code")


class TissueSampleSerializer(RecordSerializer):
    class Meta:
        model = TissueSample
        fields = ("id", "donor", "consent", "code", "source", "placental_part", "collected_at", "amount_g", "amount_ml")


class TissueSamples(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Tissue taken from donors."""

    serializer_class = TissueSampleSerializer
    filters = ("donor", "consent", "code", "source", "placental_part", "collected_at__gte", "collected_at__lte")
    ordering = ("code",)


class IsolationBatchSerializer(RecordSerializer):
    class Meta:
        model = IsolationBatch
        fields = (
            "id",
            "code",
            "tissue_sample",
            "cell_type",
            "method",
            "collagenase_mg_per_ml",
            "digestion_min",
            "medium",
            "supplement",
            "supplement_percent",
            "oxygen_percent",
            "seeding_cells_per_cm2",
            "yield_cells",
            "isolated_on",
            "operator",
            "expires_on",
            "note",
        )


class IsolationBatches(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Cells isolated at once from one tissue sample."""

    serializer_class = IsolationBatchSerializer
    filters = (
        "code",
        "tissue_sample",
        "cell_type",
        "method",
        "supplement",
        "isolated_on__gte",
        "isolated_on__lte",
        "operator",
        "expires_on__gte",
        "expires_on__lte",
    )
    ordering = ("code",)

    @extend_schema(responses=GrownSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def expansion(self, request: Request, pk: Any) -> Response:
        """How the cells multiplied, a row a passage: doublings, those since the first passage, hours a doubling."""
        return Response([told_grown(row) for row in expansion_of(self.found())])


class PassageSerializer(RecordSerializer):
    class Meta:
        model = Passage
        fields = (
            "id",
            "batch",
            "number",
            "label",
            "previous",
            "seeded_at",
            "harvested_at",
            "seeded_cells",
            "harvested_cells",
            "viable_cells",
            "viability_percent",
            "medium",
            "note",
        )


class Passages(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Passages of batches."""

    serializer_class = PassageSerializer
    filters = (
        "batch",
        "number",
        "label",
        "previous",
        "seeded_at__gte",
        "seeded_at__lte",
        "harvested_at__gte",
        "harvested_at__lte",
    )
    ordering = ("batch__code", "number", "label")


class CellCountSerializer(RecordSerializer):
    class Meta:
        model = CellCount
        fields = (
            "id",
            "passage",
            "counted_at",
            "instrument",
            "sample_name",
            "total_cells_per_ml",
            "viable_cells_per_ml",
            "viability_percent",
            "volume_ml",
            "dilution",
            "mean_diameter_um",
            "source_file",
            "source_place",
            "recorded_by",
        )
        read_only_fields = ("recorded_by",)


class CellCounts(ReadRecords, AddRecords, ChangeRecords):
    """What counters told of passages."""

    serializer_class = CellCountSerializer
    filters = ("passage", "counted_at__gte", "counted_at__lte", "source_file", "recorded_by")
    ordering = ("passage__number", "counted_at")
