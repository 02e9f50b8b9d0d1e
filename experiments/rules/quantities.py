"""What the rules share: exact numbers that are checked, how they are printed, refusals and findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction

EXACT = Context(prec=60)  # recorded quantities have a few digits: their products lose none


class State(StrEnum):
    """Whether a criterion holds for an animal; not assessable where what is missing decides."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_ASSESSABLE = "not_assessable"


class RuleError(ValueError):
    """Input that a rule cannot work with, or a plan it refuses; the message names the value and what was expected."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must know, with its numbers; it blocks nothing by itself. `code` never changes."""

    code: str
    message: str


def finite(name: str, value: Decimal | int) -> Decimal:
    """`value` as a Decimal. Raises RuleError for NaN, an infinity, a float, a truth value or text."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise RuleError(f"{name} is {value!r}; expected a decimal number.")
    number = Decimal(value)
    if not number.is_finite():
        raise RuleError(f"{name} is {value}; expected a finite number.")
    return number


def positive(name: str, value: Decimal | int) -> Decimal:
    """A finite number above 0. Raises RuleError."""
    number = finite(name, value)
    if number <= 0:
        raise RuleError(f"{name} is {plain(number)}; expected more than 0.")
    return number


def not_negative(name: str, value: Decimal | int) -> Decimal:
    """A finite number, 0 or above. Raises RuleError."""
    number = finite(name, value)
    if number < 0:
        raise RuleError(f"{name} is {plain(number)}; expected 0 or more.")
    return number


def percentage(name: str, value: Decimal | int) -> Decimal:
    """A finite number from 0 to 100. Raises RuleError."""
    number = finite(name, value)
    if not 0 <= number <= 100:
        raise RuleError(f"{name} is {plain(number)} %; expected 0 to 100 %.")
    return number


def count(name: str, value: int, at_least: int = 0) -> int:
    """A whole number. Raises RuleError for anything else and for less than `at_least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise RuleError(f"{name} is {value!r}; expected a whole number, {at_least} or more.")
    return value


def as_decimal(number: Fraction, digits: int = 28) -> Decimal:
    """A ratio of exact numbers, rounded once to `digits` significant digits (half to even)."""
    return Context(prec=digits).divide(Decimal(number.numerator), Decimal(number.denominator))


def plain(number: Decimal | int) -> str:
    """As people write it: no exponent, no trailing zeros."""
    number = Decimal(number)
    return format(number.normalize(EXACT), "f") if number else "0"


def short(number: Decimal | Fraction | float, places: int = 1) -> str:
    """A derived number for a sentence, rounded to `places` decimals."""
    return f"{float(number):.{places}f}"


def listed(items: Sequence[str], most: int = 5) -> str:
    """For a sentence: the first few, and how many more there are."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
