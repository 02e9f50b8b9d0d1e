"""Geometric mean and SD of an arm whose values lie partly beyond a limit of quantification."""

import math

from .base.censored import cautions, fit, z_margin
from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="censored_lognormal",
    version="1",
    kind=Kind.PER_ARM,
    name="lognormal maximum likelihood, censored at each value's own limit; SD of logs with divisor n; "
    "Wald interval (normal quantile, observed information), back-transformed",
    reference="Cohen 1959, Technometrics 1:217-237; Helsel 2012, Statistics for Censored Environmental Data, ch. 6",
    quantities=("censored_geometric_mean", "censored_geometric_sd"),
)


def compute(sample: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """exp(mu) with interval and exp(sigma), a factor, of the fitted lognormal; nothing but on the log scale.

    Nothing where no value is censored either: the ordinary geometric mean stands there, and two answers to one question
    would invite a choice. Raises Refusal for fewer than two differing quantified values, for a value or a limit <= 0,
    for limits that are not given.
    """
    if scale is not Scale.LOG or sample.n == sample.n_measured:
        return ()
    found = fit([sample])
    logs = sample.on(Scale.LOG)
    middle = logs.moments.mean_above_pivot + float(found.log_means[0])
    margin = z_margin(found.standard_error([1]), level)
    lower, mean, upper = (math.exp(logs.at(middle + side)) for side in (-margin, 0, margin))
    interval = {"estimate": mean, "lower": lower, "upper": upper, "level": level}
    common = {"arm": sample.arm, "n": n_by_arm(sample)}
    told = cautions([sample], level)
    return (
        METHOD.estimate("censored_geometric_mean", scale, warnings=told, **interval, **common),
        METHOD.estimate("censored_geometric_sd", scale, estimate=math.exp(found.sigma), **common),
    )
