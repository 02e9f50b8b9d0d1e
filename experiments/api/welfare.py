"""Welfare rules, alerts and notes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.notes import mark_seen, write_note
from experiments.models import Alert, Note, NoteMention, WelfareRule
from labdb.base.models import User
from labdb.base.rest.serializers import RecordSerializer, VisibleRelatedField
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
    mentions = VisibleRelatedField(
        queryset=User.objects.filter(is_active=True), many=True, write_only=True, required=False,
        help_text="People whom it calls on; read them as note-mentions.",
    )  # fmt: skip

    class Meta:
        model = Note
        fields = ("id", "experiment", "animal", "procedure", "batch", "lot", "text", "mentions", "author", "written_at")
        read_only_fields = ("author", "written_at")


class Notes(ReadRecords, AddRecords):
    """Remarks, with the people whom they call on. A note stays as it was written."""

    serializer_class = NoteSerializer
    filters = ("experiment", "animal", "procedure", "batch", "lot", "author", "written_at__gte", "written_at__lte")
    ordering = ("-written_at",)

    def add(self, values: dict[str, Any]) -> Note:
        return write_note(by=self.request.user, **values)


class NoteMentionSerializer(RecordSerializer):
    class Meta:
        model = NoteMention
        fields = ("id", "note", "person", "seen_at", "mailed_at")
        read_only_fields = fields


class NoteMentions(ReadRecords):
    """Whom notes call on."""

    serializer_class = NoteMentionSerializer
    filters = ("note", "person", "seen_at__isnull")
    ordering = ("-note__written_at",)

    @extend_schema(request=None, responses=NoteMentionSerializer)
    @action(detail=True, methods=["post"])
    def seen(self, request: Request, pk: Any) -> Response:
        """Say that one has seen the note that calls on one."""
        return self.answer(mark_seen(mention=self.found(), by=request.user).pk)
