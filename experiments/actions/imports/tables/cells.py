"""A cell into a value of its column's kind. What does not fit is refused with the form that was expected."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from experiments.actions.imports.tables.columns import Column, Kind
from experiments.actions.observations import noon
from experiments.sheets.values import Unreadable, as_day, as_number, as_text, clean_text

LONGEST_CELL = 32_767
TRUTHS = {"yes": True, "no": False, "true": True, "false": False}
ISO = "%Y-%m-%d"
DATE_FORMATS = {ISO: "2026-03-09", "%d.%m.%Y": "09.03.2026", "%d/%m/%Y": "09/03/2026", "%m/%d/%Y": "03/09/2026"}
QUALIFIED = re.compile(r"([<>])\s*(.+)")


@dataclass(frozen=True)
class Notation:
    """How a file writes numbers and dates, as its sender named it. ``epoch``: of a spreadsheet's serial days."""

    decimal: str = "."
    dates: str = ISO
    epoch: str = ""


class Moment(NamedTuple):
    """An instant; where only its day is known it stands at noon of that local day."""

    at: dt.datetime
    is_time_known: bool


class Qualified(NamedTuple):
    """A value (``=``) or the limit below or above which it lies."""

    qualifier: str
    number: Decimal


def read_cell(column: Column, raw: object, notation: Notation) -> Any:
    """The value of a cell that is not empty. Raises Unreadable with what was expected."""
    return READERS[column.kind](raw, notation)


def _text(raw: object, notation: Notation) -> str:
    return clean_text(raw, LONGEST_CELL)


def _number(raw: object, notation: Notation) -> Decimal:
    return as_number(raw, notation.decimal)


def _whole(raw: object, notation: Notation) -> int:
    number = as_number(raw, notation.decimal)
    if number != int(number):
        raise Unreadable("a whole number")
    return int(number)


def _qualified(raw: object, notation: Notation) -> Qualified:
    found = QUALIFIED.fullmatch(raw.strip()) if isinstance(raw, str) else None
    try:
        return (
            Qualified(found[1], as_number(found[2], notation.decimal))
            if found
            else Qualified("=", _number(raw, notation))
        )
    except Unreadable as unreadable:
        raise Unreadable(f"{unreadable}, or < or > before the limit of quantification") from None


def _truth(raw: object, notation: Notation) -> bool:
    known = TRUTHS.get(as_text(raw).casefold())
    if known is None:
        raise Unreadable("yes or no")
    return known


def _day(raw: object, notation: Notation) -> dt.date:
    if isinstance(raw, dt.datetime) and raw.time() != dt.time():
        raise Unreadable("a date without a time")
    return as_day(raw, (notation.dates,), notation.epoch)


def _instant(raw: object, notation: Notation) -> dt.datetime:
    wanted = f"a date and time, as {notation.dates} %H:%M"
    if isinstance(raw, dt.datetime):
        as_day(raw, (notation.dates,))
        return _local(raw)
    if not isinstance(raw, str):
        raise Unreadable(wanted)
    for form in (f"{notation.dates} %H:%M", f"{notation.dates} %H:%M:%S"):
        try:
            return _local(dt.datetime.strptime(raw.strip(), form))  # noqa: DTZ007 - local time, see _local
        except ValueError:
            continue
    try:
        instant = dt.datetime.fromisoformat(raw.strip())
    except ValueError:
        raise Unreadable(wanted) from None
    if instant.tzinfo is None and "T" not in raw:
        raise Unreadable(wanted)
    return instant if instant.tzinfo else _local(instant)


def _local(naive: dt.datetime) -> dt.datetime:
    """An instant of the laboratory's own time; one that the clock skipped or passed twice is refused."""
    zone = ZoneInfo(settings.TIME_ZONE)
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise Unreadable(f"a time with its zone: the clocks of {settings.TIME_ZONE} changed around {naive}")
    return first


def _moment(raw: object, notation: Notation) -> Moment:
    has_time = raw.time() != dt.time() if isinstance(raw, dt.datetime) else isinstance(raw, str) and ":" in raw
    return Moment(_instant(raw, notation), True) if has_time else Moment(noon(_day(raw, notation)), False)


READERS: dict[Kind, Callable[[object, Notation], Any]] = {
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.LINK: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.QUALIFIED: _qualified,
    Kind.TRUTH: _truth,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
    Kind.MOMENT: _moment,
}
