"""By which factor the geometric mean of an arm differs from that of its reference, values below the LLOQ included."""

import math

from .base.censored import cautions, fit, wald_test, z_margin
from .base.checks import n_by_arm
from .base.sample import Sample, pivot_gap
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="censored_ratio",
    version="1",
    kind=Kind.VERSUS_REFERENCE,
    name="ratio of geometric means, arm to reference: lognormal maximum likelihood, common SD of logs, censored at each "
    "value's own limit; Wald z test and interval (observed information)",
    reference="Tobin 1958, Econometrica 26:24-36; Amemiya 1973, Econometrica 41:997-1016; as survreg of R survival",
    quantities=("censored_geometric_mean_ratio",),
)


def compute(sample: Sample, reference: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """exp(mu of the arm - mu of its reference) with interval, z and p; nothing but on the log scale.

    Nothing where neither arm holds a censored value: there the ratio of `welch_ratio` stands. Raises Refusal for fewer
    than two quantified values in an arm, where those of neither arm differ, for a value or a limit <= 0, for limits
    that are not given.
    """
    pair = (sample, reference)
    if scale is not Scale.LOG or all(arm.n == arm.n_measured for arm in pair):
        return ()
    found = fit(pair)
    above = [s.on(Scale.LOG).moments.mean_above_pivot + float(m) for s, m in zip(pair, found.log_means, strict=True)]
    difference = pivot_gap(sample.on(Scale.LOG), reference.on(Scale.LOG)) + above[0] - above[1]
    error = found.standard_error([1, -1])
    margin = z_margin(error, level)
    lower, ratio, upper = (math.exp(difference + side) for side in (-margin, 0, margin))
    interval = {"estimate": ratio, "lower": lower, "upper": upper, "level": level}
    arms = {"arm": sample.arm, "reference_arm": reference.arm, "n": n_by_arm(sample, reference)}
    test = wald_test(difference, error)
    return (
        METHOD.estimate(
            "censored_geometric_mean_ratio", scale, **interval, **test, **arms, warnings=cautions(pair, level)
        ),
    )
