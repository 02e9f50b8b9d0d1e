"""Observations of a request: read row by row without a query a row, every error of every row named at once."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError as RefusedRequest

from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Observation
from labdb.base.bulk import BulkRefused, RowProblem
from labdb.base.rest.errors import WITHOUT_FIELD
from labdb.base.rest.serializers import ExactNumberField, StrictSerializer, serializers

FIELD_NAMES = {"entered_unit": "unit", "entered_value": "value", "supersedes": WITHOUT_FIELD}
RELATIONS = ("experiment", "endpoint", "animal", "cage", "litter", "timepoint", "specimen", "source_file")
NUMBER_OF = {"=": "value", "<": "limit", ">": "limit"}


class NewObservationSerializer(StrictSerializer):
    """One observation. ``value`` (or, with a qualifier, ``limit``) stands in ``unit``: the endpoint's unless told."""

    experiment = serializers.UUIDField()
    endpoint = serializers.UUIDField()
    observed_at = serializers.DateTimeField()
    animal = serializers.UUIDField(required=False, allow_null=True)
    cage = serializers.UUIDField(required=False, allow_null=True)
    litter = serializers.UUIDField(required=False, allow_null=True)
    timepoint = serializers.UUIDField(required=False, allow_null=True)
    value = ExactNumberField(required=False, allow_null=True)
    limit = ExactNumberField(required=False, allow_null=True)
    unit = serializers.CharField(required=False, allow_blank=True, max_length=30)
    qualifier = serializers.ChoiceField(Observation.Qualifier.choices, required=False)
    category = serializers.CharField(required=False, allow_null=True, max_length=60)
    is_time_known = serializers.BooleanField(required=False)
    side = serializers.ChoiceField(Observation.Side.choices, required=False, allow_null=True)
    reader = serializers.CharField(required=False, allow_null=True, max_length=60)
    specimen = serializers.UUIDField(required=False, allow_null=True)
    ordinal = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=32767)
    source_file = serializers.UUIDField(required=False, allow_null=True)
    source_place = serializers.CharField(required=False, allow_blank=True, max_length=120)


def take(rows: Sequence[Any], *, by: Any, is_bulk: bool) -> list[uuid.UUID]:
    """Record ``rows`` (parsed JSON) through the verb: all, or none. The ids come in the order of the rows.

    Raises:
        BulkRefused: rows are invalid (``is_bulk``).
        ValidationError: the only row is invalid.
        PermissionDenied: ``by`` may not record observations in one of the experiments.
    """
    try:
        read = _read(rows)
        _check_visible(read, by)
        with transaction.atomic():
            _record(read, by)
    except BulkRefused as refused:
        if is_bulk:
            raise
        raise _of_one_row(refused) from None
    return [new.id for _, new in read]


Read = list[tuple[uuid.UUID, NewObservation]]


def _read(rows: Sequence[Any]) -> Read:
    if not rows:
        raise RefusedRequest({WITHOUT_FIELD: ["There are no rows."]})
    problems: list[RowProblem] = []
    read = []
    for index, row in enumerate(rows):
        before = len(problems)
        values = read_row(index, row, problems)
        if len(problems) == before:
            experiment = values.pop("experiment")
            read.append((experiment, NewObservation(**values)))
    if problems:
        raise BulkRefused(problems)
    return read


def read_row(
    index: int,
    row: Any,
    problems: list[RowProblem],
    readers: Mapping[str, Callable[[Any], Any]] | None = None,
    required: Collection[str] | None = None,
) -> dict[str, Any]:
    """The values of a row of JSON by the ``readers`` of its fields (those of a new observation); the rest to ``problems``."""
    readers, required = readers or READERS, REQUIRED if required is None else required
    if not isinstance(row, dict):
        problems.append(
            RowProblem(index, WITHOUT_FIELD, str(row)[:60], "An object with the fields of one is expected.")
        )
        return {}
    values: dict[str, Any] = {}
    for name, given in row.items():
        reader = readers.get(name)
        if reader is None:
            problems.append(RowProblem(index, name, given, "There is no field of this name."))
            continue
        try:
            values[name] = given if given is None and name in NULLABLE else reader(given)
        except ValueError as error:
            problems.append(RowProblem(index, name, given, str(error)))
    for name in sorted(set(required) - row.keys()):
        problems.append(RowProblem(index, name, None, "This field is required."))
    _take_number(index, values, problems)
    return values


