"""Cells of a grid: recorded and corrected, all or none, or the valid ones where that is asked; a repeat changes nothing."""

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.grids import (
    CellCorrection,
    GridAnswer,
    GridCell,
    GridRefused,
    correct_grid,
    record_grid,
    shown,
)
from experiments.api.intake import FIELD_NAMES, READERS, read_row
from experiments.models import Endpoint, Observation
from labdb.base.bulk import BulkRefused, RowProblem
from labdb.base.rest.errors import refused_rows
from labdb.base.rest.serializers import ExactNumberField, StrictSerializer

MOST = 5_000  # cells of a request


PERSON_HELP = "Who made the cells: refused where another person is logged in by now."


class CellSerializer(StrictSerializer):
    """A value: ``value`` or ``category``, or ``qualifier`` with ``limit``. ``id`` is a new UUID, made by who sends it."""

    id = serializers.UUIDField()
    value = ExactNumberField(required=False, allow_null=True)
    limit = ExactNumberField(required=False, allow_null=True)
    qualifier = serializers.ChoiceField(Observation.Qualifier.choices, required=False)
    category = serializers.CharField(required=False, allow_null=True, max_length=60)


class GridCellSerializer(CellSerializer):
    animal = serializers.UUIDField()
    day = serializers.DateField()
    side = serializers.ChoiceField(Observation.Side.choices, required=False, allow_null=True)


class CorrectedCellSerializer(CellSerializer):
    observation = serializers.UUIDField()


class Rows(serializers.Field):
    """A list of rows, read by ``read_row``: every error of every row comes back at once."""

    default_error_messages = {
        "no_list": "A list is expected.",
        "empty": "There are no cells.",
        "many": f"At most {MOST:,} cells at once.",
    }

    def to_internal_value(self, data: Any) -> list:
        if not isinstance(data, list):
            self.fail("no_list")
        if not data:
            self.fail("empty")
        if len(data) > MOST:
            self.fail("many")
        return data


@extend_schema_field(GridCellSerializer(many=True))
class GridCells(Rows): ...


@extend_schema_field(CorrectedCellSerializer(many=True))
class CorrectedCells(Rows): ...


class GridSerializer(StrictSerializer):
    """Cells of one endpoint. ``only_valid``: what cannot be recorded is left out and told, the rest is recorded."""

    endpoint = serializers.UUIDField()
    unit = serializers.CharField(required=False, allow_blank=True, max_length=30, default="")
    only_valid = serializers.BooleanField(default=False)
    person = serializers.UUIDField(required=False, help_text=PERSON_HELP)
    cells = GridCells()


class GridCorrectionSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)
    person = serializers.UUIDField(required=False, help_text=PERSON_HELP)
    cells = CorrectedCells()


def _day(given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError(f"“{str(given)[:60]}” is not a day, e.g. 2026-03-09.") from None


VALUE = {name: READERS[name] for name in ("value", "limit", "qualifier", "category")}
CELL: dict[str, Callable[[Any], Any]] = {
    **VALUE, "id": READERS["animal"], "animal": READERS["animal"], "day": _day, "side": READERS["side"],
}  # fmt: skip
CORRECTED = {**VALUE, "id": READERS["animal"], "observation": READERS["animal"]}

CURRENT = inline_serializer(
    "CurrentCell",
    {"id": serializers.UUIDField(), "text": serializers.CharField(), "by": serializers.CharField(),
     "at": serializers.CharField()},
    required=False,
)  # fmt: skip
REFUSED_CELL = inline_serializer(
    "RefusedCell",
    {
        "row": serializers.IntegerField(min_value=1),
        "field": serializers.CharField(),
        "value": serializers.JSONField(allow_null=True),
        "message": serializers.CharField(),
        "current": CURRENT,
    },
    many=True,
)
RECORDED = inline_serializer(
    "RecordedGrid", {"ids": serializers.ListField(child=serializers.UUIDField()), "rows": REFUSED_CELL}
)
CORRECTED_IDS = inline_serializer("CorrectedGrid", {"ids": serializers.ListField(child=serializers.UUIDField())})


class GridVerbs:
    """For the experiments: their cells."""

    @extend_schema(request=GridSerializer, responses=RECORDED)
    @action(detail=True, methods=["post"], url_path="record-grid")
    def record_grid(self: Any, request: Request, pk: Any) -> Response:
        """Record cells of a grid, animals × days. A cell that was sent before is answered as the first time; one that
        holds a value by now is refused, with that value as ``current``."""
        experiment = self.found()
        asked = _of_person(request, self.input(GridSerializer, request.data))
        endpoint = Endpoint.objects.filter(pk=asked.pop("endpoint")).first()
        if endpoint is None:
            raise ValidationError({"endpoint": ["There is no such endpoint."]})
        asked["cells"] = [GridCell(**values) for values in _read(asked["cells"], CELL, {"id", "animal", "day"})]
        try:
            answer = record_grid(experiment=experiment, endpoint=endpoint, by=request.user, **asked)
        except GridRefused as refused:
            return Response(_told(refused.answer), status.HTTP_400_BAD_REQUEST)
        return Response({"ids": answer.ids, "rows": _told(answer)["rows"]})

    @extend_schema(request=GridCorrectionSerializer, responses=CORRECTED_IDS)
    @action(detail=True, methods=["post"], url_path="correct-grid")
    def correct_grid(self: Any, request: Request, pk: Any) -> Response:
        """Correct recorded cells for one reason, all or none; the old values stay, closed."""
        experiment = self.found()
        asked = _of_person(request, self.input(GridCorrectionSerializer, request.data))
        cells = [CellCorrection(**values) for values in _read(asked["cells"], CORRECTED, {"id", "observation"})]
        try:
            ids = correct_grid(experiment=experiment, corrections=cells, reason=asked["reason"], by=request.user)
        except GridRefused as refused:
            return Response(_told(refused.answer), status.HTTP_400_BAD_REQUEST)
        return Response({"ids": ids})


def _of_person(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    """A page may be older than the log-in: what one person typed is not recorded as another's."""
    if asked.pop("person", request.user.pk) != request.user.pk:
        told = f"The page was opened by another person; now {request.user} is logged in. Open it anew."
        raise ValidationError({"person": [told]})
    return asked


def _read(rows: list, readers: dict[str, Callable[[Any], Any]], required: set[str]) -> list[dict[str, Any]]:
    problems: list[RowProblem] = []
    read = [read_row(index, row, problems, readers, required) for index, row in enumerate(rows)]
    keys: set[uuid.UUID] = set()
    for index, values in enumerate(read):
        key = values.get("id")
        if key in keys:
            problems.append(RowProblem(index, "id", key, "Another cell of the request has this key."))
        if key is not None:
            keys.add(key)
    if problems:
        raise BulkRefused(problems)
    return read


def _told(answer: GridAnswer) -> dict[str, Any]:
    refused = BulkRefused(answer.problems)  # in the order of the rows
    told = refused_rows(refused.problems, FIELD_NAMES)
    for row, problem in zip(told["rows"], refused.problems, strict=True):
        if problem.row in answer.standing:
            row["current"] = shown(answer.standing[problem.row])
    return told
