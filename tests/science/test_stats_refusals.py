"""What cannot be computed says why: no NaN, no silent zero, no value left out in silence."""

import json
import math
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample, samples_by_arm
from experiments.stats.base.vocabulary import NUMBER_FIELDS, Estimate, Scale


def sample(arm: str, *values: str, **limits) -> Sample:
    return Sample.from_decimals(arm, [Decimal(value) for value in values], **limits)


def found(samples: list[Sample], **options) -> dict[str, Estimate]:
    """Estimates by quantity; of arm or pair t where there are several."""
    estimates = summarise(samples, pairs=[("t", "r")] if len(samples) > 1 else [], **options)
    return {e.quantity: e for e in estimates if e.arm in (None, "t")}


def test_one_value_an_arm() -> None:
    result = found([sample("t", "3.5"), sample("r", "1", "2")])
    assert result["mean"].estimate == 3.5 and result["mean"].lower is None
    assert result["mean"].warnings == ("interval not computed: n too small: 1, at least 2 needed",)
    assert result["sd"].refused == "n too small: 1, at least 2 needed"
    for quantity in ("welch_anova", "classical_anova", "hedges_g", "mean_difference"):
        assert result[quantity].refused == "n too small: 1 in arm t, at least 2 needed"


def test_no_value_at_all() -> None:
    result = found([sample("t"), sample("r", "1", "2")])
    assert result["n"].estimate == 0
    assert result["mean"].refused == "n too small: 0 in arm t, at least 1 needed"
    assert result["median"].refused == "no value in arm t"
    assert result["welch_anova"].refused == "too few arms with values: 1, at least 2 needed"


def test_an_empty_arm_is_named_beside_the_test() -> None:
    result = found([sample("t", "1", "2"), sample("r", "2", "4"), sample("lost")])
    assert result["welch_anova"].warnings == ("arms without values left out: lost",)
    assert dict(result["welch_anova"].n) == {"t": 2, "r": 2}


def test_all_values_equal() -> None:
    result = found([sample("t", "2.10", "2.1"), sample("r", "2.1", "2.1", "2.100")])
    assert result["sd"].estimate == 0 and result["mean"].warnings == ("interval not computed: all values equal",)
    assert result["hedges_g"].refused == "all values equal within every arm"
    assert result["mean_difference"].refused == "all values equal within both arms"
    assert result["welch_anova"].refused == "all values equal in arm t, r"


def test_censored_values_are_neither_left_out_nor_replaced() -> None:
    low = sample("t", "1.3", "1.5", "9", n_below_limit=2, highest_lower_limit=Decimal("1.2"))
    result = found([low, sample("r", "4", "5", "6")])
    for quantity in ("mean", "sd", "sem", "hedges_g", "welch_anova", "classical_anova", "mean_difference"):
        assert result[quantity].refused == "2 of 5 values below the lower limit of quantification in arm t"
    assert result["n_below_limit"].estimate == 2
    assert result["median"].estimate == 1.3
    assert result["q1"].refused == "falls among the 2 censored of 5 values"


def test_a_quantile_whose_order_is_unknown() -> None:
    """A value below 5 may lie on either side of a quantified 3."""
    result = found([sample("t", "3", "6", "7", n_below_limit=1, highest_lower_limit=Decimal(5))])
    assert result["median"].refused == "order unknown: 3.0 lies inside the limit of quantification of a censored value"
    assert result["q3"].estimate == 6.25


def test_a_quantified_value_at_the_limit_has_its_order() -> None:
    result = found([sample("t", "1.2", "1.3", n_below_limit=1, highest_lower_limit=Decimal("1.2"))])
    assert result["median"].estimate == 1.2


