"""How far the mean of an arm lies from that of its reference arm, in the endpoint's unit."""

from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale
from .base.welch import welch_t

METHOD = Method(
    key="welch_difference",
    version="1",
    kind=Kind.VERSUS_REFERENCE,
    name="difference of means, arm minus reference, Welch t interval (unequal variances)",
    reference="Welch 1947, Biometrika 34:28-35; df: Satterthwaite 1946, Biometrics Bull 2:110-114",
    quantities=("mean_difference",),
)


def compute(sample: Sample, reference: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """Mean difference with interval, t, df and p; nothing for an endpoint compared on a logarithmic scale.

    Raises Refusal for n < 2 in an arm, no variance in both, a censored value.
    """
    if scale is not Scale.IDENTITY:
        return ()
    welch = welch_t(sample, reference, scale, level)
    interval = {"estimate": welch.difference, "lower": welch.lower, "upper": welch.upper, "level": level}
    arms = {"arm": sample.arm, "reference_arm": reference.arm, "n": n_by_arm(sample, reference)}
    return (METHOD.estimate("mean_difference", scale, **interval, **welch.test, **arms),)
