"""The values of one arm, held so that no digit is lost on the way from decimals to double precision."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, InvalidOperation
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .vocabulary import Refusal, Scale

Floats = NDArray[np.float64]
ZERO, ONE = Decimal(0), Decimal(1)
# Decimal subtraction is correctly rounded whatever cancels, so 60 digits leave nothing for a 53-bit float to lose.
EXACT = Context(prec=60, Emin=-999_999, Emax=999_999)
LOGS = Context(prec=34, Emin=-999_999, Emax=999_999)  # ln is slow and grows with the digits asked for


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean above the pivot and standard deviation (n - 1), each in the unit of the scale; `sd` is None for n = 1."""

    n: int
    mean_above_pivot: float
    sd: float | None


@dataclass(frozen=True, eq=False)
class Sample:
    """The values of one arm, one per experimental unit: value[i] = pivot + above_pivot[i].

    `pivot` is the exact smallest quantified value, `above_pivot` (shape (n,), all >= 0, float64) the correctly
    rounded excess over it. Sums and squares are taken of the excess, so 13 constant leading digits cost none of the
    digits behind them. The minimum, and not a mean, is the pivot because log(x) = log(pivot) + log1p(excess / pivot)
    is then exact to rounding for any range of x.

    Values below or above a quantification limit are counted, never replaced: `n_below_limit` with the highest of
    their limits, `n_above_limit` with the lowest of theirs. `lower_limits` and `upper_limits` hold the limit of every
    such value where they are known (see `censoring`): order statistics do without them, a likelihood does not.
    """

    arm: str
    pivot: Decimal
    above_pivot: Floats
    n_below_limit: int = 0
    highest_lower_limit: Decimal | None = None
    n_above_limit: int = 0
    lowest_upper_limit: Decimal | None = None
    lower_limits: tuple[Decimal, ...] = ()
    upper_limits: tuple[Decimal, ...] = ()

    def __post_init__(self) -> None:
        if self.above_pivot.ndim != 1 or not np.isfinite(self.above_pivot).all():
            raise ValueError(f"arm {self.arm}: expected one dimension of finite numbers above the pivot")
        if self.n and self.above_pivot.min() != 0:
            raise ValueError(f"arm {self.arm}: the pivot {self.pivot} is not the smallest value")
        if (self.n_below_limit > 0) != (self.highest_lower_limit is not None):
            raise ValueError(f"arm {self.arm}: values below a limit and their highest limit come together")
        if (self.n_above_limit > 0) != (self.lowest_upper_limit is not None):
            raise ValueError(f"arm {self.arm}: values above a limit and their lowest limit come together")
        told = {"lower_limits": self.lower_limits, "upper_limits": self.upper_limits}
        known = censoring(self.lower_limits, self.upper_limits)
        for name, count, extreme in _LIMITS:
            if told[name] and any(getattr(self, field) != known[field] for field in (count, extreme)):
                raise ValueError(f"arm {self.arm}: {name} disagree with {count} or {extreme}")

    @classmethod
    def from_decimals(cls, arm: str, values: Sequence[Decimal], **limits: Any) -> "Sample":
        """From PostgreSQL `numeric` values. Raises ValueError naming the place of a value that no float can hold."""
        if not values:
            return cls(arm, ZERO, np.empty(0), **limits)
        try:
            pivot = min(values)
            excess = np.fromiter(map(float, map(EXACT.subtract, values, repeat(pivot))), np.float64, len(values))
        except InvalidOperation:  # NaN has no order
            raise _not_holdable(arm, values) from None
        if not (math.isfinite(pivot) and np.isfinite(excess).all()):
            raise _not_holdable(arm, values)
        return cls(arm, pivot, excess, **limits)

    @classmethod
    def from_floats(cls, arm: str, values: ArrayLike, **limits: Any) -> "Sample":
        """From floats, shape (n,): each is taken for exactly the binary number it is. Raises ValueError unless all
        are finite.
        """
        array = np.asarray(values, dtype=np.float64)
        if not np.isfinite(array).all():
            raise ValueError(f"arm {arm}: expected finite numbers, got {array[~np.isfinite(array)].tolist()}")
        if not array.size:
            return cls(arm, ZERO, np.empty(0), **limits)
        pivot = array.min()
        with np.errstate(over="ignore"):  # an infinite excess is refused, by name, in the next line
            return cls(arm, Decimal(float(pivot)), array - pivot, **limits)

    @property
    def n(self) -> int:
        """Quantified experimental units."""
        return int(self.above_pivot.size)

    @property
    def n_measured(self) -> int:
        """Quantified and censored experimental units."""
        return self.n + self.n_below_limit + self.n_above_limit

    @property
    def all_equal(self) -> bool:
        """Whether the quantified values are one value: an exact statement, since the pivot is exact."""
        return self.n > 0 and not self.above_pivot.any()

    @cached_property
    def ordered(self) -> Floats:
        """Excess over the pivot in ascending order."""
        return np.sort(self.above_pivot)

    @cached_property
    def moments(self) -> Moments:
        """Two passes over the excess, scaled by a power of two so that squares neither overflow nor vanish."""
        if not self.n:
            raise Refusal(f"no quantified value in arm {self.arm}")
        exponent = math.frexp(float(self.above_pivot.max()))[1]
        scaled = np.ldexp(self.above_pivot, -exponent)
        mean = scaled.mean()
        residual = scaled - mean
        rest = residual.mean()  # what rounding left in the first mean
        mean_above_pivot = math.ldexp(float(mean + rest), exponent)
        if self.n == 1:
            return Moments(1, mean_above_pivot, None)
        variance = (residual @ residual - self.n * rest * rest) / (self.n - 1)
        return Moments(self.n, mean_above_pivot, math.ldexp(math.sqrt(variance), exponent))

    @cached_property
    def _scales(self) -> "dict[Scale, Sample]":
        return {Scale.IDENTITY: self}

    def on(self, scale: Scale) -> "Sample":
        """This sample on a scale (natural logarithms). Raises Refusal for a value that the scale cannot hold."""
        if scale not in self._scales:
            self._scales[scale] = self._logged(ONE if scale is Scale.COUNT else ZERO)
        return self._scales[scale]

    def _logged(self, added: Decimal) -> "Sample":
        start = EXACT.add(self.pivot, added)
        if self.n and start <= 0:
            raise Refusal(f"value {self.pivot} in arm {self.arm}: a logarithm needs values above {-added:f}")
        excess = np.log1p(self.above_pivot / float(start)) if self.n else self.above_pivot
        # Limits stay on the original scale: ranks and counts, their only use, are taken there.
        return replace(self, pivot=LOGS.ln(start) if self.n else ZERO, above_pivot=excess)

    def at(self, above_pivot: float) -> float:
        """The value that lies so far above the pivot, rounded once."""
        return float(EXACT.add(self.pivot, Decimal(above_pivot)))