def test_no_logarithm_of_zero() -> None:
    result = found([sample("t", "0", "1", "2"), sample("r", "1", "2", "4")], scale=Scale.LOG)
    assert result["geometric_mean"].refused == "value 0 in arm t: a logarithm needs values above 0"
    assert result["hedges_g"].refused == result["geometric_mean"].refused
    assert result["mean"].estimate == 1
    assert found([sample("t", "0", "1", "2")], scale=Scale.COUNT)["geometric_mean"].refused is None


def test_a_vanishing_p_value_is_not_a_silent_zero() -> None:
    wide = np.arange(400) % 2 * 1e-9
    result = found([Sample.from_floats("t", wide), Sample.from_floats("r", wide + 1)])
    assert result["classical_anova"].p_value == 0
    assert result["classical_anova"].warnings == ("p value below the smallest double-precision number, 5e-324",)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1E+400"])
def test_a_value_that_no_float_holds_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"arm t: expected finite numbers within double precision, got value 1: "):
        sample("t", "1", text, "2")


def test_rows_without_meaning_are_all_named() -> None:
    rows = [("t", None, "", None), ("t", Decimal(1), "~", None), ("t", None, "<", None), ("t", Decimal(2), "", None)]
    with pytest.raises(ValueError, match=r"row 0 .*; row 1 .*'~'.*; row 2 "):
        samples_by_arm(rows)


def test_a_range_beyond_double_precision_is_refused_not_a_crash() -> None:
    """The ratio of the two values overflows."""
    result = found([Sample.from_floats("t", [179769314.0, 1e-300])], scale=Scale.LOG)
    assert result["geometric_mean"].refused.startswith("the numbers leave the range of double precision")
    assert result["mean"].estimate == 89884657.0


def test_a_refusal_speaks_only_of_the_scale_in_use() -> None:
    one = [sample("t", "1"), sample("r", "1", "2")]
    identity, log = found(one), found(one, scale=Scale.LOG)
    assert "geometric_mean_ratio" not in identity and "mean_difference" in identity
    assert "mean_difference" not in log and "geometric_mean_ratio" in log


def test_pairs_and_arms_are_checked() -> None:
    with pytest.raises(ValueError, match=r"pairs name \['x'\]"):
        summarise([sample("t", "1")], pairs=[("t", "x")])
    with pytest.raises(ValueError, match="one sample an arm"):
        summarise([sample("t", "1"), sample("t", "2")])
    with pytest.raises(ValueError, match=r"unknown statistics \['nope'\]"):
        summarise([], keys=["nope"])


def test_an_estimate_holds_no_nan() -> None:
    names = dict.fromkeys(("method_key", "method_version", "method", "reference"), "x")
    with pytest.raises(ValueError, match="estimate is nan"):
        Estimate(quantity="q", scale=Scale.LOG, estimate=math.nan, **names)
    with pytest.raises(ValueError, match="either a number or a reason"):
        Estimate(quantity="q", scale=Scale.LOG, **names)


@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5), min_size=1, max_size=4),
    st.sampled_from(list(Scale)),
)
@settings(max_examples=300, deadline=None)
def test_whatever_comes_in_every_estimate_is_finite_or_refused(columns: list[list[float]], scale: Scale) -> None:
    samples = []
    for arm, column in enumerate(columns):
        if max(column, default=0) - min(column, default=0) < math.inf:
            samples.append(Sample.from_floats(str(arm), column))
    pairs = [(s.arm, samples[0].arm) for s in samples[1:]]
    for estimate in summarise(samples, pairs=pairs, scale=scale):
        numbers = [getattr(estimate, name) for name in NUMBER_FIELDS]
        assert all(number is None or math.isfinite(number) for number in numbers)
        assert estimate.refused or estimate.estimate is not None or estimate.statistic is not None
        assert Estimate.from_dict(json.loads(json.dumps(estimate.as_dict()))) == estimate


def test_the_vocabulary_loads_neither_numpy_nor_scipy() -> None:
    code = "import experiments.stats.base.vocabulary, sys; print(sorted({'numpy', 'scipy'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
