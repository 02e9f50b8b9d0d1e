"""Protocols, their versions and steps, and what is planned from them."""

from experiments.models import ArmProtocol, PlannedProcedure, Protocol, ProtocolStep, ProtocolVersion
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class ProtocolSerializer(RecordSerializer):
    class Meta:
        model = Protocol
        fields = ("id", "name", "description")


class Protocols(ReadRecords, AddRecords, ChangeRecords):
    """Ways of working."""

    serializer_class = ProtocolSerializer
    filters = ("name",)
    ordering = ("name",)


class ProtocolVersionSerializer(RecordSerializer):
    class Meta:
        model = ProtocolVersion
        fields = ("id", "protocol", "number", "reference", "change_note", "issued_at", "issued_by")
        read_only_fields = ("issued_at", "issued_by")


class ProtocolVersions(ReadRecords, AddRecords, ChangeRecords):
    """Versions of protocols."""

    serializer_class = ProtocolVersionSerializer
    filters = ("protocol", "number", "issued_at__gte", "issued_at__lte", "issued_by")
    ordering = ("protocol__name", "-number")


class ProtocolStepSerializer(RecordSerializer):
    class Meta:
        model = ProtocolStep
        fields = (
            "id",
            "version",
            "position",
            "name",
            "kind",
            "after",
            "relative_day",
            "window_before_days",
            "window_after_days",
            "repeats",
            "every_days",
            "induction_model",
            "agent",
            "product",
            "amount",
            "amount_unit",
            "concentration_mg_per_ml",
            "volume_ul",
            "vehicle",
            "route",
            "site",
            "anaesthesia",
            "analgesia",
            "analgesia_every_h",
            "analgesia_for_h",
            "instructions",
        )


class ProtocolSteps(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Steps of versions."""

    serializer_class = ProtocolStepSerializer
    filters = (
        "version",
        "name",
        "kind",
        "after",
        "induction_model",
        "agent",
        "product",
        "route",
        "site",
        "anaesthesia",
        "analgesia",
    )
    ordering = ("version__number", "position", "relative_day")


class ArmProtocolSerializer(RecordSerializer):
    class Meta:
        model = ArmProtocol
        fields = ("id", "arm", "version", "shift_days")


class ArmProtocols(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Which arms follow which versions."""

    serializer_class = ArmProtocolSerializer
    filters = ("arm__experiment", "arm", "version")
    ordering = ("arm__label", "shift_days")


class PlannedProcedureSerializer(RecordSerializer):
    class Meta:
        model = PlannedProcedure
        fields = (
            "id",
            "enrolment",
            "step",
            "repeat",
            "due_on",
            "earliest_on",
            "latest_on",
            "state",
            "assigned_to",
            "cancel_reason",
        )
        read_only_fields = fields


class PlannedProcedures(ReadRecords):
    """What animals are to go through, and when."""

    serializer_class = PlannedProcedureSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "step",
        "due_on__gte",
        "due_on__lte",
        "earliest_on__gte",
        "earliest_on__lte",
        "latest_on__gte",
        "latest_on__lte",
        "state",
        "assigned_to",
    )
    ordering = ("due_on", "step__name")
