"""Inclusion criteria: met, not met, not assessable, each with its sentence."""

import datetime as dt
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.eligibility import Candidate, Criteria, assess, is_eligible
from experiments.rules.estrous_cycle import cycle_figures
from experiments.rules.quantities import RuleError

D = Decimal
INDUCTION = dt.date(2024, 6, 1)
ALL = Criteria(
    age_days=(42, 63), weight_g=(D(16), D(35)), sexes=("F",), strains=("C57BL/6J", "C57BL/6N"), regular_cycles=2
)
MET, NOT, OPEN = "met", "not_met", "not_assessable"


def before(days: int) -> dt.date:
    return INDUCTION - dt.timedelta(days=days)


def stages(text: str) -> dict[int, str | None]:
    """One letter a day up to the day before induction; - is missing."""
    return {i - len(text): None if letter == "-" else letter for i, letter in enumerate(text)}


def state(criteria: Criteria, **fields) -> str:
    (found,) = assess(criteria, Candidate(**fields))
    return found.state.value


def only(**criterion) -> Criteria:
    return Criteria(**{"acclimatisation_days": None} | criterion)


def test_an_animal_that_meets_all():
    candidate = Candidate(
        induction_on=INDUCTION, born_on=before(49), arrived_on=before(7), weight_g=D("18.20"), sex="F",
        strain="C57BL/6J", stages=stages("DPEMDPEMDDPEMD"),
    )  # fmt: skip
    found = assess(ALL, candidate)
    assert [one.state for one in found] == [MET] * 6 and is_eligible(found) is True
    assert [one.sentence for one in found] == [
        "49 d old at induction; 42 to 63 d are wanted.",
        "18.2 g; 16 to 35 g are wanted.",
        "The sex is F; F is wanted.",
        "The strain is C57BL/6J; C57BL/6J or C57BL/6N is wanted.",
        "7 d of acclimatisation; 7 d or more are wanted.",
        "2 regular cycles in the 14 d before induction; 2 or more are wanted; 14 of 14 days read (day -14 to -1).",
    ]


def test_an_animal_of_which_nothing_is_known():
    found = assess(ALL, Candidate())
    assert [one.state for one in found] == [OPEN] * 6 and is_eligible(found) is None
    assert found[0].sentence == "Age at induction is not known: the birth date is missing."


@pytest.mark.parametrize(("age", "expected"), [(41, NOT), (42, MET), (63, MET), (64, NOT)])
def test_the_ends_of_the_age_are_included(age, expected):
    assert state(only(age_days=(42, 63)), induction_on=INDUCTION, born_on=before(age)) == expected


@pytest.mark.parametrize(("weight", "expected"), [("15.99", NOT), ("16", MET), ("35.0", MET), ("35.01", NOT)])
def test_the_ends_of_the_weight_are_included(weight, expected):
    assert state(only(weight_g=(D(16), D(35))), weight_g=D(weight)) == expected


@pytest.mark.parametrize(("days", "expected"), [(6, NOT), (7, MET), (0, NOT)])
def test_seven_days_of_acclimatisation(days, expected):
    assert state(Criteria(), induction_on=INDUCTION, arrived_on=before(days)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DPEMDPEMDDPEMD", MET),
        ("DPEMDPEMDDDDDD", NOT),
        ("EMDDPEMDDPEMDD", OPEN),  # the first estrus may have begun earlier: 1 cycle counted, 2 if it did not
        ("PEMDDPEMDDPEMDD", MET),  # the day before the 14 days tells that it did not
        ("DPEMDPEM-DPEMD", OPEN),
        ("DDDDDDD-DDDDDD", NOT),  # one missing day cannot hide two cycles
        ("DPEMDPEM", OPEN),
        ("DDDDDDDDDDDDDD", NOT),
    ],
)
def test_two_regular_cycles_in_fourteen_days(text, expected):
    assert state(only(regular_cycles=2), stages=stages(text)) == expected


@st.composite
def records(draw) -> str:
    """14 days of mostly regular cycles, up to 3 of them missing."""
    pieces = draw(st.lists(st.sampled_from(["PEMD", "PEMDD", "PEEMD", "PEMDDD", "DDDD"]), min_size=6, max_size=6))
    start, gaps = draw(st.integers(0, 5)), draw(st.sets(st.integers(0, 13), max_size=3))
    return "".join("-" if i in gaps else letter for i, letter in enumerate("".join(pieces)[start : start + 14]))


@settings(max_examples=100, deadline=None)
@given(records(), st.integers(1, 3))
def test_what_is_said_holds_whatever_the_missing_days_were(text, wanted):
    """Second computation: every way to fill the gaps and the day before."""
    found = state(only(regular_cycles=wanted), stages=stages(text))
    gaps, possible = [i for i, letter in enumerate(text) if letter == "-"], set()
    for filling in product("ED", repeat=len(gaps)):
        letters = list(text)
        for place, letter in zip(gaps, filling, strict=True):
            letters[place] = letter
        for lead in "ED":
            figures = cycle_figures(stages(lead + "".join(letters)), first_day=-14)
            possible.add(figures.regular_cycles >= wanted)
    if found != OPEN:
        assert possible == {found == MET}


def test_one_criterion_that_is_not_met_decides():
    found = assess(ALL, Candidate(sex="M"))
    assert is_eligible(found) is False
    assert [one.criterion for one in found if one.state == NOT] == ["sex"]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Criteria(age_days=(63, 42)), "expected the lower number first"),
        (lambda: Criteria(weight_g=(D("NaN"), D(1))), "expected a finite number"),
        (lambda: Criteria(acclimatisation_days=-1), "expected a whole number"),
        (lambda: assess(ALL, Candidate(weight_g=D("Infinity"))), "expected a finite number"),
        (lambda: assess(ALL, Candidate(induction_on=before(3), born_on=INDUCTION)), "lies after the day of induction"),
    ],
)
def test_what_is_refused(make, expected):
    with pytest.raises(RuleError, match=expected):
        make()
