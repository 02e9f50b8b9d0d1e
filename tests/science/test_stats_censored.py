"""Censored lognormal fits: against R, against the uncensored statistics, and what they refuse by name."""

import csv
import math
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from experiments.stats.base import censored
from experiments.stats.base.censored import fit
from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample, censoring, samples_by_arm
from experiments.stats.base.vocabulary import Estimate, Scale

KEYS = ("censored_lognormal", "censored_ratio")
QUANTITIES = ("censored_geometric_mean", "censored_geometric_sd", "censored_geometric_mean_ratio")
REFERENCE = ("1", "2", "4")


def sample(arm: str, *texts: str) -> Sample:
    """From "1.5", "<1.2", ">9"."""
    rows = [
        (arm, None, text[0], Decimal(text[1:])) if text[0] in "<>" else (arm, Decimal(text), "", None) for text in texts
    ]
    return samples_by_arm(rows)[0] if rows else Sample.from_decimals(arm, [])


def found(*treated: str, reference: tuple[str, ...] = REFERENCE, scale: Scale = Scale.LOG) -> dict[str, Estimate]:
    """Estimates by quantity of arm t and of t against r."""
    samples = [sample("t", *treated), sample("r", *reference)]
    return {e.quantity: e for e in summarise(samples, pairs=[("t", "r")], scale=scale, keys=KEYS) if e.arm == "t"}


def test_coefficients_sigma_and_errors_are_those_of_survreg() -> None:
    if not (folder := os.environ.get("LABDB_REAL_DATA")):
        pytest.skip("LABDB_REAL_DATA names no folder with the reference data")
    with (Path(folder) / "reference/lloq_example.csv").open() as lines:
        rows = [(r["group"], Decimal(r["value"]), "<" * int(r["censored"]), None) for r in csv.DictReader(lines)]
    with (Path(folder) / "reference/reference_values.csv").open() as lines:
        r = {row["quantity"]: float(row["value"]) for row in csv.DictReader(lines) if row["id"] == "lloq"}
    arms = samples_by_arm(rows)
    result = fit(arms)
    logs = [arm.on(Scale.LOG) for arm in arms]
    means = [log.at(log.moments.mean_above_pivot + m) for log, m in zip(logs, result.log_means, strict=True)]
    assert means[0] == pytest.approx(r["tobit_coef[1]"], abs=1e-10)
    assert means[1] - means[0] == pytest.approx(r["tobit_coef[2]"], abs=1e-10)
    assert result.sigma == pytest.approx(r["tobit_sigma"], abs=1e-10)
    assert result.standard_error([1, 0]) == pytest.approx(r["tobit_se[1]"], abs=1e-10)
    assert result.standard_error([-1, 1]) == pytest.approx(r["tobit_se[2]"], abs=1e-10)


def test_without_a_censored_value_it_is_the_ordinary_maximum() -> None:
    texts = ("1.31", "2.7", "9.4", "3.3", "3.3")
    both = summarise(
        [sample("t", *texts), sample("r", *REFERENCE)], pairs=[("t", "r")], scale=Scale.LOG, keys=[*KEYS, "geometric"]
    )
    by = {(e.quantity, e.arm): e for e in both}
    assert by["censored_geometric_mean", "t"].estimate == by["geometric_mean", "t"].estimate
    ml_sd = math.log(by["geometric_sd", "t"].estimate) * math.sqrt(4 / 5)
    assert math.log(by["censored_geometric_sd", "t"].estimate) == pytest.approx(ml_sd, rel=1e-14)
    ratio = by["geometric_mean", "t"].estimate / by["geometric_mean", "r"].estimate
    assert by["censored_geometric_mean_ratio", "t"].estimate == pytest.approx(ratio, rel=1e-14)


def test_a_bound_that_says_nothing_changes_nothing() -> None:
    """Newton's way from a bound a million times above the values ends where the closed form does."""
    texts = ("1.31", "2.7", "9.4", "3.3")
    exact, climbed = found(*texts), found(*texts, "<1E+40")
    for quantity in QUANTITIES:
        assert climbed[quantity].estimate == pytest.approx(exact[quantity].estimate, rel=1e-12)
        if exact[quantity].lower is not None:
            assert climbed[quantity].lower == pytest.approx(exact[quantity].lower, rel=1e-12)


