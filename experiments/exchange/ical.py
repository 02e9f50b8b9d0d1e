"""iCalendar (RFC 5545): events as the programs of telephones and desks read them. PURE.

A line ends in CR LF and holds at most 75 octets; longer ones are folded (3.1). In texts the backslash, semicolon, comma
and line break are escaped (3.3.11).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LONGEST_LINE = 75  # octets
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is due: on a day, or at an instant. ``key`` stays the same from feed to feed."""

    key: str
    at: date | datetime
    summary: str
    description: str = ""


def calendar(name: str, events: Iterable[Event], made_at: datetime) -> Iterator[bytes]:
    """The calendar ``name``, line by line."""
    yield from _lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//labdb//EN", f"X-WR-CALNAME:{_text(name)}")
    stamp = _instant(made_at)
    for event in events:
        yield from _lines("BEGIN:VEVENT", f"UID:{event.key}@labdb", f"DTSTAMP:{stamp}", *_when(event.at))
        yield from _lines(f"SUMMARY:{_text(event.summary)}")
        if event.description:
            yield from _lines(f"DESCRIPTION:{_text(event.description)}")
        yield from _lines("TRANSP:TRANSPARENT", "END:VEVENT")
    yield from _lines("END:VCALENDAR")


def _when(at: date | datetime) -> tuple[str, str]:
    if isinstance(at, datetime):
        return f"DTSTART:{_instant(at)}", f"DTEND:{_instant(at + timedelta(minutes=15))}"
    return f"DTSTART;VALUE=DATE:{at:%Y%m%d}", f"DTEND;VALUE=DATE:{at + timedelta(days=1):%Y%m%d}"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    return "".join(c for c in text.translate(ESCAPED) if c >= " ")


def _lines(*lines: str) -> Iterator[bytes]:
    return (folded(line.encode()) + b"\r\n" for line in lines)


def folded(line: bytes) -> bytes:
    """``line`` in pieces of at most 75 octets, none of which splits a character."""
    pieces, start, room = [], 0, LONGEST_LINE
    while len(line) - start > room:
        end = start + room
        while line[end] & 0xC0 == 0x80:  # within a character of UTF-8
            end -= 1
        pieces.append(line[start:end])
        start, room = end, LONGEST_LINE - 1  # the space that marks the fold
    return b"\r\n ".join([*pieces, line[start:]])
