"""Relative days become dates; anchors, windows, repeats, and what is due, overdue or missed."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.quantities import RuleError
from experiments.rules.study_calendar import End, Status, Step, every, plan, standings

DAY_0 = dt.date(2024, 2, 26)  # a leap year: day 3 is 29 February
INDUCTION = Step("induction", every(2, 3))
TRANSPLANTATION = Step("transplantation", (7,), after="induction", before_days=1, after_days=2)
WEIGHING = Step("weighing", every(7, 4), after_days=1)
STEPS = [TRANSPLANTATION, WEIGHING, INDUCTION]


def on(day: int) -> dt.date:
    return DAY_0 + dt.timedelta(days=day)


def study_days(steps, step, done=None) -> list[int]:
    return [one.study_day for one in plan(steps, DAY_0, done) if one.step == step]


def test_a_step_stands_on_the_last_dose_of_another():
    assert study_days(STEPS, "induction") == [0, 2, 4]
    assert study_days(STEPS, "transplantation") == [11]
    first = Step("bleed", (1,), after="induction", after_end=End.FIRST)
    assert study_days([*STEPS, first], "bleed") == [1]
    chain = Step("necropsy", (14,), after="transplantation")
    assert study_days([chain, *STEPS], "necropsy") == [25]


def test_dates_and_windows():
    (one,) = [one for one in plan(STEPS, DAY_0) if one.step == "transplantation"]
    assert (one.on, one.window_from, one.window_to) == (dt.date(2024, 3, 8), dt.date(2024, 3, 7), dt.date(2024, 3, 10))
    assert [one.on for one in plan(STEPS, DAY_0)] == sorted(one.on for one in plan(STEPS, DAY_0))


def test_what_was_done_on_another_day_moves_what_stands_on_it():
    assert study_days(STEPS, "transplantation", {("induction", 3): on(6)}) == [13]
    assert study_days(STEPS, "transplantation", {("induction", 1): on(6)}) == [11]


def test_days_before_day_0_can_be_planned():
    assert study_days([Step("smear", every(1, 14, start=-14))], "smear") == list(range(-14, 0))


def status(today: int, done: dict | None = None, ended: int | None = None) -> dict[tuple[str, int], str]:
    found = standings(STEPS, DAY_0, on(today), done or {}, None if ended is None else on(ended))
    return {(one.planned.step, one.planned.ordinal): one.status for one in found}


def test_status_of_what_was_not_done():
    transplantation = [status(today)["transplantation", 1] for today in (9, 10, 13, 14, 40)]
    assert transplantation == ["upcoming", "due", "due", "overdue", "overdue"]
    first_weighing = [status(today)["weighing", 1] for today in (0, 1, 2, 6, 7)]
    assert first_weighing == ["due", "due", "overdue", "overdue", "missed"]


def test_after_an_animals_end_nothing_is_due():
    assert status(20, ended=5)["transplantation", 1] == Status.NOT_REACHED
    assert status(12, ended=11)["transplantation", 1] == Status.MISSED
    assert status(11, ended=11)["transplantation", 1] == Status.DUE


def test_status_of_what_was_done():
    for day, expected, off in ((9, "done_early", -2), (10, "done", -1), (13, "done", 2), (14, "done_late", 3)):
        found = standings(STEPS, DAY_0, on(20), {("transplantation", 1): on(day)})
        (one,) = [one for one in found if one.planned.step == "transplantation"]
        assert (one.status, one.days_off, one.done_on) == (expected, off, on(day))


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 20), st.integers(-50, 50), st.integers(0, 3), st.integers(-60, 700))
def test_every_occurrence_has_one_status_that_its_window_gives(gap, times, start, window, today):
    """Second computation: which side of its window today lies on."""
    step = Step("x", every(gap, times, start), before_days=window, after_days=window)
    found = standings([step], DAY_0, on(today), {})
    assert [one.planned.study_day for one in found] == [start + gap * i for i in range(times)]
    for place, one in enumerate(found):
        off = today - one.planned.study_day
        late = "missed" if place + 1 < times and off >= gap - window else "overdue"
        assert one.status == ("upcoming" if off < -window else "due" if off <= window else late)


def test_a_circle_is_refused_with_its_path():
    circle = [Step("a", (1,), after="c"), Step("b", (1,), after="a"), Step("c", (1,), after="b")]
    with pytest.raises(RuleError, match="Steps stand on each other in a circle: a → c → b → a"):
        plan(circle, DAY_0)
    with pytest.raises(RuleError, match="circle: a → c → b → a"):
        plan([Step("outside", (0,), after="a"), *circle], DAY_0)
    with pytest.raises(RuleError, match="circle: self → self"):
        plan([Step("self", (0,), after="self")], DAY_0)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Step("a", (1,)), Step("a", (2,))], "Step a stands twice"),
        ([Step("a", (1,), after="b")], "Step a stands on b, which is no step"),
        ([Step("a", ())], "expected one or more, ascending"),
        ([Step("a", (3, 3))], "expected one or more, ascending"),
        ([Step("a", (3, 1))], "expected one or more, ascending"),
        ([Step("a", (3,), before_days=-1)], "expected a whole number, 0 or more"),
    ],
)
def test_plans_that_cannot_be_are_refused(steps, expected):
    with pytest.raises(RuleError, match=expected):
        plan(steps, DAY_0)


def test_something_done_that_was_not_planned_is_refused():
    with pytest.raises(RuleError, match="Done but not planned: induction 4, irradiation 1"):
        standings(STEPS, DAY_0, DAY_0, {("induction", 4): DAY_0, ("irradiation", 1): DAY_0})
    with pytest.raises(RuleError, match="The number of repeats is 0"):
        every(7, 0)
