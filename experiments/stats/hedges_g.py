"""Hedges' g against a reference arm: exact small-sample correction, exact noncentral-t interval."""

import math

from .base.arms import compared, pooled_variance
from .base.checks import n_by_arm
from .base.noncentral_t import noncentrality_interval
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="hedges_g",
    version="1",
    kind=Kind.VERSUS_REFERENCE,
    name="Hedges g (arm minus reference, pooled SD), exact correction, noncentral-t interval",
    reference="Hedges 1981, J Educ Stat 6:107-128, eq. 6e; interval: Steiger & Fouladi 1997, ch. 9",
    quantities=("hedges_g",),
)
STIRLING = (1, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144)


def compute(sample: Sample, reference: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """g on the endpoint's scale, its interval, and t with df = n1 + n2 - 2; positive where the arm lies above its
    reference.

    Raises Refusal for n < 2 in an arm, where nothing varies within arms, for a censored value, a value outside the
    scale.
    """
    (arm, base), _ = compared((sample, reference), scale)
    variance, df = pooled_variance((arm, base))
    correction, width = small_sample_correction(df), math.sqrt(1 / arm.n + 1 / base.n)
    d = (arm.mean - base.mean) / math.sqrt(variance)
    t = d / width
    arms = {"arm": sample.arm, "reference_arm": reference.arm, "n": n_by_arm(sample, reference)}
    lower, upper = (correction * width * bound for bound in noncentrality_interval(t, df, level))
    interval = {"estimate": correction * d, "lower": lower, "upper": upper, "level": level}
    return (METHOD.estimate("hedges_g", scale, statistic=t, df1=df, **interval, **arms),)


def small_sample_correction(df: int) -> float:
    """J(df) = gamma(df/2) / (sqrt(df/2) gamma((df-1)/2)) for df >= 2, Hedges 1981 p. 111; to rounding for any df."""
    z = (df - 1) / 2
    if z < 150:
        return math.gamma(z + 0.5) / (math.sqrt(df / 2) * math.gamma(z))
    # gamma overflows and a difference of lgamma loses digits: gamma(z + 1/2) / gamma(z) = sqrt(z) (1 - 1/8z + ...).
    series = math.fsum(coefficient / z**power for power, coefficient in enumerate(STIRLING))
    return math.sqrt(z / (df / 2)) * series
