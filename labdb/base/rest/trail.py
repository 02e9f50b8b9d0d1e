"""The trail over REST: what was done to which row, by whom, through which door, why; as JSON pages or one CSV."""

import csv
from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from labdb.base.exports import Echo, harmless
from labdb.base.rest.serializers import InstantField, RecordSerializer
from labdb.base.rest.views import ReadRecords
from labdb.base.rest.wire import Csv, ExactJsonRenderer, to_json
from labdb.base.trail.models import TrailEntry, TrailStatement

COLUMNS = ("id", "at", "person", "db_role", "door", "reason", "action", "table", "object", "experiment", "old", "new")
CHUNK = 1000


class TrailSerializer(RecordSerializer):
    """What one statement did to one row. After a change, ``old`` and ``new`` hold the changed columns only."""

    at = InstantField(source="statement.at", read_only=True)
    person = serializers.UUIDField(source="statement.person_id", read_only=True, allow_null=True)
    db_role = serializers.CharField(source="statement.db_role", read_only=True)
    door = serializers.CharField(source="statement.door", read_only=True)
    reason = serializers.CharField(source="statement.reason", read_only=True)
    action = serializers.ChoiceField(source="statement.action", choices=TrailStatement.Action.choices, read_only=True)
    table = serializers.CharField(source="table_name", read_only=True)
    object = serializers.CharField(source="row_id", read_only=True)
    experiment = serializers.UUIDField(source="experiment_id", read_only=True, allow_null=True)
    old = serializers.DictField(read_only=True, allow_null=True)
    new = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = TrailEntry
        fields = COLUMNS
        read_only_fields = COLUMNS


INSTANT, UUID = InstantField(), serializers.UUIDField()
# The query parameters: where each is looked up, and what reads it.
FILTERS: dict[str, tuple[str, serializers.Field]] = {
    "object": ("row_id", serializers.CharField()),
    "table": ("table_name", serializers.CharField()),
    "person": ("statement__person", UUID),
    "experiment": ("experiment_id", UUID),
    "action": ("statement__action", serializers.ChoiceField(TrailStatement.Action.choices)),
    "door": ("statement__door", serializers.CharField()),
    "at__gte": ("statement__at__gte", INSTANT),
    "at__lt": ("statement__at__lt", INSTANT),
}
KINDS = {UUID: OpenApiTypes.UUID, INSTANT: OpenApiTypes.DATETIME}


class TrailFilters(BaseFilterBackend):
    """The entries that match every given parameter."""

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        conditions: dict[str, Any] = {}
        problems: dict[str, Any] = {}
        for name, (path, field) in FILTERS.items():
            if name in request.query_params:
                try:
                    conditions[path] = field.run_validation(request.query_params[name])
                except ValidationError as error:
                    problems[name] = error.detail
        if problems:
            raise ValidationError(problems)
        return queryset.filter(**conditions)


class Trail(ReadRecords):
    """What was done to the rows that you may see, the latest first."""

    serializer_class = TrailSerializer
    filters: ClassVar[tuple[str, ...]] = (*FILTERS, "format")
    ordering = ("-id",)
    filter_backends = (TrailFilters,)
    renderer_classes = (ExactJsonRenderer, Csv)
    http_method_names = ["get", "head", "options"]

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        asked = request.query_params.get("format")
        if asked and asked not in ("csv", "json"):
            raise ValidationError({"format": [f"“{asked[:40]}” is not one of: csv, json."]})
        super().initial(request, *args, **kwargs)

    @extend_schema(
        parameters=[
            *(OpenApiParameter(name, KINDS.get(field, OpenApiTypes.STR)) for name, (_, field) in FILTERS.items()),
            OpenApiParameter(
                "format", str, enum=["csv", "json"], description="Or by the Accept header. CSV has no pages."
            ),
        ],
        responses={(200, "application/json"): TrailSerializer(many=True), (200, "text/csv"): OpenApiTypes.STR},
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.accepted_renderer.format == "json":
            return super().list(request, *args, **kwargs)
        rows = self.rows(self.filter_queryset(self.get_queryset()).order_by(*self.ordering))
        response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="trail.csv"'
        return response


def _lines(rows: QuerySet) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for row in rows.iterator(CHUNK):
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return to_json(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return harmless("" if value is None else str(value))
