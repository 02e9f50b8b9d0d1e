"""Standard curves: exact data, reference data, inversion, uncertainty, refusals."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assays.curves import MODELS, fit
from assays.discovery import RegistryError, register

LEVELS = [0.0, 0.0, 1.0, 3.0, 3.0, 10.0, 30.0, 100.0, 300.0]


def made(a: float, b: float, c: float, d: float, levels: list[float] = LEVELS) -> list[float]:
    return [d + (a - d) / (1 + (x / c) ** b) for x in levels]


@settings(max_examples=40, deadline=None)
@given(a=st.floats(0.01, 0.3), b=st.floats(0.6, 3), c=st.floats(5, 150), d=st.floats(1, 4), falling=st.booleans())
def test_four_pl_finds_exact_data_again_and_inverts(a: float, b: float, c: float, d: float, falling: bool) -> None:
    low, high = (d, a) if falling else (a, d)
    curve = fit("four_pl", LEVELS, made(low, b, c, high))
    assert curve.verdict == "ok"
    for x in (2.0, 7.0, 55.0, 200.0):
        found = curve.concentration(curve.predict(x)).value
        assert found == pytest.approx(x, rel=1e-9)
        assert curve.concentration(made(low, b, c, high, [x])[0]).value == pytest.approx(x, rel=1e-5)


def test_the_zero_standard_counts() -> None:
    noisy = [y + e for y, e in zip(made(0.05, 1.1, 60, 3), [0.02, 0.01, *[0.0] * 7], strict=True)]
    with_zero = fit("four_pl", LEVELS, noisy)
    without = fit("four_pl", LEVELS[2:], noisy[2:])
    assert with_zero.ok
    assert without.ok
    assert with_zero.parameters["A"] != pytest.approx(without.parameters["A"], rel=1e-3)
    at_zero = [back for back in with_zero.back_calculated() if back.concentration == 0]
    assert [back.recovery_percent for back in at_zero] == [None, None]


def test_responses_off_the_curve_have_no_concentration() -> None:
    rising, falling = fit("four_pl", LEVELS, made(0.1, 1.2, 40, 3)), fit("four_pl", LEVELS, made(3, 1.2, 40, 0.1))
    assert rising.concentration(0.05).flag == "below_curve"
    assert rising.concentration(3.5).flag == "above_curve"
    assert falling.concentration(3.5).flag == "below_curve"
    assert falling.concentration(0.05).flag == "above_curve"
    line = fit("linear", [0, 1, 2, 3], [0.1, 1.1, 2.1, 3.1])
    assert line.concentration(0.0).flag == "below_curve"
    assert line.concentration(0.6).value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("model", "x", "y", "weighting", "told"),
    [
        ("four_pl", [0, 1, 10], [0.1, 0.5, 1.0], "1", "fewer points than parameters"),
        ("four_pl", [1, 1, 1, 10, 10, 10], [0.1, 0.1, 0.1, 1, 1, 1], "1", "fewer points than parameters"),
        ("four_pl", [0, 1, 10, 100, 1000], [0.5] * 5, "1", "flat response"),
        ("linear", [0, 1, 2, 3, 4, 5], [0.5, 0.4, 0.6, 0.45, 0.55, 0.5], "1", "flat response"),
        ("linear", [1, 2, 3, 4], [0.0, 1.0, 2.0, 3.0], "1/y2", "weighting undefined"),
        ("linear", [1, 2, 3, 4], [math.nan, 1.0, 2.0, 3.0], "1", "response not finite"),
        ("log_log", [0, 1, 2, 4], [0.1, 1.0, 2.0, 4.0], "1", "logarithmic axis"),
    ],
)
def test_refusals_are_named(model: str, x: list, y: list, weighting: str, told: str) -> None:
    curve = fit(model, x, y, weighting)
    assert told in curve.verdict
    assert not curve.parameters
    assert curve.concentration(0.5).flag == "no_solution"
    assert curve.standard_error(0.5) is None
    with pytest.raises(ValueError, match="refused"):
        curve.predict(1.0)


def test_a_step_does_not_determine_the_curve() -> None:
    """Every curve steep enough fits a step: B and C are free, and only their errors show it."""
    curve = fit("four_pl", [1, 1, 2, 2, 50, 50, 100, 100], [0.1, 0.11, 0.1, 0.11, 2.0, 2.01, 2.0, 2.01])
    assert curve.verdict in ("covariance not finite", "B not determined by the standards")


def test_misuse_is_an_error() -> None:
    with pytest.raises(KeyError, match="not known"):
        fit("cubic", [1, 2], [1, 2])
    with pytest.raises(ValueError, match="weighting"):
        fit("linear", [1, 2, 3], [1, 2, 3], "2")
    with pytest.raises(ValueError, match="one response per concentration"):
        fit("linear", [1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="negative"):
        fit("linear", [-1, 2, 3], [1, 2, 3])


@pytest.mark.parametrize("model", ["linear", "four_pl", "log_log"])
@pytest.mark.parametrize("at", [8.0, 30.0])
def test_standard_error_agrees_with_simulation(model: str, at: float) -> None:
    """Scatter of the response and of the curve together, against simulated plates."""
    levels = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0] * 3
    if model == "linear":
        truth, sigma = [0.1 + 0.01 * x for x in levels], 0.01
    elif model == "log_log":
        truth, sigma = [0.02 * x**0.9 for x in levels], 0.02
    else:
        truth, sigma = made(0.05, 1.1, 60, 3, levels), 0.01
    rng = np.random.default_rng(7)
    x0 = {"linear": 0.1 + 0.01 * at, "log_log": 0.02 * at**0.9, "four_pl": made(0.05, 1.1, 60, 3, [at])[0]}[model]
    found, errors = [], []
    for _ in range(2000 if model != "four_pl" else 150):
        noise = rng.normal(0, sigma, len(levels) + 1)
        spread = np.exp(noise) if model == "log_log" else None
        y = [
            t * s if spread is not None else t + s
            for t, s in zip(truth, noise if spread is None else spread[:-1], strict=False)
        ]
        seen = x0 * spread[-1] if spread is not None else x0 + noise[-1]
        curve = fit(model, levels, y)
        found.append(curve.concentration(seen).value)
        errors.append(curve.standard_error(seen))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.2 if model == "four_pl" else 0.07)


def test_weights_follow_their_definition() -> None:
    x, y = [1.0, 2.0, 4.0, 8.0], [1.1, 1.9, 4.3, 7.6]
    for weighting, power in (("1", 0.0), ("1/y", 1.0), ("1/y2", 2.0)):
        w = np.array(y) ** -power
        slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(w))
        curve = fit("linear", x, y, weighting)
        assert list(curve.parameters.values()) == pytest.approx([slope, intercept], rel=1e-10)


def nist(name: str) -> tuple[list[float], list[float], dict[str, float]]:
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    lines = (Path(folder) / "nist" / "nonlinear" / f"{name}.dat").read_text().splitlines()
    certified = {}
    for line in lines[40:60]:
        cells = line.split()
        if len(cells) >= 6 and cells[0].startswith("b") and cells[1] == "=":
            certified[cells[0]] = float(cells[4])
        if line.startswith("Residual Sum of Squares"):
            certified["rss"] = float(cells[-1])
    rows = [line.split() for line in lines[60:] if line.strip()]
    return [float(row[1]) for row in rows], [float(row[0]) for row in rows], certified


def test_nist_rat42_is_the_logistic_in_the_logarithm() -> None:
    """Rat42, b1 / (1 + exp(b2 - b3 x)), is the four-parameter logistic of exp(x) with A fixed at 0."""
    x, y, certified = nist("Rat42")
    p = np.array([0.0, certified["b3"], math.exp(certified["b2"] / certified["b3"]), certified["b1"]])
    residuals = np.array(y) - MODELS["four_pl"].predict(p, np.exp(np.array(x)))
    assert float(residuals @ residuals) == pytest.approx(certified["rss"], rel=1e-9)
    free = fit("four_pl", np.exp(x).tolist(), y)
    assert free.ok
    assert free.rss is not None
    assert free.rss < certified["rss"]


def test_dnase_reference_with_four_parameters_nests_the_three_parameter_logistic() -> None:
    """DNase ELISA run 1 against scipy's own solver, started from the published logistic (Pinheiro & Bates 2000)."""
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    from scipy.optimize import curve_fit

    with (Path(folder) / "reference" / "DNase_ELISA.csv").open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["Run"].strip() == "1"]
    x, y = [float(r["conc"]) for r in rows], [float(r["density"]) for r in rows]
    curve = fit("four_pl", x, y)
    p, cov = curve_fit(lambda x, a, b, c, d: d + (a - d) / (1 + (x / c) ** b), x, y, p0=[0, 1, 4, 2.3], xtol=1e-14)
    assert list(curve.parameters.values()) == pytest.approx(p.tolist(), rel=1e-5, abs=1e-7)
    assert list(curve.standard_errors.values()) == pytest.approx(np.sqrt(np.diag(cov)).tolist(), rel=1e-4)


