"""Censored lognormal fits against a naive second implementation, against scipy's own, and over many seeded draws."""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import CensoredData, norm

from experiments.stats.base.censored import LogFit, fit, wald_coverage
from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample, samples_by_arm
from experiments.stats.base.vocabulary import Scale

Row = tuple[str, Decimal]
SIGNS = {"": lambda z: -z * z / 2, "<": log_ndtr, ">": lambda z: log_ndtr(-z)}


def samples_of(*columns: Sequence[Row]) -> list[Sample]:
    rows = [(str(i), number, sign, None) for i, column in enumerate(columns) for sign, number in column]
    return samples_by_arm(rows)


def log_likelihood(columns: Sequence[Sequence[Row]], means: Sequence[float], log_sigma: float) -> float:
    """One value at a time, as the definition says, less the constant log sqrt(2 pi) of each density."""
    sigma = math.exp(log_sigma)
    return sum(
        float(SIGNS[sign]((float(number.ln()) - mean) / sigma)) - (0 if sign else log_sigma)
        for column, mean in zip(columns, means, strict=True)
        for sign, number in column
    )


def parameters(columns: Sequence[Sequence[Row]]) -> tuple[np.ndarray, LogFit]:
    """(mean of each arm, log sigma) of the fit."""
    samples = samples_of(*columns)
    result = fit(samples)
    logs = [sample.on(Scale.LOG) for sample in samples]
    means = [log.at(log.moments.mean_above_pivot + above) for log, above in zip(logs, result.log_means, strict=True)]
    return np.array([*means, math.log(result.sigma)]), result


@st.composite
def columns(draw: st.DrawFn, arms: int) -> list[list[Row]]:
    """Arms of 2 to 8 quantified and 0 to 6 censored values on one lattice: ties, limits among and far off the values."""
    step = Decimal(draw(st.sampled_from(["1", "0.01", "250"])))
    number = st.integers(1, draw(st.sampled_from([5, 60, 5_000]))).map(lambda k: k * step)
    bound = st.tuples(st.sampled_from("<<<>"), number)
    one = st.tuples(st.lists(st.tuples(st.just(""), number), min_size=2, max_size=8), st.lists(bound, max_size=6)).map(
        lambda parts: parts[0] + parts[1]
    )
    drawn = [draw(one) for _ in range(arms)]
    assume(any(len({x for sign, x in column if not sign}) > 1 for column in drawn))
    return drawn


@given(st.integers(1, 2).flatmap(columns))
@settings(max_examples=40, deadline=None)
def test_equals_a_naive_maximum(drawn: list[list[Row]]) -> None:
    theta, result = parameters(drawn)
    quantified = [[float(x.ln()) for sign, x in column if not sign] for column in drawn]
    start = [*map(np.mean, quantified), math.log(max(map(np.std, quantified)))]
    naive = minimize(
        lambda t: -log_likelihood(drawn, t[:-1], t[-1]),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20_000, "maxfev": 20_000, "adaptive": True},
    )
    assert log_likelihood(drawn, theta[:-1], theta[-1]) >= -naive.fun - 1e-9
    errors = [result.standard_error(row) for row in np.eye(len(drawn))]
    assert theta[:-1] == pytest.approx(naive.x[:-1], abs=1e-4 * max(errors))
    assert theta[-1] == pytest.approx(naive.x[-1], abs=1e-4)


@given(st.integers(1, 2).flatmap(columns))
@settings(max_examples=60, deadline=None)
def test_errors_invert_second_differences(drawn: list[list[Row]]) -> None:
    """Observed information of (means, log sigma) by central differences of the naive likelihood."""
    theta, result = parameters(drawn)
    steps = 1e-3 * np.array([*(result.standard_error(row) for row in np.eye(len(drawn))), 1.0])

    def at(*moves: np.ndarray) -> float:
        moved = theta + sum(moves)
        return log_likelihood(drawn, moved[:-1], moved[-1])

    axes = np.diag(steps)
    information = np.array([[at(i, -j) + at(-i, j) - at(i, j) - at(-i, -j) for j in axes] for i in axes]) / 4
    covariance = np.linalg.inv(information) * np.outer(steps, steps)
    assert np.diag(result.covariance) == pytest.approx(np.diag(covariance)[:-1], rel=1e-3)
    if len(drawn) == 2:
        contrast = np.array([1.0, -1.0, 0.0])
        assert result.standard_error([1, -1]) ** 2 == pytest.approx(contrast @ covariance @ contrast, rel=1e-3)


