"""Who comes into an experiment, into which arm, and who is left out."""

from experiments.models import (
    EligibilityCriterion,
    Exclusion,
    PoiConfirmation,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
)
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class EligibilityCriterionSerializer(RecordSerializer):
    class Meta:
        model = EligibilityCriterion
        fields = ("id", "experiment", "kind", "lowest", "highest", "text")


class EligibilityCriteria(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """What animals must fulfil before they are allocated."""

    serializer_class = EligibilityCriterionSerializer
    filters = ("experiment", "kind")
    ordering = ("experiment__code", "kind")


class RandomisationSerializer(RecordSerializer):
    class Meta:
        model = Randomisation
        fields = (
            "id",
            "experiment",
            "method",
            "strata",
            "algorithm",
            "seed_sha256",
            "inputs",
            "balance",
            "drawn_at",
            "drawn_by",
        )
        read_only_fields = fields


class Randomisations(ReadRecords):
    """Draws of arms for animals. The seed stays sealed."""

    serializer_class = RandomisationSerializer
    filters = ("experiment", "method", "drawn_at__gte", "drawn_at__lte", "drawn_by")
    ordering = ("experiment__code", "drawn_at")


class ExclusionSerializer(RecordSerializer):
    class Meta:
        model = Exclusion
        fields = (
            "id",
            "enrolment",
            "endpoint",
            "stage",
            "is_prespecified",
            "is_decided_blinded",
            "reason",
            "decided_by",
            "decided_at",
            "revoked_at",
            "revoked_by",
            "revoke_reason",
        )
        read_only_fields = fields


class Exclusions(ReadRecords):
    """Animals that are left out of the analysis, and why."""

    serializer_class = ExclusionSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "endpoint",
        "stage",
        "is_prespecified",
        "is_decided_blinded",
        "decided_by",
        "decided_at__gte",
        "decided_at__lte",
        "revoked_at__gte",
        "revoked_at__lte",
        "revoked_by",
    )
    ordering = ("decided_at",)


class PoiCriteriaSerializer(RecordSerializer):
    class Meta:
        model = PoiCriteria
        fields = ("id", "experiment", "version", "required", "locked_at", "locked_by")
        read_only_fields = ("locked_at", "locked_by")


class PoiCriteriaSets(ReadRecords, AddRecords, ChangeRecords):
    """By which criteria POI is confirmed."""

    serializer_class = PoiCriteriaSerializer
    filters = ("experiment", "locked_at__gte", "locked_at__lte", "locked_by")
    ordering = ("experiment__code", "-version")


class PoiCriterionSerializer(RecordSerializer):
    class Meta:
        model = PoiCriterion
        fields = ("id", "criteria", "rule", "endpoint", "timepoint", "threshold")


class PoiCriteriaItems(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Single criteria."""

    serializer_class = PoiCriterionSerializer
    filters = ("criteria__experiment", "criteria", "rule", "endpoint", "timepoint")
    ordering = ("rule", "endpoint__name")


class PoiConfirmationSerializer(RecordSerializer):
    class Meta:
        model = PoiConfirmation
        fields = ("id", "enrolment", "criteria", "verdict", "findings", "assessed_at", "assessed_by")
        read_only_fields = fields


class PoiConfirmations(ReadRecords):
    """In which animals POI is confirmed."""

    serializer_class = PoiConfirmationSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "criteria",
        "verdict",
        "assessed_at__gte",
        "assessed_at__lte",
        "assessed_by",
    )
    ordering = ("-assessed_at",)
