"""Welch's t for two arms, the common part of a difference and of a ratio."""

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import stdtr

from .arms import compared
from .checks import ALL_EQUAL, t_margin
from .sample import Sample
from .vocabulary import Refusal, Scale


@dataclass(frozen=True, slots=True)
class WelchT:
    """Difference of means (arm minus reference) with its limits on the scale, and t, df, two-sided p as `Estimate`
    names.
    """

    difference: float
    lower: float
    upper: float
    test: dict[str, Any]


def welch_t(sample: Sample, reference: Sample, scale: Scale, level: float) -> WelchT:
    """Welch 1947, Biometrika 34:28-35; df of Satterthwaite 1946, Biometrics Bull 2:110-114.

    Raises Refusal for n < 2 in an arm, no variance in both, a censored value, a value outside the scale.
    """
    (arm, base), exponent = compared((sample, reference), scale)
    squared_errors = [a.sd * a.sd / a.n for a in (arm, base)]
    total = sum(squared_errors)
    if total == 0:
        raise Refusal(f"{ALL_EQUAL} within both arms")
    df = 1 / sum((part / total) ** 2 / (a.n - 1) for part, a in zip(squared_errors, (arm, base), strict=True))
    error, difference = math.sqrt(total), arm.mean - base.mean
    margin, t = t_margin(error, df, level), difference / error
    lower, middle, upper = (math.ldexp(difference + side, exponent) for side in (-margin, 0, margin))
    return WelchT(middle, lower, upper, {"statistic": t, "df1": df, "p_value": float(2 * stdtr(df, -abs(t)))})
