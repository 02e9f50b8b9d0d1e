"""Geometric mean and SD of an endpoint that is compared on a logarithmic scale."""

import math
from typing import Any

from .base.checks import ALL_EQUAL, n_by_arm, require_n, require_uncensored, t_margin
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Refusal, Scale

METHOD = Method(
    key="geometric",
    version="1",
    kind=Kind.PER_ARM,
    name="geometric mean with back-transformed t interval, geometric SD; for counts of log(x + 1), less 1",
    reference="Bland & Altman 1996, BMJ 312:1079; Kirkwood 1979, Biometrics 35:908-909",
    quantities=("geometric_mean", "geometric_sd"),
)


def compute(sample: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """exp(mean of logs) with interval and exp(SD of logs), a factor; on the count scale exp(mean of log(x + 1)) - 1.

    Gives nothing on the identity scale. Raises Refusal for a censored value, for x <= 0 (count scale: x < 0), without
    a value.
    """
    if scale is Scale.IDENTITY:
        return ()
    require_uncensored(sample)
    require_n(sample, 1)
    common: dict[str, Any] = {"arm": sample.arm, "n": n_by_arm(sample)}
    logs = sample.on(scale)
    back = math.expm1 if scale is Scale.COUNT else math.exp
    middle, sd = logs.at(logs.moments.mean_above_pivot), logs.moments.sd
    mean = METHOD.estimate("geometric_mean", scale, estimate=back(middle), **_interval(logs, back, level), **common)
    if sd is None:
        return mean, METHOD.refuse("geometric_sd", scale, "n too small: 1, at least 2 needed", **common)
    return mean, METHOD.estimate("geometric_sd", scale, estimate=math.exp(sd), **common)


def _interval(logs: Sample, back: Any, level: float) -> dict[str, Any]:
    moments = logs.moments
    if moments.sd is None or logs.all_equal:
        reason = ALL_EQUAL if logs.n > 1 else "n too small: 1, at least 2 needed"
        return {"warnings": (f"interval not computed: {reason}",)}
    margin = t_margin(moments.sd / math.sqrt(logs.n), logs.n - 1, level)
    lower, upper = (logs.at(moments.mean_above_pivot + side) for side in (-margin, margin))
    try:
        return {"lower": back(lower), "upper": back(upper), "level": level, "df1": logs.n - 1}
    except OverflowError:
        raise Refusal("the interval leaves the range of double precision") from None
