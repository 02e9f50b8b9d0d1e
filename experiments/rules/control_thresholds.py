"""Thresholds from control values, some of which may lie below or above a limit of quantification.

A censored value is an interval: below the lower limit L it is from 0 to L, above the upper limit from there on without
end. The mean then lies between the means of the lower and the upper ends. The SD (n - 1) is at least
sqrt(min over c of Σ distance(c, interval)² / (n - 1)), for Σ(x - mean)² is the minimum over c of Σ(x - c)²; and at most
sqrt(Σ largest (x - c)² / (n - 1)) for any c, here the mean of the middles. Both are the SD itself where no value is
censored. A threshold made of them lies in the interval given; without censored values that is one number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from experiments.rules.quantities import EXACT, RuleError, as_decimal, not_negative, plain, short


@dataclass(frozen=True, slots=True)
class Measured:
    """A concentration or count, 0 or more: a value ("="), or the limit that it lies below ("<") or above (">").

    Raises RuleError for another qualifier, NaN, an infinity, a number below 0.
    """

    value: Decimal
    qualifier: str = "="

    def __post_init__(self) -> None:
        not_negative("The measured value", self.value)
        if self.qualifier not in ("=", "<", ">"):
            raise RuleError(f"The qualifier is {self.qualifier!r}; expected =, < or >.")

    def __str__(self) -> str:
        return f"{'' if self.qualifier == '=' else self.qualifier}{plain(self.value)}"

    @property
    def lowest(self) -> Fraction:
        return Fraction(0) if self.qualifier == "<" else Fraction(self.value)

    @property
    def highest(self) -> Fraction | None:
        """None where it has no end."""
        return None if self.qualifier == ">" else Fraction(self.value)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold between `lowest` and `highest`, equal where no control is censored; None there is without end.

    `mean` and `sd` are None where censored values leave them open.
    """

    n: int
    n_censored: int
    mean: Decimal | None
    sd: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None

    def __str__(self) -> str:
        if self.mean is None or self.sd is None:
            ends = ("without end" if end is None else short(end, 3) for end in (self.lowest, self.highest))
            return f"between {' and '.join(ends)} (n = {self.n}, {self.n_censored} of them censored)"
        return f"{short(self.lowest or 0, 3)} (n = {self.n}, mean {short(self.mean, 3)}, SD {short(self.sd, 3)})"


@dataclass(frozen=True, slots=True)
class _Spread:
    """Bounds of the mean and the SD; None is without end."""

    mean: tuple[Decimal, Decimal | None]
    sd: tuple[Decimal, Decimal | None]


def above_mean(controls: Sequence[Measured], sds: Decimal) -> Threshold:
    """Mean + `sds` · SD. Raises RuleError for fewer than 2 controls."""
    spread = _spread(controls)
    (mean_low, mean_high), (sd_low, sd_high) = spread.mean, spread.sd
    low = EXACT.add(mean_low, EXACT.multiply(sds, sd_low))
    high = None if mean_high is None or sd_high is None else EXACT.add(mean_high, EXACT.multiply(sds, sd_high))
    return _threshold(controls, spread, low, high)


def below_mean(controls: Sequence[Measured], sds: Decimal) -> Threshold:
    """Mean - `sds` · SD. Raises RuleError for fewer than 2 controls."""
    spread = _spread(controls)
    (mean_low, mean_high), (sd_low, sd_high) = spread.mean, spread.sd
    low = None if sd_high is None else EXACT.subtract(mean_low, EXACT.multiply(sds, sd_high))
    high = None if mean_high is None else EXACT.subtract(mean_high, EXACT.multiply(sds, sd_low))
    return _threshold(controls, spread, low, high)


def share_of_mean(controls: Sequence[Measured], percent: Decimal) -> Threshold:
    """`percent` % of the mean. Raises RuleError for fewer than 2 controls, and where the mean can be 0."""
    spread, share = _spread(controls), Fraction(percent) / 100
    low, high = spread.mean
    if low <= 0:
        raise RuleError("the control mean can be 0, which nothing is a share of")
    scaled = [None if end is None else as_decimal(Fraction(end) * share, 40) for end in (low, high)]
    return _threshold(controls, spread, *scaled)


def _threshold(controls: Sequence[Measured], spread: _Spread, low: Decimal | None, high: Decimal | None) -> Threshold:
    censored = sum(control.qualifier != "=" for control in controls)
    mean, sd = (None, None) if censored else (spread.mean[0], spread.sd[0])
    return Threshold(len(controls), censored, mean, sd, low, high)


def _spread(controls: Sequence[Measured]) -> _Spread:
    n = len(controls)
    if n < 2:
        raise RuleError(f"control values are too few, {n} where 2 or more are needed")
    lows, highs = [c.lowest for c in controls], [c.highest for c in controls if c.highest is not None]
    least = _root(_least_squares(controls) / (n - 1))
    mean_low = as_decimal(sum(lows, Fraction(0)) / n, 40)
    if len(highs) < n:
        return _Spread((mean_low, None), (least, None))
    middle = sum((*lows, *highs), Fraction(0)) / (2 * n)
    most = sum(max((low - middle) ** 2, (high - middle) ** 2) for low, high in zip(lows, highs, strict=True))
    mean_high = as_decimal(sum(highs, Fraction(0)) / n, 40)
    return _Spread((mean_low, mean_high), (least, _root(Fraction(most) / (n - 1))))


def _root(variance: Fraction) -> Decimal:
    return as_decimal(variance, 60).sqrt(EXACT)


def _least_squares(controls: Sequence[Measured]) -> Fraction:
    """Minimum over c of the squared distances from c to the values' intervals, solved exactly.

    Its derivative rises through straight pieces between the ends of the intervals: the piece in which it passes 0 is
    found, and within it c is the mean of the ends that lie off c.
    """
    ends = sorted({end for c in controls for end in (c.lowest, c.highest) if end is not None})
    place = next(i for i, end in enumerate(ends) if sum(_gaps(controls, end)) >= 0)
    best = ends[place]
    if sum(_gaps(controls, best)) > 0:
        inside = (ends[place - 1] + best) / 2
        off = [inside - gap for gap in _gaps(controls, inside) if gap]
        best = sum(off, Fraction(0)) / len(off)
    return sum((gap * gap for gap in _gaps(controls, best)), Fraction(0))


def _gaps(controls: Sequence[Measured], c: Fraction) -> list[Fraction]:
    """c minus the nearest number that each value can be."""
    gaps = []
    for control in controls:
        nearest = max(c, control.lowest)
        gaps.append(c - (nearest if control.highest is None else min(nearest, control.highest)))
    return gaps