def _take_number(index: int, values: dict[str, Any], problems: list[RowProblem]) -> None:
    """Put ``value`` or ``limit``, whichever the qualifier asks for, into ``number``."""
    qualifier = values.get("qualifier", "=")
    used = NUMBER_OF.get(qualifier, "value")
    unused = "limit" if used == "value" else "value"
    if values.pop(unused, None) is not None:
        problems.append(RowProblem(index, unused, None, f"With the qualifier {qualifier} give {used}."))
    values["number"] = values.pop(used, None)


def _check_visible(read: Read, by: Any) -> None:
    """Rows that ``by`` may not see are answered like rows that do not exist; one query a relation."""
    problems = []
    for name in RELATIONS:
        given = [experiment if name == "experiment" else getattr(new, name) for experiment, new in read]
        keys = {key for key in given if key is not None}
        if not keys:
            continue
        related: Any = Observation._meta.get_field(name).related_model
        keys -= set(related._default_manager.visible_to(by).filter(pk__in=keys).values_list("pk", flat=True))
        told = f"There is no {related._meta.verbose_name} “%s”."
        problems += [RowProblem(i, name, key, told % key) for i, key in enumerate(given) if key in keys]
    if problems:
        raise BulkRefused(problems)


def _record(read: Read, by: Any) -> None:
    groups: dict[uuid.UUID, list[int]] = defaultdict(list)
    for index, (experiment, _) in enumerate(read):
        groups[experiment].append(index)
    experiments: Any = Observation._meta.get_field("experiment").related_model
    problems: list[RowProblem] = []
    for experiment, indexes in groups.items():
        try:
            record_observations(
                experiment=experiments.objects.get(pk=experiment), observations=[read[i][1] for i in indexes], by=by
            )
        except BulkRefused as refused:
            problems += [RowProblem(indexes[p.row], p.field, p.value, p.message) for p in refused.problems]
    if problems:
        raise BulkRefused(problems)


def _of_one_row(refused: BulkRefused) -> ValidationError:
    told: dict[str, list[str]] = defaultdict(list)
    for problem in refused.problems:
        told[FIELD_NAMES.get(problem.field, problem.field)].append(problem.message)
    return ValidationError(dict(told))


def _uuid(given: Any) -> uuid.UUID:
    try:
        return uuid.UUID(given)
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"“{str(given)[:60]}” is not a UUID.") from None


def _number(given: Any) -> Decimal:
    if type(given) not in (int, Decimal):
        raise ValueError(ExactNumberField.default_error_messages["invalid"].format(value=str(given)[:60]))
    return Decimal(given)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"“{str(given)[:60]}” is not text.")
    return given.strip()


def _truth(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError(f"“{str(given)[:60]}” is neither true nor false.")
    return given


def _ordinal(given: Any) -> int:
    if type(given) is not int:
        raise ValueError(f"“{str(given)[:60]}” is not a whole number.")
    return given


def _instant(given: Any) -> datetime:
    expected = "expected an instant with its zone, e.g. 2026-03-09T09:30:00+01:00."
    try:
        instant = parse_datetime(given) if isinstance(given, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"“{str(given)[:60]}”: {expected}")
    return instant


READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(RELATIONS, _uuid),
    **dict.fromkeys(("unit", "qualifier", "category", "side", "reader", "source_place"), _text),
    "observed_at": _instant,
    "value": _number,
    "limit": _number,
    "is_time_known": _truth,
    "ordinal": _ordinal,
}
REQUIRED = {"experiment", "endpoint", "observed_at"}
NULLABLE = {"animal", "cage", "litter", "timepoint", "value", "limit", "category", "side", "reader", "specimen"} | {
    "ordinal", "source_file"
}  # fmt: skip
