"""Numbers as a person reads them; the stored ones keep every digit."""

from decimal import Decimal
from typing import Any

EXACT_DIGITS = 5  # a number of no more digits is told as it was entered
DIGITS = 4


def told_value(row: Any) -> str:
    """An observation's value with sign and unit, to four significant digits where it has more than five."""
    number = row.value if row.qualifier == "=" else row.limit
    if row.category is not None or number is None:
        return row.shown_value
    sign = "" if row.qualifier == "=" else row.qualifier
    return f"{sign}{told_decimal(number)} {row.unit}".strip()


def told_decimal(value: Decimal) -> str:
    """Digits before the point are never rounded away."""
    if len(value.as_tuple().digits) <= EXACT_DIGITS:
        return f"{value:f}"
    return f"{value:.{max(0, DIGITS - 1 - value.adjusted())}f}"


def shown_number(value: float | None, digits: int = 4) -> str:
    """``value`` to ``digits`` significant ones, whole numbers whole; a dash where there is none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.{digits}g}"


def interval(lower: float | None, upper: float | None, digits: int = 3) -> str:
    if lower is None or upper is None:
        return "–"
    return f"{shown_number(lower, digits)} to {shown_number(upper, digits)}"


def p_value(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
