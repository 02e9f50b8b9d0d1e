"""Boxes, vials and the ledger of their movements."""

from experiments.models import StockMovement, StorageBox, Vial
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class StorageBoxSerializer(RecordSerializer):
    class Meta:
        model = StorageBox
        fields = ("id", "name", "location", "rows", "columns")


class StorageBoxes(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Boxes with numbered places."""

    serializer_class = StorageBoxSerializer
    filters = ("name",)
    ordering = ("name",)


class VialSerializer(RecordSerializer):
    class Meta:
        model = Vial
        fields = (
            "id",
            "lot",
            "code",
            "amount",
            "amount_left",
            "volume_ul",
            "cryoprotectant",
            "frozen_at",
            "state",
            "thawed_at",
            "post_thaw_viability_percent",
            "box",
            "row",
            "column",
        )
        read_only_fields = fields


class Vials(ReadRecords):
    """Containers of lots, with what is left in them."""

    serializer_class = VialSerializer
    filters = (
        "lot",
        "code",
        "cryoprotectant",
        "frozen_at__gte",
        "frozen_at__lte",
        "state",
        "thawed_at__gte",
        "thawed_at__lte",
        "box",
    )
    ordering = ("lot__code", "code")


class StockMovementSerializer(RecordSerializer):
    class Meta:
        model = StockMovement
        fields = (
            "id",
            "vial",
            "kind",
            "amount",
            "moved_at",
            "moved_by",
            "experiment",
            "dose",
            "made_lot",
            "counterpart",
            "reason",
        )
        read_only_fields = fields


class StockMovements(ReadRecords):
    """The ledger: what came into vials and left them."""

    serializer_class = StockMovementSerializer
    filters = (
        "vial",
        "kind",
        "moved_at__gte",
        "moved_at__lte",
        "moved_by",
        "experiment",
        "dose",
        "made_lot",
        "counterpart",
    )
    ordering = ("moved_at",)
