"""Alerts of weight loss: reference rules, thresholds by period, first crossing and still below."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.quantities import RuleError
from experiments.rules.welfare import Period, Reference, Rule, State, assess

D = Decimal
DAY_0 = Rule(Reference.DAY_0)


def weights(**grams: str | None) -> dict[int, Decimal | None]:
    """d0="20", m3="21" for day 0 and day -3."""
    return {int(day[1:]) * (-1 if day[0] == "m" else 1): g and D(g) for day, g in grams.items()}


def states(rule: Rule, record, **more) -> list[str]:
    return [one.state.value for one in assess(rule, record, **more)]


CROSSED, STILL, NONE, OPEN = "first_crossing", "still_below", "none", "not_assessable"


def test_an_alert_is_raised_from_twenty_percent_on():
    assert states(DAY_0, weights(d0="20", d1="16.01")) == [NONE, NONE]
    (_, found) = assess(DAY_0, weights(d0="20", d1="16.00"))
    assert (found.state, found.loss_percent, found.reference_g, found.is_alert) == (State.FIRST_CROSSING, 20, 20, True)
    assert found.sentence == ("Day 1: 16 g is 20.00 % below the reference of 20.00 g (day 0): a loss of 20 % or more.")


def test_first_crossing_still_below_and_crossing_anew():
    record = weights(d0="20", d1="15", d2="14", d3="18", d4="15", d5="15")
    assert states(DAY_0, record) == [NONE, CROSSED, STILL, NONE, CROSSED, STILL]


def test_a_missing_weight_is_said_and_ends_no_alert():
    found = assess(DAY_0, weights(d0="20", d1="15", d2=None, d3="15"))
    assert [one.state for one in found] == [NONE, CROSSED, OPEN, STILL]
    assert found[2].sentence == "Day 2: no weight; the loss is not known."


def test_without_reference_nothing_is_assessed():
    found = assess(DAY_0, weights(m1="20", d1="10"))
    assert [one.state for one in found] == [OPEN, OPEN]
    assert found[1].sentence == "Day 1: no reference weight (day 0); the loss is not known."


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (DAY_0, {0: 20, 2: 20, 9: 20}),
        (Rule(Reference.LAST_BEFORE_INDUCTION, induction_day=1), {2: 20, 9: 20}),
        (Rule(Reference.LAST_BEFORE_INDUCTION, induction_day=2), {2: 24, 9: 24}),
        (Rule(Reference.BASELINE_MEAN, baseline_days=(-3, 0)), {2: 19, 9: 19}),
        (Rule(Reference.PEAK), {-3: 18, -1: 19, 0: 20, 2: 24, 9: 24}),
        (Rule(Reference.AGE_MATCHED_CONTROL), {2: 25, 9: 26}),
    ],
)
def test_each_reference(rule, expected):
    record = weights(m3="18", m1="19", d0="20", d2="24", d9="21")
    found = assess(rule, record, control_mean_g={2: D(25), 9: D(26), 30: D(99)})
    assert {one.day: one.reference_g for one in found if one.reference_g is not None} == expected


def test_thresholds_by_period():
    rule = Rule(Reference.DAY_0, periods=(Period(8, None, D(15)), Period(0, 7, D(25))))
    record = weights(m1="10", d0="20", d7="15.2", d8="15.2", d9="17.1")
    assert states(rule, record) == [OPEN, NONE, NONE, CROSSED, NONE]
    outside = assess(Rule(Reference.PEAK, periods=(Period(5, 6, D(20)),)), weights(d0="20", d1="10"))[1]
    assert outside.state == NONE and "no threshold holds on this day" in outside.sentence


grams = st.none() | st.decimals(5, 40, places=2)


@settings(deadline=None)
@given(st.dictionaries(st.integers(-5, 30), grams, max_size=20), st.sampled_from(["15", "20", "33.3"]))
def test_alerts_are_what_a_second_computation_gives(record, percent):
    for reference in (Reference.DAY_0, Reference.PEAK):
        alert, expected, peak = False, [], 0
        for day in sorted(record):
            weight = record[day]
            peak = max(peak, weight or 0)
            base = record.get(0) if reference == Reference.DAY_0 else peak
            if weight is None or not base or (reference == Reference.DAY_0 and day < 0):
                expected.append(OPEN)
                continue
            below = Fraction(weight) <= Fraction(base) * (1 - Fraction(percent) / 100) and day >= 0
            expected.append((STILL if alert else CROSSED) if below else NONE)
            alert = below
        assert states(Rule(reference, periods=(Period(0, None, D(percent)),)), record) == expected


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: assess(DAY_0, {3: D("NaN")}), "The weight of day 3 in g is NaN; expected a finite number"),
        (lambda: assess(DAY_0, {3: D(0)}), "The weight of day 3 in g is 0; expected more than 0"),
        (lambda: assess(DAY_0, {3: 19.5}), "expected a decimal number"),
        (lambda: Rule(Reference.PEAK, (Period(0, 7, D(20)), Period(7, None, D(10)))), "from day 7 overlaps"),
        (lambda: Rule(Reference.PEAK, (Period(0, None, D(20)), Period(9, 10, D(10)))), "from day 9 overlaps"),
        (lambda: Rule(Reference.PEAK, (Period(3, 2, D(20)),)), "ends on day 2, before its first day 3"),
        (lambda: Rule(Reference.PEAK, (Period(0, 2, D(0)),)), "expected more than 0"),
        (lambda: Rule(Reference.PEAK, (Period(0, 2, D(101)),)), "expected 0 to 100 %"),
        (lambda: Rule(Reference.BASELINE_MEAN), "expected the first and the last day"),
        (lambda: Rule(Reference.BASELINE_MEAN, baseline_days=(0, -3)), "expected the first and the last day"),
    ],
)
def test_what_is_refused(make, expected):
    with pytest.raises(RuleError, match=expected):
        make()
