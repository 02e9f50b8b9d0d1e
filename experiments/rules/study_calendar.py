"""The calendar of a study: steps on relative days, with windows and repeats, become planned dates for one day 0.

A step stands on day 0 or on another step: on its last occurrence (a transplantation on day +7 after the last dose of
induction) or on its first. Days are whole local days; day 0 is the animal's own. Where a step that others stand on was
done on another day than planned, what follows counts from the day on which it was done.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.rules.quantities import RuleError, count


class End(StrEnum):
    """Which occurrence of a repeated step others stand on."""

    FIRST = "first"
    LAST = "last"


class Status(StrEnum):
    """Where an occurrence stands today. Without having been done it is upcoming before its window, due within it,
    overdue after it, and missed once the next occurrence's window has begun or the animal's part has ended; not reached
    where that part ended before the window.
    """

    UPCOMING = "upcoming"
    DUE = "due"
    OVERDUE = "overdue"
    MISSED = "missed"
    NOT_REACHED = "not_reached"
    DONE = "done"
    DONE_EARLY = "done_early"
    DONE_LATE = "done_late"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done on the days `days` (ascending, at least one) after its anchor: day 0, or the step named `after`.

    The window reaches `before_days` before and `after_days` after the planned day, both included.
    """

    key: str
    days: tuple[int, ...]
    after: str | None = None
    after_end: End = End.LAST
    before_days: int = 0
    after_days: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """One occurrence of a step; `ordinal` counts from 1, the window includes both its days."""

    step: str
    ordinal: int
    study_day: int
    on: dt.date
    window_from: dt.date
    window_to: dt.date


@dataclass(frozen=True, slots=True)
class Standing:
    """An occurrence with its status; `days_off` is done minus planned day, None where it was not done."""

    planned: Planned
    status: Status
    done_on: dt.date | None
    days_off: int | None


Done = Mapping[tuple[str, int], dt.date]  # by step and ordinal


def every(days: int, times: int, start: int = 0) -> tuple[int, ...]:
    """Days of a step that is repeated every `days` days, `times` times in all, from day `start`; weekly is every 7."""
    every_days = count("The days between repeats", days, 1)
    return tuple(start + every_days * i for i in range(count("The number of repeats", times, 1)))


def plan(steps: Sequence[Step], day_0: dt.date, done: Done | None = None) -> list[Planned]:
    """All occurrences in the order of their dates.

    Raises RuleError for a step that stands twice or has no days or days that do not ascend, an anchor that is no step,
    and steps that stand on each other in a circle, with the path.
    """
    by_key = _checked(steps)
    dates: dict[str, list[dt.date]] = {}
    planned = []
    for step in _anchors_first(by_key):
        base = _anchor(step, day_0, dates, done or {})
        dates[step.key] = [base + dt.timedelta(days=day) for day in step.days]
        planned += [_occurrence(step, ordinal, on, day_0) for ordinal, on in enumerate(dates[step.key], 1)]
    return sorted(planned, key=lambda one: (one.on, one.step, one.ordinal))


def standings(
    steps: Sequence[Step], day_0: dt.date, today: dt.date, done: Done, ended_on: dt.date | None = None
) -> list[Standing]:
    """Every occurrence with its status today; `ended_on` is the last day of the animal's part in the study.

    Raises RuleError as `plan` does, and for something done that is not planned.
    """
    planned = plan(steps, day_0, done)
    windows = {(one.step, one.ordinal): one.window_from for one in planned}
    if unknown := sorted(done.keys() - windows.keys()):
        raise RuleError(f"Done but not planned: {', '.join(f'{step} {ordinal}' for step, ordinal in unknown)}.")
    found = []
    for one in planned:
        done_on = done.get((one.step, one.ordinal))
        following = windows.get((one.step, one.ordinal + 1))
        status = _not_done(one, today, following, ended_on) if done_on is None else _done(one, done_on)
        found.append(Standing(one, status, done_on, None if done_on is None else (done_on - one.on).days))
    return found


def _done(one: Planned, done_on: dt.date) -> Status:
    if done_on < one.window_from:
        return Status.DONE_EARLY
    return Status.DONE_LATE if done_on > one.window_to else Status.DONE


def _not_done(one: Planned, today: dt.date, following: dt.date | None, ended_on: dt.date | None) -> Status:
    if ended_on is not None and ended_on < one.window_from:
        return Status.NOT_REACHED
    if today < one.window_from:
        return Status.UPCOMING
    has_ended = ended_on is not None and ended_on < today
    if today <= one.window_to and not has_ended:
        return Status.DUE
    return Status.MISSED if has_ended or (following is not None and following <= today) else Status.OVERDUE


def _occurrence(step: Step, ordinal: int, on: dt.date, day_0: dt.date) -> Planned:
    before, after = dt.timedelta(days=step.before_days), dt.timedelta(days=step.after_days)
    return Planned(step.key, ordinal, (on - day_0).days, on, on - before, on + after)


def _anchor(step: Step, day_0: dt.date, dates: Mapping[str, list[dt.date]], done: Done) -> dt.date:
    if step.after is None:
        return day_0
    ordinal = 1 if step.after_end == End.FIRST else len(dates[step.after])
    return done.get((step.after, ordinal), dates[step.after][ordinal - 1])


def _checked(steps: Sequence[Step]) -> dict[str, Step]:
    by_key: dict[str, Step] = {}
    for step in steps:
        if step.key in by_key:
            raise RuleError(f"Step {step.key} stands twice; expected each once.")
        if not step.days or list(step.days) != sorted(set(step.days)):
            raise RuleError(f"Step {step.key} has the days {list(step.days)}; expected one or more, ascending.")
        count(f"The window of step {step.key} before its day", step.before_days)
        count(f"The window of step {step.key} after its day", step.after_days)
        by_key[step.key] = step
    for step in steps:
        if step.after is not None and step.after not in by_key:
            raise RuleError(f"Step {step.key} stands on {step.after}, which is no step.")
    return by_key


def _anchors_first(by_key: Mapping[str, Step]) -> list[Step]:
    """Each step behind the one that it stands on. Raises RuleError with the path of a circle."""
    order: dict[str, Step] = {}
    for key in by_key:
        path: list[str] = []
        at: str | None = key
        while at is not None and at not in order:
            if at in path:
                circle = [*path[path.index(at) :], at]
                raise RuleError(f"Steps stand on each other in a circle: {' → '.join(circle)}.")
            path.append(at)
            at = by_key[at].after
        order |= {one: by_key[one] for one in reversed(path)}
    return list(order.values())