def censoring(below: Sequence[Decimal], above: Sequence[Decimal]) -> dict[str, Any]:
    """The limits that a sample takes, from the limit of each value that is known only to lie below or above it."""
    return {
        "n_below_limit": len(below),
        "highest_lower_limit": max(below, default=None),
        "lower_limits": tuple(below),
        "n_above_limit": len(above),
        "lowest_upper_limit": min(above, default=None),
        "upper_limits": tuple(above),
    }


def pivot_gap(upper: Sample, lower: Sample) -> float:
    """pivot of `upper` - pivot of `lower`, subtracted exactly and rounded once."""
    return float(EXACT.subtract(upper.pivot, lower.pivot))


def samples_by_arm(rows: Iterable[tuple[str, Decimal | None, str, Decimal | None]]) -> list[Sample]:
    """Samples from rows (arm, value, qualifier, limit), arms in order of first appearance.

    Qualifier "" or "=" takes the value; "<" counts the row as below its limit, ">" as above it (`limit`, or `value`
    where the limit stands there). Raises ValueError listing every row that says neither; missing values must be
    counted before.
    """
    arms: dict[str, tuple[list[Decimal], list[Decimal], list[Decimal]]] = {}
    bad = []
    for place, (arm, value, qualifier, limit) in enumerate(rows):
        kinds = arms.setdefault(arm, ([], [], []))
        index = _QUALIFIERS.get(qualifier)
        number = value if index == 0 or limit is None else limit
        if index is None or number is None:
            bad.append(f"row {place} (arm {arm}): qualifier {qualifier!r}, value {value}, limit {limit}")
        else:
            kinds[index].append(number)
    if bad:
        raise ValueError("expected a value, or < or > with its limit: " + "; ".join(bad))
    return [
        Sample.from_decimals(arm, values, **censoring(below, above)) for arm, (values, below, above) in arms.items()
    ]


_LIMITS = (
    ("lower_limits", "n_below_limit", "highest_lower_limit"),
    ("upper_limits", "n_above_limit", "lowest_upper_limit"),
)
_QUALIFIERS = {"": 0, "=": 0, "<": 1, ">": 2}


def _not_holdable(arm: str, values: Sequence[Decimal]) -> ValueError:
    bad = "; ".join(f"value {i}: {value}" for i, value in enumerate(values) if not math.isfinite(value))
    return ValueError(f"arm {arm}: expected finite numbers within double precision, got {bad or 'a range beyond it'}")
