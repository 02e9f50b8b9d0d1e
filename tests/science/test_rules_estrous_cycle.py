"""Cycle figures: gaps are missing, never diestrus, and no length is counted over a day on which an estrus could hide."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.estrous_cycle import READ, Stage, cycle_figures
from experiments.rules.quantities import RuleError

WORDS = {"-": None, "f": "few_cells", "i": "indeterminate"}


def days(text: str, first: int = 1) -> dict[int, str | None]:
    """One letter a day: P E M D, f few cells, i indeterminate, - nothing."""
    return {day: WORDS.get(letter, letter) for day, letter in enumerate(text, first)}


def lengths(text: str) -> list[int]:
    return [cycle.days for cycle in cycle_figures(days(text)).cycles]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DPEMDPEMDDPE", [4, 5]),
        ("EMDPEMDPE", [4]),  # the record starts in estrus: when that began is not known
        ("PEEMDPEEMDPE", [5, 5]),
        ("PEM-PEMDPE", [4]),  # an estrus could hide in the gap
        ("P-EMDPEMDPE", [4]),  # the first estrus could have begun in the gap
        ("PEMDP-EMDPE", []),  # the second estrus could have begun in the gap, so the third's distance is open too
        ("PEMfPEMiPE", []),
        ("DDDDDDDDDDDD", []),
        ("PEMDE", [3]),
        ("E", []),
    ],
)
def test_lengths_are_counted_where_no_estrus_can_hide(text, expected):
    assert lengths(text) == expected


def test_what_is_not_counted_says_why():
    figures = cycle_figures(days("EMDPEM-PEMfiPE"))
    told = [(one.began, one.ended, one.reason) for one in figures.uncounted]
    assert told == [
        (1, 5, "the record starts in estrus, on day 1"),
        (5, 9, "day 7 missing"),
        (9, 14, "day 11, 12 missing"),
    ]
    assert figures.basis == "11 of 14 days read (day 1 to 14); missing: day 7, 11, 12."


def test_the_day_before_the_first_tells_when_an_estrus_began():
    stages = days("PEMDPE", first=0)
    assert [cycle.days for cycle in cycle_figures(stages, first_day=1, last_day=5).cycles] == [4]
    assert cycle_figures(stages | {0: "E"}, first_day=1).cycles == ()
    assert cycle_figures(stages | {0: None}, first_day=1).uncounted[0].reason.startswith("the record starts")


def test_percentages_are_of_the_days_read():
    figures = cycle_figures(days("DDDE-f"))
    assert figures.percent_by_stage == {"P": 0, "E": 25, "M": 0, "D": 75}
    assert (figures.days_read, figures.missing_days) == (4, (5, 6))
    none = cycle_figures(days("-fi"))
    assert none.percent_by_stage is None and none.is_regular is None


def test_days_between_and_around_are_missing():
    figures = cycle_figures({2: "D", 5: "D"}, first_day=0, last_day=6)
    assert figures.missing_days == (0, 1, 3, 4, 6)


def test_persistent_diestrus_is_known_only_where_the_gaps_cannot_matter():
    def known(text):
        return cycle_figures(days(text)).has_persistent_diestrus

    assert known("D" * 10) is True
    assert known("D" * 9) is False
    assert known("D" * 5 + "-" + "D" * 4) is None
    assert known("D" * 5 + "f" + "D" * 3 + "E") is False
    assert known("D" * 10 + "-") is True
    assert known("DDDDDMDDDDD") is False
    assert cycle_figures(days("D" * 5 + "-" + "D" * 4)).longest_diestrus_days == 5


def test_regular_is_four_or_five_days():
    assert [cycle_figures(days("PEMDPE")).is_regular, cycle_figures(days("PEMDDPE")).is_regular] == [True, True]
    assert cycle_figures(days("PEMDDDPE")).is_regular is False
    mixed = cycle_figures(days("PEMDPEMDDDDPE"))
    assert (mixed.regular_cycles, len(mixed.cycles), mixed.is_regular) == (1, 2, False)


@settings(max_examples=150, deadline=None)
@given(st.text("PEMD-", min_size=1, max_size=9).filter(lambda text: text.count("-") <= 3))
def test_figures_hold_whatever_the_missing_days_were(text):
    """Second computation: every way to fill the gaps, and the day before. What is said must hold in each."""
    figures = cycle_figures(days(text))
    gaps = [i for i, letter in enumerate(text) if letter == "-"]
    runs = set()
    for filling in product("PEMD", repeat=len(gaps)):
        letters = list(text)
        for place, letter in zip(gaps, filling, strict=True):
            letters[place] = letter
        full = "".join(letters)
        onsets = {i + 1 for i, x in enumerate(full) if x == "E" and (i == 0 or full[i - 1] != "E")}
        for cycle in figures.cycles:
            assert {cycle.began, cycle.ended} <= onsets
            assert not [day for day in onsets if cycle.began < day < cycle.ended]
        runs.add(max(map(len, "".join(x if x == "D" else " " for x in full).split()), default=0))
    assert figures.longest_diestrus_days <= min(runs)
    for needed in range(1, 10):
        found = cycle_figures(days(text), persistent_days=needed).has_persistent_diestrus
        answers = {run >= needed for run in runs}
        assert found == (answers.pop() if len(answers) == 1 else None)


@settings(deadline=None)
@given(st.text("PEMDfi-", min_size=1, max_size=40))
def test_days_are_read_or_missing(text):
    figures = cycle_figures(days(text), first_day=1, last_day=len(text))
    assert figures.days_read + len(figures.missing_days) == len(text)
    assert figures.percent_by_stage is None or sum(figures.percent_by_stage.values()) == pytest.approx(100)
    assert all(not {Stage(s) for s in READ} & {days(text)[day]} for day in figures.missing_days)


def test_what_is_no_stage_is_refused():
    with pytest.raises(RuleError, match=r"Day 3 has the stage 'X'; expected one of P, E, M, D, few_cells"):
        cycle_figures({3: "X"})
    with pytest.raises(RuleError, match="no day with a stage"):
        cycle_figures({})
    with pytest.raises(RuleError, match="The last day 1 lies before the first day 2"):
        cycle_figures({3: "D"}, first_day=2, last_day=1)
