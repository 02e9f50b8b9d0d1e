"""What was done to animals."""

from experiments.models import Dose, DoseVial, Induction, Medication
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords


class InductionSerializer(RecordSerializer):
    class Meta:
        model = Induction
        fields = (
            "id",
            "procedure",
            "induction_model",
            "agent",
            "agent_lot",
            "amount",
            "amount_unit",
            "weight_g",
            "concentration_mg_per_ml",
            "given_mg",
            "planned_ml",
            "given_ml",
            "route",
            "site",
        )


class Inductions(ReadRecords, AddRecords, ChangeRecords):
    """What made animals a model."""

    serializer_class = InductionSerializer
    filters = ("procedure__experiment", "procedure", "induction_model", "agent", "route", "site")
    ordering = ("procedure__name",)


class DoseSerializer(RecordSerializer):
    class Meta:
        model = Dose
        fields = (
            "id",
            "procedure",
            "product",
            "amount",
            "viability_percent",
            "volume_ul",
            "vehicle",
            "route",
            "site",
            "needle",
            "passage_number",
            "weight_g",
            "thaw_to_injection_min",
            "co_treatment",
        )


class Doses(ReadRecords, AddRecords, ChangeRecords):
    """What animals got of products."""

    serializer_class = DoseSerializer
    filters = ("procedure__experiment", "procedure", "product", "route", "site")
    ordering = ("procedure__name",)


class DoseVialSerializer(RecordSerializer):
    class Meta:
        model = DoseVial
        fields = ("id", "dose", "vial", "amount")
        read_only_fields = fields


class DoseVials(ReadRecords):
    """How much of doses came from which vials."""

    serializer_class = DoseVialSerializer
    filters = ("dose__procedure__experiment", "dose", "vial")
    ordering = ("vial__code",)


class MedicationSerializer(RecordSerializer):
    class Meta:
        model = Medication
        fields = (
            "id",
            "procedure",
            "kind",
            "agent",
            "amount_mg_per_kg",
            "route",
            "due_at",
            "given_at",
            "given_by",
            "omitted_reason",
        )


class Medications(ReadRecords, AddRecords, ChangeRecords):
    """Anaesthesia and analgesia, with their deadlines."""

    serializer_class = MedicationSerializer
    filters = (
        "procedure__experiment",
        "procedure",
        "kind",
        "agent",
        "route",
        "due_at__gte",
        "due_at__lte",
        "given_at__gte",
        "given_at__lte",
        "given_by",
    )
    ordering = ("due_at",)