@given(columns(1))
@settings(max_examples=40, deadline=None)
def test_one_arm_equals_scipys_fit_of_censored_data(drawn: list[list[Row]]) -> None:
    (column,) = drawn
    logs = {kind: [float(x.ln()) for sign, x in column if sign == kind] for kind in SIGNS}
    mean, sigma = norm.fit(CensoredData(logs[""], left=logs["<"], right=logs[">"]))
    theta, result = parameters(drawn)
    assert theta[0] == pytest.approx(mean, abs=2e-3 * result.standard_error([1]))
    assert theta[1] == pytest.approx(math.log(sigma), abs=2e-3)


@given(columns(2), st.sampled_from(["1E+3", "1E-40", "0.37"]))
@settings(max_examples=60, deadline=None)
def test_another_unit_or_the_reciprocal_changes_no_ratio(drawn: list[list[Row]], factor: str) -> None:
    assume(any(sign for column in drawn for sign, _ in column))  # of uncensored arms there is no such ratio
    mirrored = {"": "", "<": ">", ">": "<"}
    scaled = [[(sign, x * Decimal(factor)) for sign, x in column] for column in drawn]
    inverse = [[(mirrored[sign], 1 / x) for sign, x in column] for column in drawn]
    one, other, turned = (
        summarise(samples_of(*some), pairs=[("1", "0")], scale=Scale.LOG, keys=["censored_ratio"])[0]
        for some in (drawn, scaled, inverse)
    )
    assert other.statistic == pytest.approx(one.statistic, rel=1e-8, abs=1e-8)
    assert turned.statistic == pytest.approx(-one.statistic, rel=1e-8, abs=1e-8)
    if one.refused is None:
        assert other.estimate == pytest.approx(one.estimate, rel=1e-9)
        assert turned.upper == pytest.approx(1 / one.lower, rel=1e-9)


@pytest.mark.parametrize(
    "texts",
    [
        ("1", "1.0000000001", "<1E-6"),
        ("1", "1.000001", *["<1E-9"] * 20),
        ("1E-150", "1E+150", "<1E-200", ">1E+200"),
        ("5", "6", *["<4"] * 200),
        ("5", "6", ">1E-3", "<1E+3"),
        ("5", "6", "<5.5", ">5.5", "<1E-30"),
        ("5", "5.0000001", *["<5.00000005"] * 30, ">1E+9"),
    ],
)
def test_far_bounds_and_flat_values_reach_the_summit(texts: tuple[str, ...]) -> None:
    """A thousandth of a standard error to any side, the naive likelihood is lower."""
    column = [(text[0], Decimal(text[1:])) if text[0] in "<>" else ("", Decimal(text)) for text in texts]
    (mean, log_sigma), result = parameters([column])
    summit, move = log_likelihood([column], [mean], log_sigma), 1e-3 * result.standard_error([1])
    assert summit > max(log_likelihood([column], [mean + side * move], log_sigma) for side in (-1, 1))
    assert summit > max(log_likelihood([column], [mean], log_sigma + side * 1e-3) for side in (-1, 1))


def coverage(draws: int, n: int, limits: Sequence[float], seed: int) -> tuple[float, float]:
    """Share of ratio intervals that cover the true factor e^0.5, and mean share of censored values.

    A bound that every value obeys stands beside them: it moves nothing, and without any there is no such interval.
    """
    generator, hits, censored = np.random.default_rng(seed), 0, 0
    for _ in range(draws):
        rows = [("t", Decimal("1E+40"), "<", None)]
        for arm, shift in (("t", 0.5), ("r", 0.0)):
            values = np.exp(generator.normal(shift, 0.6, n))
            for value, limit in zip(values, np.resize(limits, n), strict=True):
                below = value < limit
                censored += below
                rows.append((arm, Decimal(float(limit if below else value)), "<" if below else "", None))
        (ratio,) = summarise(samples_by_arm(rows), pairs=[("t", "r")], scale=Scale.LOG, keys=["censored_ratio"])
        assert ratio.refused is None
        hits += ratio.lower <= math.exp(0.5) <= ratio.upper
    return hits / draws, censored / (2 * n * draws)


def test_intervals_cover_as_often_as_the_warning_says() -> None:
    """Without censoring the formula is exact; two limits that hide a quarter of 2 x 40 values change little."""
    draws = 1_000
    exact = wald_coverage(16, 14, 0.95)
    assert abs(coverage(draws, 8, [0.0], 20_240_612)[0] - exact) < 4 * math.sqrt(exact * (1 - exact) / draws)
    covered, hidden = coverage(draws, 40, [0.6, 1.0], 20_240_613)
    assert 0.2 < hidden < 0.3
    assert abs(covered - wald_coverage(80, 78, 0.95)) < 4 * math.sqrt(0.95 * 0.05 / draws)
