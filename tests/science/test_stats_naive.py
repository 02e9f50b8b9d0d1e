"""A second, naive implementation in exact fractions: ties, n = 1 and 2, huge offsets, tiny variances, unbalanced
arms.
"""

import math
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample
from experiments.stats.base.vocabulary import Estimate, Scale

WIDE = Context(prec=200, traps=[Inexact])
OFFSETS = st.sampled_from(["0", "0", "1000000000000", "-1000000000000", "123456789012345678901234567890", "0.000001"])
STEPS = st.sampled_from(["1", "0.1", "0.01", "0.0000001", "1E-30", "1E+20"])


@st.composite
def arms(draw: st.DrawFn, smallest: int = 1, count: int = 3) -> list[list[Decimal]]:
    """Arms on one lattice, offset + k * step: few distinct k make ties, a huge offset leaves the step in the last
    digits.
    """
    offset, step = Decimal(draw(OFFSETS)), Decimal(draw(STEPS))
    ticks = st.integers(0, draw(st.sampled_from([2, 10, 100_000])))
    columns = [draw(st.lists(ticks, min_size=smallest, max_size=12)) for _ in range(draw(st.integers(2, count)))]
    return [[WIDE.add(offset, WIDE.multiply(step, Decimal(k))) for k in column] for column in columns]


def mean(values: list[Fraction]) -> Fraction:
    return sum(values) / len(values)


def squares(values: list[Fraction]) -> Fraction:
    centre = mean(values)
    return sum((value - centre) ** 2 for value in values)


def variance(values: list[Fraction]) -> Fraction:
    return squares(values) / (len(values) - 1)


