"""What follows from recorded rows by the pure rules: how cells of a batch multiplied, how an animal cycled."""

import datetime as dt
import uuid
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from experiments.models import Enrolment, IsolationBatch, Observation, Passage
from experiments.rules.estrous_cycle import CycleFigures, cycle_figures
from experiments.rules.expansion import doubling_time_h, passage_warning, population_doublings

STAGE = "estrous_stage"


@dataclass(frozen=True)
class Grown:
    """A passage with its doublings, those since the first passage of its line, and hours a doubling; None is not known."""

    passage: Passage
    doublings: float | None
    cumulative_doublings: float | None
    doubling_time_h: float | None
    warning: str


def expansion_of(batch: IsolationBatch) -> list[Grown]:
    """The passages of ``batch``, each after the one that it came from. One query."""
    rows = list(Passage.objects.filter(batch=batch).order_by("number", "seeded_at", "label"))
    own = {row.pk: _doublings(row) for row in rows}
    since: dict[Any, float | None] = {None: 0.0}
    for row in rows:
        before, now = since.get(row.previous_id), own[row.pk]
        since[row.pk] = None if before is None or now is None else before + now
    return [Grown(row, own[row.pk], since[row.pk], _doubling_time_h(row), _warning(row)) for row in rows]


def _doublings(row: Passage) -> float | None:
    seeded, harvested = _cells(row.seeded_cells), _cells(row.harvested_cells)
    return population_doublings(seeded, harvested) if seeded and harvested else None


def _doubling_time_h(row: Passage) -> float | None:
    seeded, harvested = _cells(row.seeded_cells), _cells(row.harvested_cells)
    if not seeded or not harvested or row.harvested_at is None:
        return None
    return doubling_time_h((row.harvested_at - row.seeded_at) / dt.timedelta(hours=1), seeded, harvested)


def _cells(number: Decimal | None) -> int | None:
    return None if number is None else round(number)


def _warning(row: Passage) -> str:
    found = passage_warning(row.number)
    return found.message if found else ""


@dataclass(frozen=True)
class Cycled:
    """Figures of an animal's cycle by study day. Days on which readers told different stages count as missing."""

    figures: CycleFigures
    disputed_days: tuple[int, ...]


def cycles_of(enrolments: list[Enrolment], person: Any) -> dict[uuid.UUID, Cycled]:
    """Figures by enrolment, of those with a day 0 and at least one stage that ``person`` sees. One query."""
    day_0 = {(row.experiment_id, row.animal_id): row for row in enrolments if row.day_0}
    rows = Observation.objects.visible_to(person).filter(
        animal__in={row.animal_id for row in enrolments}, endpoint__key=STAGE, is_current=True, category__isnull=False
    )
    stages: dict[uuid.UUID, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for experiment, animal, at, stage in rows.values_list("experiment", "animal", "observed_at", "category"):
        enrolment = day_0.get((experiment, animal))
        if enrolment is not None and enrolment.day_0 is not None and stage is not None:
            stages[enrolment.pk][(timezone.localdate(at) - enrolment.day_0).days].add(stage)
    return {key: _cycled(told) for key, told in stages.items()}


def _cycled(told: dict[int, set[str]]) -> Cycled:
    disputed = tuple(sorted(day for day, stages in told.items() if len(stages) > 1))
    one = {day: None if day in disputed else next(iter(stages)) for day, stages in told.items()}
    return Cycled(cycle_figures(one), disputed)
