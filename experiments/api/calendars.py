"""Calendars over REST: text/calendar, streamed."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils import timezone

from experiments.exchange.ical import Event, calendar
from labdb.base.rest.wire import Download


class ICalendar(Download):
    media_type = "text/calendar"
    format = "ics"
    charset = None


def icalendar_of(name: str, events: Iterable[Event]) -> StreamingHttpResponse:
    """``events`` as the feed ``name``."""
    response = StreamingHttpResponse(
        calendar(name, events, timezone.now()), content_type="text/calendar; charset=utf-8"
    )
    response["Content-Disposition"] = 'inline; filename="labdb.ics"'
    return response