def test_recovery_of_standards() -> None:
    curve = fit("linear", [1.0, 2.0, 4.0, 8.0, 16.0], [1.0, 2.2, 3.9, 8.3, 15.8])
    for back, nominal in zip(curve.back_calculated(), [1.0, 2.0, 4.0, 8.0, 16.0], strict=True):
        assert back.calculated.value is not None
        assert back.recovery_percent == pytest.approx(100 * back.calculated.value / nominal)
        assert curve.predict(back.calculated.value) == pytest.approx(back.response)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=9, max_size=9), st.sampled_from([0.01, 0.3, 3.0]))
def test_noise_never_gives_an_infinite_or_unnamed_answer(noise: list[float], size: float) -> None:
    curve = fit("four_pl", LEVELS, [y + size * e for y, e in zip(made(0.1, 1.2, 40, 3), noise, strict=True)])
    assert curve.verdict
    if not curve.ok:
        assert not curve.parameters
        return
    assert all(math.isfinite(value) for value in (*curve.parameters.values(), *curve.standard_errors.values()))
    for response in (-1.0, 0.0, 0.5, 2.0, 9.0):
        found = curve.concentration(response)
        assert (found.value is None) == (found.flag is not None)
        assert found.value is None or curve.predict(found.value) == pytest.approx(response, rel=1e-6, abs=1e-6)


def test_two_models_cannot_share_a_key() -> None:
    with pytest.raises(RegistryError, match="'linear' is claimed by both"):
        register(dict(MODELS), MODELS["linear"], ("LABEL",))
