"""How far an arm lies from its reference arm: difference of means in units, or ratio of geometric means."""

import math

from scipy.special import stdtr

from .base.arms import compared
from .base.checks import ALL_EQUAL, n_by_arm, t_margin
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Refusal, Scale

METHOD = Method(
    key="welch_difference",
    version="1",
    kind=Kind.VERSUS_REFERENCE,
    name="Welch t: arm minus reference (log and count scale: ratio of geometric means), unequal variances",
    reference="Welch 1947, Biometrika 34:28-35; df: Satterthwaite 1946, Biometrics Bull 2:110-114",
    quantities=("mean_difference", "geometric_mean_ratio"),
)


def compute(sample: Sample, reference: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """Difference in the endpoint's unit on the identity scale; on log scales exp of the difference (count: of x + 1).

    Raises Refusal for n < 2 in an arm, no variance in both, a censored value, a value outside the scale.
    """
    (arm, base), exponent = compared((sample, reference), scale)
    squared_errors = [a.sd * a.sd / a.n for a in (arm, base)]
    total = sum(squared_errors)
    if total == 0:
        raise Refusal(f"{ALL_EQUAL} within both arms")
    df = 1 / sum((part / total) ** 2 / (a.n - 1) for part, a in zip(squared_errors, (arm, base), strict=True))
    error, difference = math.sqrt(total), arm.mean - base.mean
    margin = t_margin(error, df, level)
    quantity, back = ("mean_difference", float) if scale is Scale.IDENTITY else ("geometric_mean_ratio", math.exp)
    lower, middle, upper = (back(math.ldexp(difference + side, exponent)) for side in (-margin, 0, margin))
    t = difference / error
    interval = {"estimate": middle, "lower": lower, "upper": upper, "level": level}
    test = {"statistic": t, "df1": df, "p_value": float(2 * stdtr(df, -abs(t)))}
    arms = {"arm": sample.arm, "reference_arm": reference.arm, "n": n_by_arm(sample, reference)}
    return (METHOD.estimate(quantity, scale, **interval, **test, **arms),)
