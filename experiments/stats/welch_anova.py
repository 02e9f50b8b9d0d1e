"""Welch's analysis of variance: do the means of several arms differ, variances left free."""

import math
from collections.abc import Sequence

from scipy.special import fdtrc

from .base.arms import ArmMoments, compared, require_spread_in_each, with_values
from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="welch_anova",
    version="1",
    kind=Kind.ACROSS_ARMS,
    name="Welch ANOVA (unequal variances)",
    reference="Welch 1951, Biometrika 38:330-336",
    quantities=("welch_anova",),
)


def compute(samples: Sequence[Sample], *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """F, its two degrees of freedom and p, on the endpoint's scale.

    Raises Refusal with fewer than two arms, with n < 2 or no variance in an arm, for a censored value.
    """
    usable, warnings = with_values(samples)
    arms, _ = compared(usable, scale)
    require_spread_in_each(arms)
    f, df1, df2 = welch_f(arms)
    p = float(fdtrc(df1, df2, f))
    test = {"statistic": f, "df1": df1, "df2": df2, "p_value": p}
    return (METHOD.estimate("welch_anova", scale, n=n_by_arm(*usable), warnings=warnings, **test),)


def welch_f(arms: Sequence[ArmMoments]) -> tuple[float, int, float]:
    """F, df1, df2 with weights w = n / s²."""
    k = len(arms)
    weights = [arm.n / (arm.sd * arm.sd) for arm in arms]
    total = math.fsum(weights)
    centre = math.fsum(w * arm.mean for w, arm in zip(weights, arms, strict=True)) / total
    between = math.fsum(w * (arm.mean - centre) ** 2 for w, arm in zip(weights, arms, strict=True)) / (k - 1)
    tail = math.fsum((1 - w / total) ** 2 / (arm.n - 1) for w, arm in zip(weights, arms, strict=True))
    return (between / (1 + 2 * (k - 2) / (k * k - 1) * tail), k - 1, (k * k - 1) / (3 * tail))
