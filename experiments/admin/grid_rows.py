"""The rows of a grid: animals by cage and id, never by arm, with what stands in their cells and what stood before."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format

from experiments.actions.grids import Standing, shown, standing
from experiments.admin.numbers import told_decimal
from experiments.models import Disposition, Endpoint, Enrolment, Experiment, Housing, Observation

NO_CAGE = "no cage recorded"
Column = tuple[date, str | None]  # day, side


@dataclass(frozen=True)
class Value:
    """An earlier value: as told, exact, and of which day."""

    told: str
    exact: str
    day: date
    when: str


@dataclass
class Cell:
    day: date
    side: str | None
    label: str  # for who hears the page
    timepoint: str
    note: str
    recorded: dict[str, str] | None
    is_open: bool


@dataclass
class Row:
    animal: Any
    cage: str
    study_day: int | None
    cells: list[Cell]
    last: Value | None = None
    reference: Value | None = None


def animals_by_cage(experiment: Experiment, day: date, user: Any) -> list[tuple[str, Enrolment]]:
    """Every enrolled animal with its cage on ``day``, in the order of both."""
    rows = Enrolment.objects.visible_to(user).filter(experiment=experiment).select_related("animal", "disposition")
    lived = Housing.objects.visible_to(user).filter(
        Q(ended_on=None) | Q(ended_on__gt=day), animal__enrolments__experiment=experiment, started_on__lte=day
    )
    cages = dict(lived.values_list("animal", "cage__label"))
    found = [(cages.get(row.animal_id, NO_CAGE), row) for row in rows]
    return sorted(found, key=lambda pair: (pair[0] == NO_CAGE, in_order(pair[0]), in_order(pair[1].animal.lab_id)))


def in_order(text: str) -> list[Any]:
    """A key that sorts M2 before M10."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", text)]


def grid_rows(
    experiment: Experiment,
    endpoint: Endpoint,
    columns: Sequence[Column],
    animals: Sequence[tuple[str, Enrolment]],
    user: Any,
) -> list[Row]:
    """A row for every animal with a cell that holds a value or may be filled: it lived on one of the days."""
    days = [day for day, _ in columns]
    keys = [enrolment.animal_id for _, enrolment in animals]
    now = standing(experiment, endpoint, keys, (min(days), max(days)), user)
    labels = dict(experiment.timepoints.values_list("pk", "label"))
    rows = []
    for cage, enrolment in animals:
        cells = [_cell(enrolment, column, now, labels) for column in columns]
        if any(cell.is_open or cell.recorded for cell in cells):
            rows.append(Row(enrolment.animal, cage, _study_day(enrolment, days[0]), cells))
    return rows


def _study_day(enrolment: Enrolment, day: date) -> int | None:
    return (day - enrolment.day_0).days if enrolment.day_0 else None


def _cell(enrolment: Enrolment, column: Column, now: Standing, labels: dict[uuid.UUID, str]) -> Cell:
    day, side = column
    there = now.observations.get((enrolment.animal_id, day, side))
    study_day = _study_day(enrolment, day)
    point = now.planned.get(study_day) if study_day is not None else None
    holder = now.held.get((enrolment.animal_id, side, point)) if point else None
    label, note = labels.get(point, "") if point else "", ""
    if point and holder is not None and holder is not there:
        held_on = date_format(timezone.localtime(holder.observed_at), "DATE_FORMAT")
        label, note = "", f"{labels[point]} is held by the value of {held_on}: this one is recorded unplanned."
    told = f"{enrolment.animal}, {date_format(day)}" + ({"L": ", left", "R": ", right"}.get(side or "", ""))
    is_open = _lives(enrolment, day) and day <= timezone.localdate()
    return Cell(day, side, told, label, note, shown(there) if there else None, is_open)


def _lives(enrolment: Enrolment, day: date) -> bool:
    end: Disposition | None = getattr(enrolment, "disposition", None)
    return end is None or end.kind == Disposition.Kind.SURVIVED or end.occurred_on >= day


def add_earlier_values(
    rows: Sequence[Row], experiment: Experiment, endpoint: Endpoint, day: date, user: Any, *, has_reference: bool
) -> None:
    """The last value before ``day``, and the one that the animal is compared with: of day 0, else its first."""
    recorded = Observation.objects.visible_to(user).filter(
        experiment=experiment, endpoint=endpoint, animal__in=[row.animal.pk for row in rows], is_current=True,
        side=None, reader=None, specimen=None, ordinal=None, value__isnull=False,
    )  # fmt: skip
    earlier = recorded.annotate(day=TruncDate("observed_at")).filter(day__lt=day)
    last = _one_each(earlier.order_by("animal", "-observed_at"), day)
    reference: dict[uuid.UUID, Value] = {}
    if has_reference:
        weighed = earlier.filter(value__gt=0).order_by("animal", "observed_at")
        own = Q(animal__enrolments__experiment=experiment, day=F("animal__enrolments__day_0"))
        reference = _one_each(weighed, day) | _one_each(weighed.filter(own), day)
    for row in rows:
        row.last, row.reference = last.get(row.animal.pk), reference.get(row.animal.pk)


def _one_each(rows: Any, day: date) -> dict[uuid.UUID, Value]:
    found: dict[uuid.UUID, Value] = {}
    for animal, value, on in rows.distinct("animal").values_list("animal", "value", "day"):
        found[animal] = _value(value, on, day)
    return found


def _value(value: Decimal, on: date, day: date) -> Value:
    before = (day - on).days
    when = "yesterday" if before == 1 and day == timezone.localdate() else f"{before} d before"
    return Value(told_decimal(value), f"{value:f}", on, when)
