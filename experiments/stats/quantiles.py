"""Median and quartiles, exact also beside censored values as long as order alone determines them."""

import math

from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Refusal, Scale

METHOD = Method(
    key="quantiles",
    version="1",
    kind=Kind.PER_ARM,
    name="quantiles by linear interpolation of order statistics, type 7 (the default of R and numpy)",
    reference="Hyndman & Fan 1996, Am Stat 50:361-365, definition 7, p. 363",
    quantities=("q1", "median", "q3"),
)


def compute(sample: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """q1, median, q3 of one arm in the endpoint's unit; each is refused alone where a censored value leaves it open."""
    return tuple(_one(sample, key, p, scale) for key, p in zip(METHOD.quantities, (0.25, 0.5, 0.75), strict=True))


def _one(sample: Sample, quantity: str, p: float, scale: Scale) -> Estimate:
    try:
        value = quantile(sample, p)
    except Refusal as refusal:
        return METHOD.refuse(quantity, scale, str(refusal), arm=sample.arm, n=n_by_arm(sample))
    return METHOD.estimate(quantity, scale, arm=sample.arm, estimate=value, n=n_by_arm(sample))


def quantile(sample: Sample, p: float) -> float:
    """Order statistics k and k + 1 around h = (n - 1) p, n counting the censored values too, interpolated by the rest
    of h.

    Raises Refusal where one that is needed is censored, or ranks below a limit that a censored value lies somewhere
    under.
    """
    if not sample.n_measured:
        raise Refusal(f"no value in arm {sample.arm}")
    below, part = divmod((sample.n_measured - 1) * p, 1)
    low = _order_statistic(sample, int(below))
    if part == 0:
        return sample.at(low)
    high = _order_statistic(sample, math.floor(below) + 1)
    return sample.at(low + part * (high - low))


def _order_statistic(sample: Sample, rank: int) -> float:
    """Excess over the pivot of the value with that rank, 0 the smallest."""
    place = rank - sample.n_below_limit
    if not 0 <= place < sample.n:
        raise Refusal(f"falls among the {sample.n_measured - sample.n} censored of {sample.n_measured} values")
    excess = float(sample.ordered[place])
    lower, upper = sample.highest_lower_limit, sample.lowest_upper_limit
    value = sample.at(excess)
    # Rounded alike on both sides: the float 1.2 is less than the decimal 1.2.
    if (lower is not None and value < float(lower)) or (upper is not None and value > float(upper)):
        raise Refusal(f"order unknown: {value} lies inside the limit of quantification of a censored value")
    return excess
