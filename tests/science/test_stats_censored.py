"""Censored lognormal fits: against R, against the uncensored statistics, and what they refuse by name."""

import csv
import math
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from experiments.stats.base import censored
from experiments.stats.base.censored import fit
from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample, censoring, samples_by_arm
from experiments.stats.base.vocabulary import Estimate, Refusal, Scale

KEYS = ("censored_lognormal", "censored_ratio")
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
    arms = [sample("t", "1.31", "2.7", "9.4", "3.3", "3.3"), sample("r", *REFERENCE)]
    ordinary = summarise(arms, pairs=[("t", "r")], scale=Scale.LOG, keys=["geometric", "welch_ratio"])
    by = {(e.quantity, e.arm): e.estimate for e in ordinary}
    alone, both = fit(arms[:1]), fit(arms)
    t, r = (arm.on(Scale.LOG) for arm in arms)
    assert alone.log_means.tolist() == [0] and both.log_means.tolist() == [0, 0]
    assert math.exp(t.at(t.moments.mean_above_pivot + alone.log_means[0])) == by["geometric_mean", "t"]
    assert alone.sigma == pytest.approx(math.log(by["geometric_sd", "t"]) * math.sqrt(4 / 5), rel=1e-14)
    means = [log.at(log.moments.mean_above_pivot + m) for log, m in zip((t, r), both.log_means, strict=True)]
    assert math.exp(means[0] - means[1]) == pytest.approx(by["geometric_mean_ratio", "t"], rel=1e-14)


def test_a_bound_that_says_nothing_changes_nothing() -> None:
    """Newton's way from a bound 1E+40, which every value obeys, ends where the closed form does."""
    texts = ("1.31", "2.7", "9.4", "3.3")
    climbed = found(*texts, "<1E+40")
    alone, both = fit([sample("t", *texts)]), fit([sample("t", *texts), sample("r", *REFERENCE)])
    t, r = (np.log(np.array(column, dtype=float)) for column in (texts, REFERENCE))
    wanted = {
        "censored_geometric_mean": (t.mean(), alone.standard_error([1])),
        "censored_geometric_mean_ratio": (t.mean() - r.mean(), both.standard_error([1, -1])),
    }
    for quantity, (log, error) in wanted.items():
        margin = NormalDist().inv_cdf(0.975) * error
        shown = climbed[quantity].lower, climbed[quantity].estimate, climbed[quantity].upper
        assert shown == pytest.approx([math.exp(log + side) for side in (-margin, 0, margin)], rel=1e-12)
    assert climbed["censored_geometric_sd"].estimate == pytest.approx(math.exp(t.std()), rel=1e-12)


def answers(treated: Sequence[str], reference: Sequence[str]) -> tuple[list[Estimate], list[Estimate]]:
    """All that any statistic says, refusals too: the geometric means of both arms, the ratios of t to r."""
    samples = [sample("t", *treated), sample("r", *reference)]
    all_of_them = summarise(samples, pairs=[("t", "r")], scale=Scale.LOG)
    means, ratios = (
        [e for e in all_of_them if e.quantity.endswith(end)] for end in ("geometric_mean", "geometric_mean_ratio")
    )
    return means, ratios


def test_an_uncensored_endpoint_shows_one_geometric_mean_an_arm_and_one_ratio() -> None:
    means, ratios = answers(("1.31", "2.7", "9.4"), REFERENCE)
    assert [(e.arm, e.quantity, e.refused) for e in means] == [(arm, "geometric_mean", None) for arm in "tr"]
    assert [(e.quantity, e.refused) for e in ratios] == [("geometric_mean_ratio", None)]


@pytest.mark.parametrize("bound", ["<1.5", ">8"])
@pytest.mark.parametrize("arms", ["t", "r", "tr"])
def test_a_censored_endpoint_has_one_answer_too(arms: str, bound: str) -> None:
    """Of an arm without a censored value the ordinary mean stands, also beside a censored arm."""
    treated, reference = ((*REFERENCE, *[bound] * (arm in arms)) for arm in "tr")
    means, ratios = answers(treated, reference)
    prefix = {arm: "censored_" if arm in arms else "" for arm in "tr"}
    assert {e.arm: e.quantity for e in means if not e.refused} == {a: f"{prefix[a]}geometric_mean" for a in "tr"}
    assert sum(not e.refused for e in means) == 2
    assert [e.quantity for e in ratios if not e.refused] == ["censored_geometric_mean_ratio"]


def test_every_value_has_its_own_limit() -> None:
    """Two plates: the highest limit alone would say less."""
    own, highest = found("<0.5", "<2", "3", "4", "8"), found("<2", "<2", "3", "4", "8")
    assert own["censored_geometric_mean"].estimate < 0.97 * highest["censored_geometric_mean"].estimate


def test_nothing_on_other_scales() -> None:
    assert found("1", "2", "<1", scale=Scale.IDENTITY) == found("1", "2", "<1", scale=Scale.COUNT) == {}


@pytest.mark.parametrize(
    ("texts", "mean", "ratio"),
    [
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


def test_an_arm_without_any_value_is_refused_by_name() -> None:
    """Beside a censored reference by this ratio, beside an uncensored one by the ordinary statistics."""
    wanted = "n too small: 0 in arm t, at least 2 needed"
    beside = found(reference=("1", "2", "<1"))
    assert {quantity: e.refused for quantity, e in beside.items()} == {"censored_geometric_mean_ratio": wanted}
    means, ratios = answers((), REFERENCE)
    assert [e.refused for e in means if e.arm == "t"] == ["n too small: 0 in arm t, at least 1 needed"]
    assert [e.refused for e in ratios] == [wanted]
    with pytest.raises(Refusal, match=wanted):
        fit([sample("t")])


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
    low = Sample.from_floats("t", many, **censoring([Decimal("0.1")], []))
    (mean, _) = summarise([low], scale=Scale.LOG, keys=["censored_lognormal"])
    assert mean.refused is None and mean.warnings == ()
