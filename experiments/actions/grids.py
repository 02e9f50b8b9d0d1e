"""Grids, animals × days of one endpoint: many cells recorded or corrected at once, none of them twice.

Who enters a cell makes the key of its observation. A cell that is sent again after a lost answer is known by it and
answered as the first time. A cell that holds a value by now is refused with that value; it is changed by a correction.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from experiments.actions.observations import (
    NewObservation,
    correct_observation,
    noon,
    planned_timepoints,
    record_observations,
)
from experiments.models import Endpoint, Enrolment, Experiment, Observation
from labdb.base.access import require
from labdb.base.bulk import BulkRefused, RowProblem
from labdb.base.verbs import verb

Place = tuple[uuid.UUID, date, str | None]  # animal, local day, side


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell to be recorded; ``id`` becomes the key of its observation."""

    id: uuid.UUID
    animal: uuid.UUID
    day: date
    side: str | None = None
    number: Decimal | None = None
    qualifier: str = "="
    category: str | None = None

    @property
    def place(self) -> Place:
        return self.animal, self.day, self.side


@dataclass(frozen=True, slots=True)
class CellCorrection:
    """The new value of the recorded ``observation``; ``id`` becomes the key of the one that supersedes it."""

    id: uuid.UUID
    observation: uuid.UUID
    number: Decimal | None = None
    qualifier: str = "="
    category: str | None = None


@dataclass
class GridAnswer:
    """``ids`` are recorded, now or before; ``problems`` are not, and ``standing`` is what holds their cells, by index."""

    ids: list[uuid.UUID] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    standing: dict[int, Observation] = field(default_factory=dict)


class GridRefused(BulkRefused):
    """Nothing was written; ``answer`` says of every refused cell why."""

    def __init__(self, answer: GridAnswer) -> None:
        super().__init__(answer.problems)
        self.answer = answer


@dataclass
class Standing:
    """The current observations of a grid, and which planned timepoints are taken."""

    observations: dict[Place, Observation]
    planned: dict[int, uuid.UUID]
    held: dict[tuple[uuid.UUID, str | None, uuid.UUID], Observation]

    def timepoint(self, place: Place, day_0: date | None) -> uuid.UUID | None:
        """The planned timepoint of the study day, unless the value of another day holds it."""
        animal, day, side = place
        point = self.planned.get((day - day_0).days) if day_0 else None
        return None if point is None or (animal, side, point) in self.held else point


def standing(
    experiment: Experiment, endpoint: Endpoint, animals: Iterable[uuid.UUID], days: tuple[date, date], by: Any
) -> Standing:
    """What stands in the cells of ``animals`` from the first to the last of ``days``; the latest, where a day has several."""
    planned = planned_timepoints(experiment)
    first, after = (_midnight(day) for day in (days[0], days[1] + timedelta(days=1)))
    rows = Observation.objects.visible_to(by).filter(
        Q(observed_at__gte=first, observed_at__lt=after) | Q(timepoint__in=set(planned.values())),
        experiment=experiment, endpoint=endpoint, animal__in=animals, is_current=True,
        reader=None, specimen=None, ordinal=None,
    )  # fmt: skip
    found = Standing({}, planned, {})
    for row in rows.select_related("recorded_by", "endpoint").order_by("observed_at", "recorded_at", "pk"):
        assert row.animal_id is not None
        found.observations[row.animal_id, timezone.localdate(row.observed_at), row.side] = row
        if row.timepoint_id:
            found.held[row.animal_id, row.side, row.timepoint_id] = row
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(settings.TIME_ZONE))


@verb
def record_grid(
    *,
    experiment: Experiment,
    endpoint: Endpoint,
    cells: Sequence[GridCell],
    by: Any,
    unit: str = "",
    only_valid: bool = False,
) -> GridAnswer:
    """Record all of ``cells``, or none; with ``only_valid`` all those that can be recorded.

    Only their day is known. Each gets the planned timepoint in whose window its study day lies.

    Raises:
        GridRefused: cells are invalid or hold a value by now (without ``only_valid``).
        PermissionDenied: ``by`` may not record observations in the experiment.
    """
    require(by, "add", Observation(experiment=experiment))
    answer = GridAnswer()
    wanted = _sort_out(experiment, endpoint, cells, unit, by, answer)
    _share_timepoints(wanted)
    _record_valid(experiment, wanted, answer, by)
    if answer.problems and not only_valid:
        raise GridRefused(answer)
    return answer


def _sort_out(
    experiment: Experiment, endpoint: Endpoint, cells: Sequence[GridCell], unit: str, by: Any, answer: GridAnswer
) -> dict[int, NewObservation]:
    """What is to be recorded, by index; what was sent before, and what cannot be recorded, goes to ``answer``."""
    days_0 = _days_0(experiment, cells)
    sent = Observation.objects.in_bulk([cell.id for cell in cells])
    days = [cell.day for cell in cells]
    now = standing(experiment, endpoint, days_0, (min(days), max(days)), by)
    wanted: dict[int, NewObservation] = {}
    for index, cell in enumerate(cells):
        if cell.id in sent and _is_same(sent[cell.id], experiment, endpoint, cell):
            answer.ids.append(cell.id)
        elif problem := _problem(index, cell, sent, days_0, now):
            answer.problems.append(problem)
            if cell.place in now.observations:
                answer.standing[index] = now.observations[cell.place]
        else:
            wanted[index] = _observation(cell, endpoint, unit, now.timepoint(cell.place, days_0[cell.animal]))
    return wanted


