"""Cycle figures from daily vaginal smears of mice and rats. A day without a read stage is missing, never diestrus.

Read stages are proestrus, estrus, metestrus, diestrus; "few cells", "indeterminate" and days without a smear are
missing. Days are whole study days.

An estrus begins on a day read E whose day before was read and is not E. A cycle runs from the beginning of one estrus
to the beginning of the next, and its length is counted only where every day from the day before the first beginning to
the second beginning was read: otherwise an estrus could hide in the gap, or have begun in it. A record that starts in
estrus therefore counts from its second estrus, unless the day before the first day asked for is given too.

Regular is a length of 4 or 5 days (Goldman, Murr & Cooper 2007, Birth Defects Res B 80:84-97).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from experiments.rules.quantities import RuleError

REGULAR_DAYS = range(4, 6)
PERSISTENT_DIESTRUS_DAYS = 10


class Stage(StrEnum):
    """What a smear shows."""

    PROESTRUS = "P"
    ESTRUS = "E"
    METESTRUS = "M"
    DIESTRUS = "D"
    FEW_CELLS = "few_cells"
    INDETERMINATE = "indeterminate"


READ = (Stage.PROESTRUS, Stage.ESTRUS, Stage.METESTRUS, Stage.DIESTRUS)


@dataclass(frozen=True, slots=True)
class Cycle:
    """From the first day of an estrus to the first day of the next, in days."""

    began: int
    ended: int

    @property
    def days(self) -> int:
        return self.ended - self.began

    @property
    def is_regular(self) -> bool:
        return self.days in REGULAR_DAYS


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Two estruses seen one after the other whose distance is not counted, and why."""

    began: int
    ended: int
    reason: str


@dataclass(frozen=True, slots=True)
class CycleFigures:
    """Figures of one animal, with the days that they stand on.

    `percent_by_stage` is of the days read (None where none was). `is_regular` says whether every counted cycle is, None
    where none is counted. `longest_diestrus_days` is the longest run of days read D, one after the other.
    `has_persistent_diestrus` is None where it depends on what the missing days were.
    """

    first_day: int
    last_day: int
    days_read: int
    missing_days: tuple[int, ...]
    percent_by_stage: dict[str, float] | None
    cycles: tuple[Cycle, ...]
    uncounted: tuple[Uncounted, ...]
    estrus_runs: int
    longest_diestrus_days: int
    has_persistent_diestrus: bool | None

    @property
    def regular_cycles(self) -> int:
        return sum(cycle.is_regular for cycle in self.cycles)

    @property
    def is_regular(self) -> bool | None:
        return self.regular_cycles == len(self.cycles) if self.cycles else None

    @property
    def basis(self) -> str:
        """The days the figures stand on, as a sentence."""
        total = self.last_day - self.first_day + 1
        read = f"{self.days_read} of {total} days read (day {self.first_day} to {self.last_day})"
        missing = f"; missing: day {', '.join(map(str, self.missing_days))}" if self.missing_days else ""
        return f"{read}{missing}."


def cycle_figures(
    stages: Mapping[int, str | None],
    *,
    first_day: int | None = None,
    last_day: int | None = None,
    persistent_days: int = PERSISTENT_DIESTRUS_DAYS,
) -> CycleFigures:
    """Figures of `stages` by study day, from `first_day` to `last_day` (both included; else the days that are there).

    Raises RuleError for a stage that is none, for no day at all, for a last day before the first.
    """
    if not stages and (first_day is None or last_day is None):
        raise RuleError("There is no day with a stage; expected one at least.")
    first = min(stages) if first_day is None else first_day
    last = max(stages) if last_day is None else last_day
    if last < first:
        raise RuleError(f"The last day {last} lies before the first day {first}.")
    read = {day: stage for day in range(first, last + 1) if (stage := _read(day, stages.get(day)))}
    missing = tuple(day for day in range(first, last + 1) if day not in read)
    lead = _read(first - 1, stages.get(first - 1))
    cycles, uncounted = _cycles(read if lead is None else {first - 1: lead, **read}, first)
    return CycleFigures(
        first_day=first,
        last_day=last,
        days_read=len(read),
        missing_days=missing,
        percent_by_stage=_percent(read.values()),
        cycles=cycles,
        uncounted=uncounted,
        estrus_runs=len(_first_days(read)),
        longest_diestrus_days=(longest := _longest(read, first, last, missing_counts=False)),
        has_persistent_diestrus=_persistent(longest, _longest(read, first, last, missing_counts=True), persistent_days),
    )


def _read(day: int, stage: str | None) -> Stage | None:
    """The stage that was read, None where none was."""
    if stage is None:
        return None
    if stage not in {known.value for known in Stage}:
        raise RuleError(f"Day {day} has the stage {stage!r}; expected one of {', '.join(Stage)} or none.")
    return Stage(stage) if stage in READ else None


def _percent(read: Iterable[Stage]) -> dict[str, float] | None:
    stages = list(read)
    return {stage.value: 100 * stages.count(stage) / len(stages) for stage in READ} if stages else None


def _first_days(read: Mapping[int, Stage]) -> list[int]:
    """Days read E that do not follow a day read E."""
    return [day for day, stage in read.items() if stage == Stage.ESTRUS and read.get(day - 1) != Stage.ESTRUS]


def _cycles(read: Mapping[int, Stage], first: int) -> tuple[tuple[Cycle, ...], tuple[Uncounted, ...]]:
    cycles, uncounted = [], []
    for began, ended in pairwise(day for day in _first_days(read) if day >= first):
        missing = [day for day in range(began - 1, ended + 1) if day not in read]
        if missing == [first - 1]:
            reason = f"the record starts in estrus, on day {first}"
        elif missing:
            reason = f"day {', '.join(str(day) for day in missing if day >= first)} missing"
        else:
            cycles.append(Cycle(began, ended))
            continue
        uncounted.append(Uncounted(began, ended, reason))
    return tuple(cycles), tuple(uncounted)


def _longest(read: Mapping[int, Stage], first: int, last: int, *, missing_counts: bool) -> int:
    """Longest run of days read D; or of days that are D or missing, which is the longest that it can have been."""
    longest = run = 0
    for day in range(first, last + 1):
        is_diestrus = read.get(day, Stage.DIESTRUS if missing_counts else None) == Stage.DIESTRUS
        run = run + 1 if is_diestrus else 0
        longest = max(longest, run)
    return longest


def _persistent(known: int, possible: int, days: int) -> bool | None:
    if known >= days:
        return True
    return False if possible < days else None