def root(value: Fraction) -> float:
    """Square root of a fraction to rounding: integers hold what a float would drop."""
    shift = max(0, 200 - value.numerator.bit_length() + value.denominator.bit_length()) // 2 * 2 + 2
    return float(Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << shift // 2))


def estimates(
    columns: list[list[Decimal]], scale: Scale = Scale.IDENTITY, **options
) -> dict[tuple[str, str | None], Estimate]:
    samples = [Sample.from_decimals(str(i), column) for i, column in enumerate(columns)]
    pairs = [(str(i), "0") for i in range(1, len(columns))]
    return {(e.quantity, e.arm): e for e in summarise(samples, pairs=pairs, scale=scale, **options)}


def close(found: float | None, exact: Fraction | float, rel: float = 1e-12) -> bool:
    return found is not None and found == pytest.approx(float(exact), rel=rel, abs=0)


def same_f(found: float | None, exact: Fraction) -> bool:
    """F is a squared difference over its error: what double precision keeps is the digits of its root."""
    return found is not None and math.sqrt(found) == pytest.approx(root(exact), rel=1e-13, abs=1e-13)


@given(arms())
@settings(max_examples=150, deadline=None)
def test_description_equals_fractions(columns: list[list[Decimal]]) -> None:
    found = estimates(columns, keys=["description", "quantiles"])
    for arm, column in enumerate(columns):
        values = sorted(map(Fraction, column))
        assert close(found["mean", str(arm)].estimate, mean(values), 1e-15) or abs(mean(values)) < 1e-9
        if len(values) == 1:
            assert found["sd", str(arm)].refused == "n too small: 1, at least 2 needed"
            assert found["mean", str(arm)].lower is None and "n too small" in found["mean", str(arm)].warnings[0]
        else:
            assert close(found["sd", str(arm)].estimate, root(variance(values)))
            assert close(found["sem", str(arm)].estimate, root(variance(values) / len(values)))
        for quantity, p in (("q1", Fraction(1, 4)), ("median", Fraction(1, 2)), ("q3", Fraction(3, 4))):
            place = (len(values) - 1) * p
            low, high = values[math.floor(place)], values[math.ceil(place)]
            assert close(found[quantity, str(arm)].estimate, low + (place % 1) * (high - low), 1e-15)


@given(arms(smallest=2))
@settings(max_examples=150, deadline=None)
def test_classical_anova_equals_fractions(columns: list[list[Decimal]]) -> None:
    test = estimates(columns, keys=["classical_anova"])["classical_anova", None]
    groups = [list(map(Fraction, column)) for column in columns]
    pooled = [value for group in groups for value in group]
    within = sum(squares(group) for group in groups)
    if within == 0:
        assert test.refused == "all values equal within every arm"
        return
    df1, df2 = len(groups) - 1, len(pooled) - len(groups)
    f = (squares(pooled) - within) / df1 / (within / df2)
    assert (test.df1, test.df2) == (df1, df2)
    assert same_f(test.statistic, f)


@given(arms(smallest=2))
@settings(max_examples=150, deadline=None)
def test_welch_equals_fractions(columns: list[list[Decimal]]) -> None:
    groups = [list(map(Fraction, column)) for column in columns]
    found = estimates(columns, keys=["welch_anova", "welch_difference"])
    test = found["welch_anova", None]
    if flat := [str(i) for i, group in enumerate(groups) if variance(group) == 0]:
        assert test.refused == f"all values equal in arm {', '.join(flat)}"
        return
    k, weights = len(groups), [len(group) / variance(group) for group in groups]
    centre = sum(w * mean(group) for w, group in zip(weights, groups, strict=True)) / sum(weights)
    between = sum(w * (mean(group) - centre) ** 2 for w, group in zip(weights, groups, strict=True)) / (k - 1)
    tail = sum((1 - w / sum(weights)) ** 2 / (len(group) - 1) for w, group in zip(weights, groups, strict=True))
    assert same_f(test.statistic, between / (1 + Fraction(2 * (k - 2), k * k - 1) * tail))
    assert close(test.df2, (k * k - 1) / (3 * tail))
    difference = mean(groups[1]) - mean(groups[0])
    span = float(max(map(max, groups)) - min(map(min, groups)))
    assert found["mean_difference", "1"].estimate == pytest.approx(float(difference), rel=1e-12, abs=4e-16 * span)


@given(arms(smallest=2, count=2))
@settings(max_examples=150, deadline=None)
def test_hedges_g_equals_fractions(columns: list[list[Decimal]]) -> None:
    reference, treated = (list(map(Fraction, column)) for column in columns)
    found = estimates(columns, keys=["hedges_g"])["hedges_g", "1"]
    df = len(reference) + len(treated) - 2
    pooled = (squares(reference) + squares(treated)) / df
    if pooled == 0:
        assert found.refused == "all values equal within every arm"
        return
    gap = mean(treated) - mean(reference)
    g = math.copysign(root(gap * gap / pooled), gap) * math.gamma(df / 2) / math.sqrt(df / 2) / math.gamma((df - 1) / 2)
    assert found.estimate == pytest.approx(g, rel=1e-11, abs=1e-14)
    assert found.lower < found.estimate < found.upper


@given(arms(smallest=2), st.sampled_from([Scale.LOG, Scale.COUNT]))
@settings(max_examples=150, deadline=None)
def test_log_scales_equal_decimal_logarithms(columns: list[list[Decimal]], scale: Scale) -> None:
    added = 1 if scale is Scale.COUNT else 0
    found = estimates(columns, scale, keys=["geometric", "welch_ratio"])
    mean_logs = {}
    for arm, column in enumerate(columns):
        shifted = [value + added for value in map(Fraction, column)]
        if min(shifted) <= 0:
            assert "a logarithm needs values above" in found["geometric_mean", str(arm)].refused
            continue
        assume(max(shifted) < 10**40)
        logs = [Fraction(exact_log(value)) for value in shifted]
        assert found["geometric_mean", str(arm)].estimate == pytest.approx(
            math.exp(mean(logs)) - added, rel=1e-12, abs=1e-12
        )
        mean_logs[arm] = mean(logs)
        log_sd = math.log(found["geometric_sd", str(arm)].estimate)
        assert log_sd == pytest.approx(root(variance(logs)), rel=1e-9, abs=1e-15)
    ratio = found["geometric_mean_ratio", "1"]
    if ratio.refused is None:
        assert ratio.estimate == pytest.approx(math.exp(mean_logs[1] - mean_logs[0]), rel=1e-12)


def exact_log(value: Fraction) -> Decimal:
    with localcontext(prec=120):
        return (Decimal(value.numerator) / Decimal(value.denominator)).ln()
