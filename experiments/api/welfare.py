"""Welfare rules, alerts and notes."""

from experiments.models import Alert, Note, NoteMention, WelfareRule
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords


class WelfareRuleSerializer(RecordSerializer):
    class Meta:
        model = WelfareRule
        fields = (
            "id",
            "experiment",
            "kind",
            "reference",
            "threshold",
            "from_day",
            "to_day",
            "is_humane_endpoint",
            "action",
            "is_active",
        )


class WelfareRules(ReadRecords, AddRecords, ChangeRecords):
    """From which loss or score somebody has to look."""

    serializer_class = WelfareRuleSerializer
    filters = ("experiment", "kind", "reference", "is_humane_endpoint", "is_active")
    ordering = ("experiment__code", "kind", "threshold")


class AlertSerializer(RecordSerializer):
    class Meta:
        model = Alert
        fields = (
            "id",
            "experiment",
            "enrolment",
            "kind",
            "message",
            "rule",
            "observation",
            "procedure",
            "state",
            "owner",
            "raised_at",
            "mailed_at",
            "resolved_at",
            "resolved_by",
            "resolution",
        )
        read_only_fields = fields


class Alerts(ReadRecords):
    """What somebody has to look at."""

    serializer_class = AlertSerializer
    filters = (
        "experiment",
        "enrolment",
        "kind",
        "rule",
        "observation",
        "procedure",
        "state",
        "owner",
        "raised_at__gte",
        "raised_at__lte",
        "resolved_at__gte",
        "resolved_at__lte",
        "resolved_by",
    )
    ordering = ("-raised_at",)


class NoteSerializer(RecordSerializer):
    class Meta:
        model = Note
        fields = ("id", "experiment", "animal", "procedure", "batch", "lot", "text", "author", "written_at")
        read_only_fields = fields


class Notes(ReadRecords):
    """Remarks, with the people whom they call on."""

    serializer_class = NoteSerializer
    filters = ("experiment", "animal", "procedure", "batch", "lot", "author", "written_at__gte", "written_at__lte")
    ordering = ("-written_at",)


class NoteMentionSerializer(RecordSerializer):
    class Meta:
        model = NoteMention
        fields = ("id", "note", "person", "seen_at")
        read_only_fields = fields


class NoteMentions(ReadRecords):
    """Whom notes call on."""

    serializer_class = NoteMentionSerializer
    filters = ("note", "person", "seen_at__isnull")
    ordering = ("-note__written_at",)
