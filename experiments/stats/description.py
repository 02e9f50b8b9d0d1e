"""Mean with its t interval, standard deviation and standard error, in the endpoint's unit."""

import math
from typing import Any

from .base.checks import ALL_EQUAL, n_by_arm, require_n, require_uncensored, t_margin
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="description",
    version="1",
    kind=Kind.PER_ARM,
    name="arithmetic mean with t interval, SD (n - 1), SEM; sums about an exact decimal pivot",
    reference="Student 1908, Biometrika 6:1-25; sums: Chan, Golub & LeVeque 1983, Am Stat 37:242-247",
    quantities=("mean", "sd", "sem"),
)


def compute(sample: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """Mean, SD, SEM of one arm on the original values whatever the endpoint's scale.

    Raises Refusal without a value or with a censored one; with n = 1 the mean stands without an interval, SD and SEM
    are refused.
    """
    require_uncensored(sample)
    require_n(sample, 1)
    common: dict[str, Any] = {"arm": sample.arm, "n": n_by_arm(sample)}
    moments = sample.moments
    mean = sample.at(moments.mean_above_pivot)
    if moments.sd is None:
        reason = "n too small: 1, at least 2 needed"
        warning = f"interval not computed: {reason}"
        spreads = [METHOD.refuse(quantity, scale, reason, **common) for quantity in ("sd", "sem")]
        return (METHOD.estimate("mean", scale, estimate=mean, warnings=(warning,), **common), *spreads)
    sem = moments.sd / math.sqrt(moments.n)
    return (
        METHOD.estimate("mean", scale, estimate=mean, **_interval(sample, sem, level), **common),
        METHOD.estimate("sd", scale, estimate=moments.sd, **common),
        METHOD.estimate("sem", scale, estimate=sem, **common),
    )


def _interval(sample: Sample, sem: float, level: float) -> dict[str, Any]:
    """An interval of no width would claim certainty, so n equal values get a warning in its place."""
    if sample.all_equal:
        return {"warnings": (f"interval not computed: {ALL_EQUAL}",)}
    middle, df = sample.moments.mean_above_pivot, sample.n - 1
    margin = t_margin(sem, df, level)
    return {"lower": sample.at(middle - margin), "upper": sample.at(middle + margin), "level": level, "df1": df}
