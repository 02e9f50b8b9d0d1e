"""A cell's value as text, number, day or list. What does not fit is refused with the form that was expected."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

EXCEL_ERRORS = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
_NUMBER = {
    mark: re.compile(rf"[+-]?([0-9]{{1,30}}({re.escape(mark)}[0-9]{{0,30}})?|{re.escape(mark)}[0-9]{{1,30}})")
    for mark in (".", ",")
}
_EPOCHS = {"1900": dt.date(1899, 12, 30), "1904": dt.date(1904, 1, 1)}
FIRST_DAY, LAST_DAY = dt.date(1950, 1, 1), dt.date(2200, 1, 1)


class Unreadable(ValueError):
    """The value is not what its column holds; the text says what was expected."""


def as_text(value: object) -> str:
    """The text of a cell without outer blanks: 7.0 is `7`, a date ISO, an empty cell the empty string."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value)


def clean_text(value: object, longest: int) -> str:
    """Text for the record: no spreadsheet error, no control character, at most `longest` characters."""
    text = as_text(value)
    if text in EXCEL_ERRORS:
        raise Unreadable("a value, not a spreadsheet error")
    if len(text) > longest:
        raise Unreadable(f"at most {longest} characters, not {len(text)}")
    if not text.isprintable() and any(
        unicodedata.category(mark) in ("Cc", "Cs") and mark not in "\t\r\n" for mark in text
    ):
        raise Unreadable("text without control characters")
    return text


def as_number(value: object, decimal: str) -> Decimal:
    """The exact number. Text must use the named decimal mark, with no thousands mark, unit, qualifier or exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable("a number")
    if isinstance(value, float):
        # A spreadsheet keeps 15 significant digits; the binary tail of 0.1 + 0.2 was never measured.
        return _finite(Decimal(format(value, ".15g")))
    if isinstance(value, int):
        return _finite(Decimal(value))
    text = value.strip()
    if not _NUMBER[decimal].fullmatch(text):
        mark = "point" if decimal == "." else "comma"
        raise Unreadable(f"a number with a decimal {mark}")
    return Decimal(text.replace(",", "."))


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number) >= Decimal("1e30"):
        raise Unreadable("a finite number")
    return number if number.as_tuple().exponent <= 0 else Decimal(int(number))  # type: ignore[operator]


def as_day(value: object, formats: Sequence[str], serial_epoch: str = "") -> dt.date:
    """The day of a date cell, of text in one of the named formats, or of a spreadsheet's serial number.

    Of an instant with a zone the day is the one written down, not the day in another zone.
    """
    if isinstance(value, dt.datetime):
        return _plausible(value.date(), formats)
    if isinstance(value, dt.date):
        return _plausible(value, formats)
    if isinstance(value, int | float) and not isinstance(value, bool) and serial_epoch:
        return _plausible(_from_serial(value, serial_epoch), formats)
    if isinstance(value, str):
        return _from_text(value.strip(), tuple(formats))
    raise Unreadable(_date_wanted(formats))


def _date_wanted(formats: Iterable[str]) -> str:
    return f"a date as {' or '.join(formats)}"


def _plausible(day: dt.date, formats: Iterable[str]) -> dt.date:
    if not FIRST_DAY <= day < LAST_DAY:
        raise Unreadable(f"{_date_wanted(formats)} between {FIRST_DAY} and {LAST_DAY}, not {day}")
    return day


def _from_serial(serial: float, epoch: str) -> dt.date:
    """Excel takes 1900 for a leap year: serial 60 is a day that never was, and those before it are off by one."""
    if not 0 <= serial < 200_000:
        raise Unreadable("a date, or its serial number in the spreadsheet")
    whole = int(serial)
    if epoch == "1900" and whole == 60:
        raise Unreadable("a real day; serial 60 is 29 February 1900, which did not exist")
    return _EPOCHS[epoch] + dt.timedelta(days=whole + (epoch == "1900" and whole < 60))


@lru_cache(maxsize=8192)
def _from_text(text: str, formats: tuple[str, ...]) -> dt.date:
    days = {day for day in (_strptime(text, form) for form in formats) if day is not None}
    if len(days) > 1:
        raise Unreadable(f"a date that reads one way only; it is {' or '.join(map(str, sorted(days)))}")
    if not days:
        raise Unreadable(_date_wanted(formats))
    return _plausible(days.pop(), formats)


def _strptime(text: str, form: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def split_list(value: object, separator: str) -> list[str]:
    """`[0, 1.0, 2]` or `a, b` as its items, outer brackets and blanks off; an empty list is []."""
    text = as_text(value)
    if text[:1] + text[-1:] in ("[]", "()", "{}"):
        text = text[1:-1]
    return [item.strip().strip("'\"") for item in text.split(separator)] if text.strip() else []
