"""iCalendar as RFC 5545 wants it: CR LF, lines of at most 75 octets, escaped texts; read back by a reader of our own."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from experiments.exchange.ical import Event, calendar, folded

MADE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def read(feed: bytes) -> list[str]:
    """The content lines, unfolded (RFC 5545, 3.1)."""
    assert feed.endswith(b"\r\n")
    return feed.decode().replace("\r\n ", "").split("\r\n")[:-1]


def test_an_event_of_a_day_and_one_of_an_instant():
    events = [
        Event("k1", date(2026, 3, 9), "cells: M001 (POI-1)", "Window: 2026-03-08 to 2026-03-11\nkeep warm"),
        Event("k2", datetime(2026, 3, 9, 17, 30, tzinfo=UTC), "Analgesia, buprenorphine; M001"),
    ]
    lines = read(b"".join(calendar("labdb: Ada", events, MADE)))
    assert lines[:4] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//labdb//EN", "X-WR-CALNAME:labdb: Ada"]
    assert lines[4:13] == [
        "BEGIN:VEVENT", "UID:k1@labdb", "DTSTAMP:20260302T080000Z", "DTSTART;VALUE=DATE:20260309", "DTEND;VALUE=DATE:20260310",
        "SUMMARY:cells: M001 (POI-1)", "DESCRIPTION:Window: 2026-03-08 to 2026-03-11\\nkeep warm", "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]  # fmt: skip
    assert "DTSTART:20260309T173000Z" in lines
    assert "SUMMARY:Analgesia\\, buprenorphine\\; M001" in lines
    assert lines[-1] == "END:VCALENDAR"


@given(st.text(max_size=400))
def test_no_line_is_too_long_and_no_character_is_lost(text):
    line = text.replace("\r", "").replace("\n", "").encode()
    pieces = folded(line).split(b"\r\n")
    assert all(len(piece) <= 75 for piece in pieces)
    assert all(piece.decode() is not None for piece in pieces)
    assert b"".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line


@given(st.text(max_size=120))
def test_a_text_cannot_add_a_line(text):
    lines = read(b"".join(calendar("x", [Event("k", date(2026, 1, 1), text, text)], MADE)))
    assert sum(line.startswith(("BEGIN:", "END:")) for line in lines) == 4 or text.startswith(("BEGIN:", "END:"))
    assert len(lines) == 13 + bool(text)
