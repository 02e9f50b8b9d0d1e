"""Confirmation of POI: k of n locked criteria, with thresholds of the controls and intervals for censored values."""

import math
import random
import statistics
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.control_thresholds import Measured, above_mean, below_mean, share_of_mean
from experiments.rules.poi_confirmation import (
    Animal,
    Criteria,
    Criterion,
    Kind,
    Verdict,
    assess,
    confirm,
    thresholds,
)
from experiments.rules.quantities import RuleError, State

D = Decimal
FOUR = (
    Criterion("diestrus", Kind.PERSISTENT_DIESTRUS, D(10)),
    Criterion("fsh", Kind.ABOVE_CONTROL, D(2), ("FSH",)),
    Criterion("e2_or_amh", Kind.BELOW_CONTROL, D(2), ("E2", "AMH")),
    Criterion("follicles", Kind.LOSS, D(50), ("follicles",)),
)
LOCKED = Criteria(2, FOUR)


def measured(*texts: str) -> list[Measured]:
    return [Measured(D(t.lstrip("<>")), t[0] if t[0] in "<>" else "=") for t in texts]


CONTROLS = {
    "FSH": measured("8", "10", "12"),  # mean 10, SD 2: above 14
    "E2": measured("28", "30", "32"),  # below 26
    "AMH": measured("45", "50", "55"),  # below 40
    "follicles": measured("90", "100", "110"),  # 50 or fewer
}
MADE = thresholds(LOCKED, CONTROLS)
DIESTRUS, CYCLING = dict.fromkeys(range(10), "D"), dict(enumerate("PEMDPEMDPE"))


def animal(stages=None, **values: str) -> Animal:
    return Animal("M1", {key: measured(value)[0] for key, value in values.items()}, stages)


def states(subject: Animal, criteria: Criteria = LOCKED, made=MADE) -> list[str]:
    return [assessment.state.value for assessment in confirm(criteria, made, subject).assessments]


MET, NOT, OPEN = "met", "not_met", "not_assessable"


@pytest.mark.parametrize(
    ("fsh", "state"),
    [("14", NOT), ("14.0001", MET), ("<14", NOT), ("<14.5", OPEN), (">14", MET), (">13.9", OPEN), (">0", OPEN)],
)
def test_fsh_is_above_the_mean_and_two_sd(fsh, state):
    assert states(animal(FSH=fsh))[1] == state


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"E2": "26", "AMH": "40"}, NOT),
        ({"E2": "25.99"}, MET),
        ({"E2": "26"}, OPEN),  # AMH was not measured and could be below
        ({"E2": "<26", "AMH": "90"}, MET),
        ({"E2": "<27", "AMH": "40"}, OPEN),
        ({"E2": ">26", "AMH": ">40"}, NOT),
        ({"E2": ">20", "AMH": "39"}, MET),
    ],
)
def test_e2_or_amh_is_below_the_mean_less_two_sd(values, state):
    assert states(animal(**values))[2] == state


@pytest.mark.parametrize(
    ("count", "state"),
    [("50", MET), ("50.01", NOT), ("0", MET), ("<50", MET), ("<51", OPEN), (">50", NOT), (">49", OPEN)],
)
def test_loss_of_follicles_is_a_share_of_the_mean(count, state):
    assert states(animal(follicles=count))[3] == state


def test_persistent_diestrus_with_a_gap_is_not_assessable():
    assert states(animal(DIESTRUS))[0] == MET
    assert states(animal(CYCLING))[0] == NOT
    assert states(animal(DIESTRUS | {4: None}))[0] == OPEN
    assert states(animal())[0] == OPEN


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        (animal(DIESTRUS, FSH="20"), Verdict.CONFIRMED),
        (animal(DIESTRUS, FSH="10"), Verdict.UNDETERMINED),
        (animal(), Verdict.UNDETERMINED),
        (animal(CYCLING, FSH="10", follicles="90"), Verdict.NOT_CONFIRMED),
        (animal(CYCLING, FSH="10", E2="30", follicles="10"), Verdict.UNDETERMINED),
        (animal(CYCLING, FSH="10", E2="30", AMH="50", follicles="10"), Verdict.NOT_CONFIRMED),
    ],
)
def test_the_verdict_counts_what_can_still_be_met(subject, verdict):
    assert confirm(LOCKED, MADE, subject).verdict == verdict


@settings(deadline=None)
@given(st.lists(st.sampled_from([MET, NOT, OPEN]), min_size=1, max_size=5), st.integers(1, 5))
def test_a_verdict_holds_for_whatever_the_missing_criteria_would_say(wanted, k):
    """Second computation: both answers for each criterion that is not assessable."""
    value = {MET: "20", NOT: "10", OPEN: "<90"}
    criteria = Criteria(
        min(k, len(wanted)), tuple(Criterion(f"c{i}", Kind.ABOVE_CONTROL, D(2), (f"e{i}",)) for i in range(len(wanted)))
    )
    made = thresholds(criteria, {f"e{i}": CONTROLS["FSH"] for i in range(len(wanted))})
    subject = animal(**{f"e{i}": value[state] for i, state in enumerate(wanted)})
    reachable = range(wanted.count(MET), wanted.count(MET) + wanted.count(OPEN) + 1)
    answers = {met >= criteria.k for met in reachable}
    expected = {True: Verdict.CONFIRMED, False: Verdict.NOT_CONFIRMED}[answers.pop()] if len(answers) == 1 else None
    assert confirm(criteria, made, subject).verdict == (expected or Verdict.UNDETERMINED)


exact_values = st.lists(st.decimals(0, 500, places=3), min_size=2, max_size=9)


