"""Classical one-way analysis of variance: F with variances taken as equal, and what goes with it."""

import math
from collections.abc import Sequence
from typing import Any

from scipy.special import fdtrc

from .base.arms import ArmMoments, compared, pooled_variance, with_values
from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="classical_anova",
    version="1",
    kind=Kind.ACROSS_ARMS,
    name="classical one-way ANOVA (equal variances)",
    reference="Fisher 1925, Statistical Methods for Research Workers, ch. 7; certified results: NIST StRD, ANOVA",
    quantities=("classical_anova", "eta_squared", "residual_sd"),
)


def compute(samples: Sequence[Sample], *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """F, df, p; eta² = SS between / SS total; residual SD in the unit of the scale.

    Raises Refusal with fewer than two arms, with n < 2 in an arm, where nothing varies within arms, for a censored
    value.
    """
    usable, warnings = with_values(samples)
    arms, exponent = compared(usable, scale)
    within, df2 = pooled_variance(arms)
    between, df1 = between_squares(arms), len(arms) - 1
    f = between / df1 / within
    common: dict[str, Any] = {"n": n_by_arm(*usable), "warnings": warnings}
    test = {"statistic": f, "df1": df1, "df2": df2, "p_value": float(fdtrc(df1, df2, f))}
    return (
        METHOD.estimate("classical_anova", scale, **test, **common),
        METHOD.estimate("eta_squared", scale, estimate=between / (between + within * df2), **common),
        METHOD.estimate("residual_sd", scale, estimate=math.ldexp(math.sqrt(within), exponent), **common),
    )


def between_squares(arms: Sequence[ArmMoments]) -> float:
    """Sum over arms of n (mean - grand mean)²."""
    centre = math.fsum(arm.n * arm.mean for arm in arms) / sum(arm.n for arm in arms)
    return math.fsum(arm.n * (arm.mean - centre) ** 2 for arm in arms)
