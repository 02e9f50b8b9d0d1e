"""Products, their lots and what these were made from."""

from experiments.models import Lot, LotSource, Product, StockUse, VesicleCharacterisation
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class ProductSerializer(RecordSerializer):
    class Meta:
        model = Product
        fields = (
            "id",
            "name",
            "kind",
            "dose_unit",
            "tissue_source",
            "cell_type",
            "species",
            "strain",
            "carrier",
            "supplier",
            "description",
        )


class Products(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Kinds of things that are given."""

    serializer_class = ProductSerializer
    filters = ("name", "kind", "dose_unit", "tissue_source", "cell_type", "species", "strain")
    ordering = ("name",)


class LotSerializer(RecordSerializer):
    class Meta:
        model = Lot
        fields = (
            "id",
            "code",
            "product",
            "passage",
            "made_on",
            "expires_on",
            "made_by",
            "supplier_lot",
            "source_cells",
            "conditioning_h",
            "collected_ml",
            "concentration_fold",
            "is_serum_free",
            "gene",
            "vector",
            "moi",
            "positive_percent",
            "vector_copies_per_cell",
            "carrier_volume_ul",
            "cells_per_ml",
            "note",
        )


class Lots(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Products as they were made or bought at once."""

    serializer_class = LotSerializer
    filters = (
        "code",
        "product",
        "passage",
        "made_on__gte",
        "made_on__lte",
        "expires_on__gte",
        "expires_on__lte",
        "made_by",
        "is_serum_free",
    )
    ordering = ("code",)


class LotSourceSerializer(RecordSerializer):
    class Meta:
        model = LotSource
        fields = ("id", "lot", "source_lot", "source_passage", "amount")


class LotSources(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """What lots were made from."""

    serializer_class = LotSourceSerializer
    filters = ("lot", "source_lot", "source_passage")
    ordering = ("lot__code",)


class VesicleCharacterisationSerializer(RecordSerializer):
    class Meta:
        model = VesicleCharacterisation
        fields = (
            "id",
            "lot",
            "source_cells",
            "source_ml",
            "particles_per_ml",
            "protein_ug_per_ml",
            "lipid_ug_per_ml",
            "transmembrane_markers",
            "cytosolic_markers",
            "contaminant_marker",
            "imaging_method",
            "single_particle_method",
            "mode_diameter_nm",
        )


class VesicleCharacterisations(ReadRecords, AddRecords, ChangeRecords):
    """What MISEV asks to be told of vesicles."""

    serializer_class = VesicleCharacterisationSerializer
    filters = ("lot",)
    ordering = ("lot__code",)


class StockUseSerializer(RecordSerializer):
    class Meta:
        model = StockUse
        fields = ("id", "experiment", "lot", "batch")
        read_only_fields = fields


class StockUses(ReadRecords):
    """Which experiments used which lots and batches."""

    serializer_class = StockUseSerializer
    filters = ("experiment", "lot", "batch")
    ordering = ("experiment__code",)
