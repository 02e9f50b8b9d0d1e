"""Recording and correcting observations: the only way in, for sheets, assays and scripts alike."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.actions.welfare_alerts import watch
from experiments.models import Endpoint, Experiment, Observation, Specimen
from experiments.units import Ratio, UnitError, convert, ratio
from labdb.base.access import require
from labdb.base.bulk import BulkRefused, RowProblem, bulk_insert
from labdb.base.verbs import verb


@dataclass(slots=True)
class NewObservation:
    """An observation to be recorded. Relations are given by primary key.

    ``number`` is the value in ``unit``, or the quantification limit where ``qualifier`` is ``<`` or ``>``; an empty
    ``unit`` means the endpoint's canonical one.
    """

    endpoint: uuid.UUID
    observed_at: datetime
    animal: uuid.UUID | None = None
    cage: uuid.UUID | None = None
    litter: uuid.UUID | None = None
    timepoint: uuid.UUID | None = None
    number: Decimal | None = None
    unit: str = ""
    qualifier: str = "="
    category: str | None = None
    is_time_known: bool = True
    side: str | None = None
    reader: str | None = None
    specimen: uuid.UUID | None = None
    ordinal: int | None = None
    source_file: uuid.UUID | None = None
    source_place: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


TAKEN_OVER = ("id", "endpoint", "observed_at", "animal", "cage", "litter", "timepoint", "qualifier", "category") + (
    "is_time_known", "side", "reader", "specimen", "ordinal", "source_file", "source_place"
)  # fmt: skip
VALUE: Any = Observation._meta.get_field("value")
NAMES = (*TAKEN_OVER, "value", "limit", "unit", "entered_value", "entered_unit") + (
    "experiment", "recorded_by", "recorded_at", "is_current"
)  # fmt: skip


def noon(day: date) -> datetime:
    """The instant that stands for a day of which no time is known: noon, where no daylight-saving change reaches."""
    return datetime.combine(day, time(12), tzinfo=ZoneInfo(settings.TIME_ZONE))


@verb
def record_observations(*, experiment: Experiment, observations: Sequence[NewObservation], by: Any) -> int:
    """Record all of ``observations`` in ``experiment``, or none, and return their number.

    Weights and scores that reach a rule of welfare raise alerts.

    Raises:
        BulkRefused: one or more are invalid; each is named with field, value and what was expected.
        PermissionDenied: ``by`` may not record observations in the experiment.
    """
    require(by, "add", Observation(experiment=experiment))
    _check_categories(observations)
    rows = list(_rows(experiment, observations, by))
    written = bulk_insert(Observation, NAMES, rows)
    watch(experiment, ((new.id, new.endpoint, new.animal) for new in observations))
    return written


def _check_categories(observations: Sequence[NewObservation]) -> None:
    """What ``Observation.clean`` says of one row, said of all of them."""
    bound = {endpoint.pk: endpoint for endpoint in Endpoint.objects.all() if endpoint.category_problem(None)}
    problems = [
        RowProblem(index, "category", new.category, told)
        for index, new in enumerate(observations)
        if new.endpoint in bound and (told := bound[new.endpoint].category_problem(new.category))
    ]
    if problems:
        raise BulkRefused(problems)


def _of_strange_specimens(experiment: Experiment, observations: Sequence[NewObservation]) -> Iterator[RowProblem]:
    """Values that would be told of another animal than the one that the specimen was taken from."""
    named = {new.specimen for new in observations if new.specimen is not None}
    taken = Specimen.objects.filter(pk__in=named, experiment=experiment) if named else Specimen.objects.none()
    animals = dict(taken.values_list("pk", "animal"))
    for index, new in enumerate(observations):
        if new.specimen is not None and (new.animal is None or animals.get(new.specimen) != new.animal):
            told = "The specimen was not taken from this animal in this experiment."
            yield RowProblem(index, "specimen", new.specimen, told)


def _rows(experiment: Experiment, observations: Sequence[NewObservation], by: Any) -> Iterable[tuple]:
    endpoints = {pk: (key, unit) for pk, key, unit in Endpoint.objects.values_list("id", "key", "unit")}
    now, experiment_id, user_id = timezone.now(), experiment.pk, by.pk
    ratios: dict[tuple[uuid.UUID, str], Ratio | str] = {}
    problems = list(_of_strange_specimens(experiment, observations))
    for index, new in enumerate(observations):
        analyte, unit = endpoints.get(new.endpoint, ("", ""))
        if (new.endpoint, new.unit) not in ratios:
            ratios[new.endpoint, new.unit] = _ratio(new.unit or unit, unit, analyte)
        by_ratio = ratios[new.endpoint, new.unit]
        if isinstance(by_ratio, str):
            problems.append(RowProblem(index, "entered_unit", new.unit, by_ratio))
            continue
        number = new.number
        if number is not None and not isinstance(number, Decimal):
            problems.append(RowProblem(index, "value", number, f"“{number}” is not an exact number (Decimal)."))
            continue
        if number is not None and not by_ratio.is_one:
            try:
                number = _converted(number, by_ratio)
            except ValidationError as error:
                problems.append(RowProblem(index, "value", number, " ".join(error.messages)))
                continue
        value, limit = (number, None) if new.qualifier == "=" else (None, number)
        yield (
            new.id, new.endpoint, new.observed_at, new.animal, new.cage, new.litter, new.timepoint, new.qualifier,
            new.category, new.is_time_known, new.side, new.reader, new.specimen, new.ordinal, new.source_file,
            new.source_place, value, limit, unit, new.number, new.unit or unit, experiment_id, user_id, now, True,
        )  # fmt: skip
    if problems:
        raise BulkRefused(problems)


def _ratio(unit: str, canonical: str, analyte: str) -> Ratio | str:
    """How ``unit`` is converted, or why it cannot be."""
    try:
        return ratio(unit, canonical, analyte)
    except UnitError as error:
        return str(error)


def _converted(number: Decimal, by: Ratio) -> Decimal:
    """``number`` in the canonical unit. Raises ValidationError for a number that cannot be stored."""
    return convert(VALUE.clean(number, None), by)


@verb
def correct_observation(
    *,
    observation: Observation,
    reason: str,
    by: Any,
    number: Decimal | None = None,
    unit: str = "",
    qualifier: str = "=",
    category: str | None = None,
    id: uuid.UUID | None = None,
) -> Observation:
    """Replace ``observation`` by a newer one that supersedes it, with a reason; the old row stays, closed.

    ``id`` is the key of the newer one, where who sends it must know it beforehand.

    Raises:
        ValidationError: no reason, an observation that is no longer current, or an invalid value.
        PermissionDenied: ``by`` may not change observations of the experiment.
    """
    require(by, "change", observation)
    if not reason.strip():
        raise ValidationError({"reason": "A correction needs a reason."})
    newer = successor_of(observation, reason, by)
    newer.pk = id or newer.pk
    _set_value(newer, number, unit or newer.unit, qualifier, category)
    newer.save()
    watch(newer.experiment, [(newer.pk, newer.endpoint_id, newer.animal_id)])
    observation.is_current = False
    return newer


def successor_of(observation: Observation, reason: str, by: Any) -> Observation:
    """Close ``observation`` and return the row that is to supersede it, unsaved, with the same values.

    Raises ValidationError for one that is no longer current.
    """
    # The old row is closed first: only one current row may stand under the key. Counting rows decides the race.
    if not Observation.objects.filter(pk=observation.pk, is_current=True).update(is_current=False):
        raise ValidationError({"supersedes": "This observation was already corrected; correct the current one."})
    newer = Observation.objects.get(pk=observation.pk)
    newer.pk, newer._state.adding = uuid.uuid4(), True
    newer.supersedes_id, newer.reason = observation.pk, reason.strip()
    newer.is_current, newer.recorded_by, newer.recorded_at = True, by, timezone.now()
    return newer


def _set_value(row: Observation, number: Decimal | None, unit: str, qualifier: str, category: str | None) -> None:
    try:
        canonical = None if number is None else _converted(number, ratio(unit, row.unit, row.endpoint.key))
    except UnitError as error:
        raise ValidationError({"entered_unit": str(error)}) from None
    row.qualifier, row.category = qualifier, category
    row.entered_value, row.entered_unit = number, unit
    row.value, row.limit = (canonical, None) if qualifier == "=" else (None, canonical)


def planned_timepoints(experiment: Experiment) -> dict[int, uuid.UUID]:
    """The planned timepoint of every study day that lies in a timepoint's window (the nearest one where two reach it)."""
    reach: dict[int, list[tuple[int, uuid.UUID]]] = defaultdict(list)
    for point in experiment.timepoints.all():
        first, last = (point.study_day - point.window_before_days, point.study_day + point.window_after_days)
        for day in range(first, last + 1):
            reach[day].append((abs(day - point.study_day), point.pk))
    return {day: min(candidates, key=lambda c: c[0])[1] for day, candidates in reach.items()}
