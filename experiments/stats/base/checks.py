"""The named refusals that several statistics share, and intervals of Student's t."""

import math
from collections.abc import Sequence

from scipy.special import stdtrit

from .sample import Moments, Sample
from .vocabulary import Refusal

ALL_EQUAL = "all values equal"


def require_uncensored(*samples: Sample) -> None:
    """Refuse moments where a value is known only as a bound.

    Leaving such values out, or writing LLOQ/2 for them, moves the mean and shrinks the spread by an amount that the
    data cannot tell (Helsel 2012, Statistics for Censored Environmental Data, ch. 1), so neither is done under the
    name of a mean. Quantiles stay available where order statistics determine them; counts always are.
    """
    for sample in samples:
        if censored := sample.n_below_limit + sample.n_above_limit:
            side = "beyond a" if sample.n_above_limit else "below the lower"
            raise Refusal(
                f"{censored} of {sample.n_measured} values {side} limit of quantification in arm {sample.arm}"
            )


def require_n(sample: Sample, needed: int = 2) -> None:
    """Refuse a sample with fewer than `needed` quantified values."""
    if sample.n < needed:
        raise Refusal(f"n too small: {sample.n} in arm {sample.arm}, at least {needed} needed")


def spread(sample: Sample) -> tuple[Moments, float]:
    """Moments and standard deviation of an uncensored sample. Raises Refusal for n < 2."""
    require_uncensored(sample)
    require_n(sample)
    moments = sample.moments
    assert moments.sd is not None
    return moments, moments.sd


def n_by_arm(*samples: Sample) -> tuple[tuple[str, int], ...]:
    """Quantified experimental units by arm, as `Estimate.n` holds them."""
    return tuple((sample.arm, sample.n) for sample in samples)


def t_margin(standard_error: float, df: float, level: float) -> float:
    """Half width of a two-sided t interval: t((1 + level) / 2; df) times the standard error."""
    return float(stdtrit(df, (1 + level) / 2)) * standard_error


def common_exponent(numbers: Sequence[float]) -> int:
    """The power of two that brings the largest of `numbers` near 1, so that their squares stay in range."""
    return math.frexp(max(map(abs, numbers), default=0.0))[1]