def test_every_value_has_its_own_limit() -> None:
    """Two plates: the highest limit alone would say less."""
    own, highest = found("<0.5", "<2", "3", "4", "8"), found("<2", "<2", "3", "4", "8")
    assert own["censored_geometric_mean"].estimate < 0.97 * highest["censored_geometric_mean"].estimate


def test_nothing_on_other_scales() -> None:
    assert found("1", "2", "<1", scale=Scale.IDENTITY) == found("1", "2", "<1", scale=Scale.COUNT) == {}


@pytest.mark.parametrize(
    ("texts", "mean", "ratio"),
    [
        ((), "n too small: 0 in arm t, at least 2 needed", None),
        (("<1", "<1", "<2"), "n too small: 0 in arm t, at least 2 needed", None),
        (("<1", "3"), "n too small: 1 in arm t, at least 2 needed", None),
        (("<1", "3", "3.0"), "all values equal among the quantified of arm t", ""),
        (("0", "1", "2", "<3"), "value 0 in arm t: a logarithm needs values above 0", None),
        (("1", "2", "<0"), "limit 0 in arm t: a logarithm needs limits above 0", None),
    ],
)
def test_refusals(texts: tuple[str, ...], mean: str, ratio: str | None) -> None:
    """The ratio is refused for the same reason, unless the reference arm alone tells the SD."""
    result = found(*texts)
    assert result["censored_geometric_mean"].refused == result["censored_geometric_sd"].refused == mean
    assert (result["censored_geometric_mean_ratio"].refused or "") == (mean if ratio is None else ratio)


def test_no_spread_in_either_arm() -> None:
    result = found("3", "3", "<4", reference=("2", "2"))
    assert result["censored_geometric_mean_ratio"].refused == "all values equal among the quantified of arm t, r"


def test_counted_bounds_without_their_limits_are_refused() -> None:
    bare = Sample.from_decimals("t", [Decimal(1), Decimal(2)], n_below_limit=3, highest_lower_limit=Decimal(1))
    (mean, _) = summarise([bare], scale=Scale.LOG, keys=["censored_lognormal"])
    assert mean.refused == "the limits of quantification of 3 values in arm t are not given"


@pytest.mark.parametrize("wrong", [{"n_below_limit": 1}, {"highest_lower_limit": Decimal(2)}, {"lower_limits": ()}])
def test_limits_agree_with_their_count_and_extreme(wrong: dict) -> None:
    limits = censoring([Decimal("0.5"), Decimal(1)], [])
    if wrong == {"lower_limits": ()}:
        Sample.from_decimals("t", [Decimal(1)], **limits | wrong)  # not given is allowed
        return
    with pytest.raises(ValueError, match="arm t: lower_limits disagree with n_below_limit or highest_lower_limit"):
        Sample.from_decimals("t", [Decimal(1)], **limits | wrong)


def test_a_fit_that_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(censored, "MAX_STEPS", 2)
    assert found("1.5", "2", "<1")["censored_geometric_mean"].refused == "the likelihood did not converge in 2 steps"


def test_warnings_name_sparse_arms_and_the_true_coverage() -> None:
    result = found("5", "6", "<4", "<4", "<4", reference=("1", "2", "4", "8", "9"))
    sparse = "3 of 5 values censored in arm t: rests on the lognormal form"
    told = result["censored_geometric_mean"].warnings
    assert told == (sparse, "Wald interval: with 5 values it covers 84.6% where none is censored, not 95.0%")
    assert result["censored_geometric_mean_ratio"].warnings[0] == sparse
    many = np.random.default_rng(1).lognormal(size=200)
    (mean, _) = summarise([Sample.from_floats("t", many)], scale=Scale.LOG, keys=["censored_lognormal"])
    assert mean.warnings == ()
