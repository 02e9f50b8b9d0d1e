"""Small shown things: links between pages, times, badges."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

STATE_COLOURS = {"failed": "lab-bad", "running": "lab-warn", "queued": "lab-warn", "done": "lab-good"}


def page_url(row: Any) -> str:
    return admin.site.get_model_admin(type(row)).page_url(row)  # type: ignore[attr-defined]


def link(row: Any) -> SafeString | str:
    """A link to the row's page; a dash where there is no row."""
    return "–" if row is None else format_html('<a href="{}">{}</a>', page_url(row), row)


def list_url(name: str, **filters: Any) -> str:
    """The list ``name`` (``observation``) filtered by exact values."""
    query = urlencode({f"{key}__exact": value for key, value in filters.items()})
    return reverse(f"admin:experiments_{name}_changelist") + (f"?{query}" if query else "")


def instant(moment: datetime | None, is_time_known: bool = True) -> str:
    """A local time with its zone, or the local day alone where only that is known."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    return date_format(local, "DATETIME_FORMAT" if is_time_known else "DATE_FORMAT")


def badge(text: str, colour: str = "") -> SafeString:
    return format_html('<span class="lab-badge {}">{}</span>', colour, text)


def digest(sha256: str) -> SafeString | str:
    """The first digits of a digest, the whole of it on hovering."""
    return format_html('<code title="{}">{}…</code>', sha256, sha256[:12]) if sha256 else "–"