def _days_0(experiment: Experiment, cells: Sequence[GridCell]) -> dict[uuid.UUID, date | None]:
    """Day 0 of every enrolled animal. Their enrolments are held, so that two who fill the same cell come one by one."""
    held = Enrolment.objects.select_for_update(of=("self",), no_key=True)
    rows = held.filter(experiment=experiment, animal__in={cell.animal for cell in cells}).order_by("pk")
    return dict(rows.values_list("animal", "day_0"))


def _is_same(row: Observation, experiment: Experiment, endpoint: Endpoint, cell: GridCell) -> bool:
    place = (row.animal_id, timezone.localdate(row.observed_at), row.side)  # an animal is missing where it is a cage's
    return (row.experiment_id, row.endpoint_id, place) == (experiment.pk, endpoint.pk, cell.place) and (
        row.qualifier, row.entered_value, row.category) == (cell.qualifier, cell.number, cell.category)  # fmt: skip


def _problem(index: int, cell: GridCell, sent: dict, days_0: dict, now: Standing) -> RowProblem | None:
    if cell.id in sent:
        return RowProblem(index, "id", cell.id, "Another observation has this key.")
    if cell.animal not in days_0:
        return RowProblem(index, "animal", cell.animal, "The animal is not enrolled in this experiment.")
    if cell.day > timezone.localdate():
        return RowProblem(index, "day", cell.day, f"{date_format(cell.day)} is still to come.")
    there = now.observations.get(cell.place)
    if there is None:
        return None
    told = f"{there.recorded_by} has recorded {there.shown_value} here; a correction with a reason changes it."
    return RowProblem(index, "day", cell.day, told)


def _observation(cell: GridCell, endpoint: Endpoint, unit: str, timepoint: uuid.UUID | None) -> NewObservation:
    new = NewObservation(endpoint.pk, noon(cell.day), cell.animal, timepoint=timepoint, is_time_known=False, id=cell.id)
    new.side, new.number, new.unit = cell.side, cell.number, unit
    new.qualifier, new.category = cell.qualifier, cell.category
    return new


def _share_timepoints(wanted: dict[int, NewObservation]) -> None:
    """Of several days in one window, the first that was sent is the planned one; the others are recorded unplanned."""
    first: dict[tuple, datetime] = {}
    for new in wanted.values():
        if first.setdefault((new.animal, new.side, new.timepoint), new.observed_at) != new.observed_at:
            new.timepoint = None


def _record_valid(experiment: Experiment, wanted: dict[int, NewObservation], answer: GridAnswer, by: Any) -> None:
    """Record what can be; the rest is told. Each turn finds more, for the rules are asked in stages."""
    while wanted:
        indexes = list(wanted)
        try:
            record_observations(experiment=experiment, observations=list(wanted.values()), by=by)
        except BulkRefused as refused:
            answer.problems += [RowProblem(indexes[p.row], p.field, p.value, p.message) for p in refused.problems]
            for row in {p.row for p in refused.problems}:
                del wanted[indexes[row]]
        else:
            answer.ids += [new.id for new in wanted.values()]
            return


@verb
def correct_grid(
    *, experiment: Experiment, corrections: Sequence[CellCorrection], reason: str, by: Any
) -> list[uuid.UUID]:
    """Correct all of ``corrections`` for one ``reason``, or none; the keys of the observations that now stand.

    Raises:
        GridRefused: one is of no visible observation, was corrected meanwhile, or is invalid.
        ValidationError: no reason.
        PermissionDenied: ``by`` may not change observations of the experiment.
    """
    require(by, "change", Observation(experiment=experiment))
    if not reason.strip():
        raise ValidationError({"reason": "A correction needs a reason."})
    answer = GridAnswer()
    keys = {key for each in corrections for key in (each.observation, each.id)}
    known = Observation.objects.visible_to(by).filter(experiment=experiment).in_bulk(keys)
    for index, each in sorted(enumerate(corrections), key=lambda pair: pair[1].observation):
        done, row = known.get(each.id), known.get(each.observation)
        if done is not None and done.supersedes_id == each.observation and _holds(done, each):
            answer.ids.append(done.pk)
        elif row is None:
            told = f"There is no observation “{each.observation}”."
            answer.problems.append(RowProblem(index, "observation", each.observation, told))
        else:
            _correct(index, row, each, reason, by, answer)
    if answer.problems:
        raise GridRefused(answer)
    return answer.ids


def _holds(row: Observation, each: CellCorrection) -> bool:
    return (row.qualifier, row.entered_value, row.category) == (each.qualifier, each.number, each.category)


def _correct(index: int, row: Observation, each: CellCorrection, reason: str, by: Any, answer: GridAnswer) -> None:
    value = {"number": each.number, "qualifier": each.qualifier, "category": each.category}
    try:
        newer = correct_observation(observation=row, reason=reason, by=by, id=each.id, **value)  # type: ignore[arg-type]
    except ValidationError as error:
        named = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        answer.problems += [RowProblem(index, name, None, text) for name, texts in named.items() for text in texts]
        answer.standing[index] = _current(row)
    else:
        answer.ids.append(newer.pk)


def _current(row: Observation) -> Observation:
    """The observation that stands now where ``row`` stood."""
    while newer := Observation.objects.select_related("recorded_by", "endpoint").filter(supersedes=row).first():
        row = newer
    return row


def shown(row: Observation) -> dict[str, str]:
    """A recorded cell as a grid shows it: the text that would be typed, who recorded it and when."""
    number = row.value if row.qualifier == "=" else row.limit
    text = row.category if number is None else f"{'' if row.qualifier == '=' else row.qualifier}{number:f}"
    at = date_format(timezone.localtime(row.recorded_at), "DATETIME_FORMAT")
    return {"id": str(row.pk), "text": text or "", "by": str(row.recorded_by), "at": at}
