"""Date and time as counters print them, as an instant of the instrument's own clock."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

_MONTHS = ("jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez")
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_TIME = r"(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?\s*([ap]\.?m\.?)?)?"
_ISO = re.compile(rf"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}", re.IGNORECASE)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[ T_]([0-9]{2}):?([0-9]{2}):?([0-9]{2}))?")
_WORDS = re.compile(rf"([0-9]{{1,2}})[. -]+([A-Za-zä]{{3,9}})\.?[. -]+([0-9]{{4}}){_TIME}", re.IGNORECASE)
_US_WORDS = re.compile(rf"([A-Za-z]{{3,9}})\.? ([0-9]{{1,2}}),? ([0-9]{{4}}){_TIME}", re.IGNORECASE)
_NUMERIC = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}", re.IGNORECASE)


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether dates such as 21/3/2022 name the day first: settled by any number above 12; None where none settles it.

    A file in which some dates can only be read one way and some only the other settles nothing.
    """
    firsts = seconds = False
    for text in texts:
        match = _NUMERIC.fullmatch(" ".join(text.split()))
        if match and match[2] != ".":
            firsts |= int(match[1]) > 12
            seconds |= int(match[3]) > 12
    return firsts if firsts != seconds else None


def read_instant(text: str, day_first: bool | None) -> dt.datetime | None:
    """The instant, or None for what is none or can be read two ways."""
    tidy = " ".join(text.split())
    if match := _ISO.fullmatch(tidy):
        return _instant(match[1], match[2], match[3], match.groups()[3:7])
    if match := _COMPACT.fullmatch(tidy):
        return _instant(match[1], match[2], match[3], (match[4], match[5], match[6], None))
    if match := _WORDS.fullmatch(tidy):
        return _instant(match[3], str(_MONTH.get(match[2][:3].casefold(), 0)), match[1], match.groups()[3:7])
    if match := _US_WORDS.fullmatch(tidy):
        return _instant(match[3], str(_MONTH.get(match[1][:3].casefold(), 0)), match[2], match.groups()[3:7])
    return _numeric(tidy, day_first)


def _numeric(tidy: str, day_first: bool | None) -> dt.datetime | None:
    match = _NUMERIC.fullmatch(tidy)
    if not match:
        return None
    first, second = match[1], match[3]
    if match[2] == "." or day_first or int(first) == int(second):
        return _instant(match[4], second, first, match.groups()[4:8])
    return None if day_first is None else _instant(match[4], first, second, match.groups()[4:8])


def _instant(year: str, month: str, day: str, clock: tuple[str | None, ...]) -> dt.datetime | None:
    hour, minute, second, half = clock
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    try:
        return dt.datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
