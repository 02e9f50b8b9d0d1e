"""Identity, safety, release and recall of cells and lots."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.models import IdentityTest, MarkerResult, Recall, Release, SafetyTest
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords


class IdentityTestSerializer(RecordSerializer):
    class Meta:
        model = IdentityTest
        fields = (
            "id",
            "batch",
            "passage",
            "tested_on",
            "rule_set",
            "plastic_adherent",
            "osteogenic",
            "adipogenic",
            "chondrogenic",
            "note",
        )


class CriterionVerdictSerializer(serializers.Serializer):
    """One criterion: pass, fail, not demonstrable or exception, and the sentence that says why."""

    criterion = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    outcome = serializers.CharField()
    sentence = serializers.CharField()


class VerdictSerializer(serializers.Serializer):
    """Whether the cells are what they are said to be, by which rule set in which version."""

    rule_set = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.CharField()
    sentence = serializers.CharField()
    criteria = CriterionVerdictSerializer(many=True)


class IdentityTests(ReadRecords, AddRecords, ChangeRecords):
    """Tests of the cells' identity."""

    serializer_class = IdentityTestSerializer
    filters = (
        "batch",
        "passage",
        "tested_on__gte",
        "tested_on__lte",
        "plastic_adherent",
        "osteogenic",
        "adipogenic",
        "chondrogenic",
    )
    ordering = ("batch__code", "-tested_on")

    @extend_schema(responses=VerdictSerializer, filters=False)
    @action(detail=True)
    def verdict(self, request: Request, pk: Any) -> Response:
        """The verdict on markers and findings as they are recorded now, criterion by criterion."""
        return Response(asdict(self.found().verdict()))


class MarkerResultSerializer(RecordSerializer):
    class Meta:
        model = MarkerResult
        fields = ("id", "identity_test", "marker", "qualifier", "percent", "control", "events", "is_after_ifn_gamma")


class MarkerResults(ReadRecords, AddRecords, ChangeRecords):
    """Surface markers of identity tests, with their qualifiers."""

    serializer_class = MarkerResultSerializer
    filters = ("identity_test", "marker", "qualifier", "is_after_ifn_gamma")
    ordering = ("marker",)


class SafetyTestSerializer(RecordSerializer):
    class Meta:
        model = SafetyTest
        fields = (
            "id",
            "batch",
            "lot",
            "kind",
            "tested_on",
            "outcome",
            "method",
            "metaphases",
            "endotoxin_eu_per_ml",
            "detail",
        )


class SafetyTests(ReadRecords, AddRecords, ChangeRecords):
    """Safety tests of batches and lots."""

    serializer_class = SafetyTestSerializer
    filters = ("batch", "lot", "kind", "tested_on__gte", "tested_on__lte", "outcome")
    ordering = ("kind", "tested_on")


class ReleaseSerializer(RecordSerializer):
    class Meta:
        model = Release
        fields = ("id", "batch", "lot", "decision", "statement", "decided_by", "decided_at", "is_self_released")
        read_only_fields = fields


class Releases(ReadRecords):
    """Decisions that batches and lots may be given, or not."""

    serializer_class = ReleaseSerializer
    filters = ("batch", "lot", "decision", "decided_by", "decided_at__gte", "decided_at__lte", "is_self_released")
    ordering = ("-decided_at",)


class RecallSerializer(RecordSerializer):
    class Meta:
        model = Recall
        fields = ("id", "batch", "lot", "reason", "recalled_by", "recalled_at", "lifted_by", "lifted_at", "lift_reason")
        read_only_fields = fields


class Recalls(ReadRecords):
    """Batches and lots that must not be given any more."""

    serializer_class = RecallSerializer
    filters = (
        "batch",
        "lot",
        "recalled_by",
        "recalled_at__gte",
        "recalled_at__lte",
        "lifted_by",
        "lifted_at__gte",
        "lifted_at__lte",
    )
    ordering = ("-recalled_at",)