@settings(deadline=None)
@given(exact_values)
def test_thresholds_of_exact_controls_are_one_number(values):
    controls = [Measured(value) for value in values]
    mean, sd = float(statistics.mean(values)), float(statistics.stdev(values))
    above, below = above_mean(controls, D(2)), below_mean(controls, D("1.5"))
    for threshold, expected in ((above, mean + 2 * sd), (below, mean - 1.5 * sd)):
        assert float(threshold.lowest) == pytest.approx(expected, abs=1e-9)
        assert abs(threshold.highest - threshold.lowest) < D("1e-30")
        assert (threshold.n, threshold.n_censored) == (len(values), 0)
        assert (float(threshold.mean), float(threshold.sd)) == pytest.approx((mean, sd))


@settings(deadline=None)
@given(
    exact_values,
    st.lists(st.tuples(st.decimals(1, 500, places=2), st.booleans()), min_size=1, max_size=4),
    st.integers(0, 10**6),
)
def test_thresholds_of_censored_controls_hold_whatever_these_were(exact, censored, number):
    """Second computation: numbers drawn from the intervals, and both their ends."""
    controls = [*map(Measured, exact), *(Measured(limit, "<" if low else ">") for limit, low in censored)]
    above, below, share = above_mean(controls, D(2)), below_mean(controls, D(2)), None
    if any(value > 0 for value in exact):
        share = share_of_mean(controls, D(40))
    dice = random.Random(number)
    for draw in range(30):
        pick = [0.0, 1.0][draw] if draw < 2 else None
        filled = [float(value) for value in exact]
        for limit, low in censored:
            part = dice.random() if pick is None else pick
            filled.append(float(limit) * part if low else float(limit) * (1 + 5 * part))
        mean, sd = statistics.fmean(filled), statistics.stdev(filled)
        for threshold, true in ((above, mean + 2 * sd), (below, mean - 2 * sd), (share, 0.4 * mean)):
            if threshold is not None:
                assert threshold.lowest is None or float(threshold.lowest) <= true + 1e-9
                assert threshold.highest is None or float(threshold.highest) >= true - 1e-9
    assert above.mean is None and above.sd is None and above.n_censored == len(censored)


def test_the_least_sd_is_that_of_the_nearest_numbers():
    """10, 20, <12: nearest to each other the third is 12, for the mean lies above: SD of 10, 12, 20."""
    least = above_mean(measured("10", "20", "<12"), D(1))
    mean_of_lowest = 10
    assert float(least.lowest) == pytest.approx(mean_of_lowest + statistics.stdev([10, 12, 20]))
    assert above_mean(measured("10", "20", ">12"), D(1)).highest is None


def test_a_qualifier_is_never_dropped():
    """Cast to 14.5, a value of <14.5 would be above 14; cast to its limit, a control of <12 would be 12."""
    assert states(animal(FSH="<14.5"))[1] == OPEN
    made = thresholds(LOCKED, CONTROLS | {"FSH": measured("8", "10", "<12")})
    assert made["fsh", "FSH"].mean is None
    assert states(animal(FSH="13"), made=made)[1] == OPEN
    assert states(animal(FSH="60"), made=made)[1] == MET


def test_without_controls_nothing_is_assessed_and_the_reason_is_said():
    made = thresholds(LOCKED, {"FSH": measured("8"), "follicles": measured("0", "0")})
    found = assess(FOUR[1], made, animal(FSH="99"))
    assert (found.state, found.sentence) == (
        State.NOT_ASSESSABLE,
        "FSH: control values are too few, 1 where 2 or more are needed.",
    )
    assert "the control mean can be 0" in assess(FOUR[3], made, animal(follicles="0")).sentence


def test_sentences_show_value_threshold_and_controls():
    said = {a.criterion: a.sentence for a in confirm(LOCKED, MADE, animal(DIESTRUS, FSH="20", E2="<20")).assessments}
    assert said["fsh"] == "FSH 20 is above 14.000 (n = 3, mean 10.000, SD 2.000)."
    assert said["e2_or_amh"] == "E2 <20 is below 26.000 (n = 3, mean 30.000, SD 2.000). AMH was not measured."
    assert said["diestrus"].startswith("Longest run of diestrus 10 d where 10 d are needed; 10 of 10 days read")


def test_another_list_has_another_digest():
    assert LOCKED.digest() == Criteria(2, FOUR[::-1]).digest()
    others = {Criteria(3, FOUR).digest(), Criteria(2, FOUR[:3]).digest(), LOCKED.digest()}
    changed = Criterion("fsh", Kind.ABOVE_CONTROL, D(3), ("FSH",))
    assert len(others | {Criteria(2, (FOUR[0], changed, *FOUR[2:])).digest()}) == 4


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Criteria(5, FOUR), "5 criteria must be met, but there are 4"),
        (lambda: Criteria(0, FOUR), "expected a whole number, 1 or more"),
        (lambda: Criteria(1, (FOUR[0], FOUR[0])), "name one twice"),
        (lambda: Criteria(1, (Criterion("a", Kind.LOSS, D(120), ("x",)),)), "expected 0 to 100 %"),
        (lambda: Criteria(1, (Criterion("a", Kind.LOSS, D(20)),)), "expected one at least"),
        (lambda: Criteria(1, (Criterion("a", Kind.PERSISTENT_DIESTRUS, D("1.5")),)), "expected whole days"),
        (lambda: Criteria(1, (Criterion("a", Kind.ABOVE_CONTROL, D("NaN"), ("x",)),)), "finite"),
        (lambda: Measured(D("NaN")), "expected a finite number"),
        (lambda: Measured(D(-1)), "expected 0 or more"),
        (lambda: Measured(D(1), "~"), "expected =, < or >"),
        (lambda: Measured(math.inf), "expected a decimal number"),
    ],
)
def test_what_is_refused(make, expected):
    with pytest.raises(RuleError, match=expected):
        make()
