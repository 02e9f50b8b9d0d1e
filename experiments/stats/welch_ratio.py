"""By which factor the geometric mean of an arm differs from that of its reference arm."""

import math

from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale
from .base.welch import welch_t

METHOD = Method(
    key="welch_ratio",
    version="1",
    kind=Kind.VERSUS_REFERENCE,
    name="ratio of geometric means, arm to reference, back-transformed Welch t interval of logs; for counts of x + 1",
    reference="Welch 1947, Biometrika 34:28-35; back-transformed: Bland & Altman 1996, BMJ 312:1153",
    quantities=("geometric_mean_ratio",),
)


def compute(sample: Sample, reference: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """exp of the difference of mean logs with interval, t, df and p; nothing on the identity scale.

    Raises Refusal for n < 2 in an arm, no variance in both, a censored value, a value outside the scale.
    """
    if scale is Scale.IDENTITY:
        return ()
    welch = welch_t(sample, reference, scale, level)
    lower, ratio, upper = (math.exp(log) for log in (welch.lower, welch.difference, welch.upper))
    interval = {"estimate": ratio, "lower": lower, "upper": upper, "level": level}
    arms = {"arm": sample.arm, "reference_arm": reference.arm, "n": n_by_arm(sample, reference)}
    return (METHOD.estimate("geometric_mean_ratio", scale, **interval, **welch.test, **arms),)
