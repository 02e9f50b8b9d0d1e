"""What the apps put on pages that are not theirs, and into the navigation.

An upper app (a plate) shows itself on a lower app's page (the experiment) without the lower one knowing of it: it
registers a panel for the page's name when its admin module is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

HOME = "home"

Context = Callable[[HttpRequest, Any], dict[str, Any] | None]
Notice = Callable[[HttpRequest, Any], list[str]]


@dataclass(frozen=True)
class Panel:
    """A part of the page ``page``: a template and the function that makes its context from the page's subject.

    ``context(request, subject)`` returns None where the panel has nothing to say. It asks ``visible_to`` itself.
    On the home page the subject is None.
    """

    page: str
    key: str
    title: str
    template: str
    context: Context
    position: int = 100
    is_wide: bool = True


@dataclass(frozen=True)
class Entry:
    """A line of the navigation: the name of its URL, under the heading ``group``."""

    group: str
    title: str
    url_name: str
    icon: str
    position: int = 100
    is_shown: Callable[[HttpRequest], bool] = lambda request: True


@dataclass(frozen=True)
class ShownPanel:
    """A panel as it stands on a page."""

    key: str
    title: str
    is_wide: bool
    body: SafeString


PANELS: dict[tuple[str, str], Panel] = {}
ENTRIES: dict[str, Entry] = {}
NOTICES: list[Notice] = []
GROUPS = ("", "Studies", "Cells", "Stock", "Record", "Outcomes", "Assays", "Work", "Laboratory")


def register_panel(panel: Panel) -> None:
    """Two panels of one key on one page fail at start-up."""
    if (panel.page, panel.key) in PANELS:
        raise RuntimeError(f"Two panels of the page “{panel.page}” are called “{panel.key}”.")
    PANELS[panel.page, panel.key] = panel


def list_page(model: Any) -> str:
    """The name of the page that lists the rows of ``model``."""
    return f"list of {model._meta.label}"


def register_entry(entry: Entry) -> None:
    """Two entries to one address fail at start-up, as does an unknown group."""
    if entry.url_name in ENTRIES:
        raise RuntimeError(f"Two entries of the navigation lead to “{entry.url_name}”.")
    if entry.group not in GROUPS:
        raise RuntimeError(f"The navigation has no group “{entry.group}”; expected one of {', '.join(GROUPS)}.")
    ENTRIES[entry.url_name] = entry


def shown_panels(page: str, request: HttpRequest, subject: Any = None) -> list[ShownPanel]:
    """The panels of ``page`` that have something to say to this person, in their order."""
    shown = []
    for panel in sorted((p for p in PANELS.values() if p.page == page), key=lambda p: (p.position, p.title)):
        context = panel.context(request, subject)
        if context is not None:
            body = render_to_string(panel.template, {"subject": subject, **context}, request)
            shown.append(ShownPanel(panel.key, panel.title, panel.is_wide, body))
    return shown


def register_notice(notice: Notice) -> Notice:
    """Have ``notice(request, row)`` asked for lines that stand at the head of every page of a row."""
    NOTICES.append(notice)
    return notice


def shown_notices(request: HttpRequest, row: Any) -> list[str]:
    return [line for notice in NOTICES for line in notice(request, row)]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the side bar, as the admin's theme wants them."""
    return [{"title": group, "items": _entries_of(group, request)} for group in GROUPS]


def _entries_of(group: str, request: HttpRequest) -> list[dict[str, Any]]:
    entries = sorted((e for e in ENTRIES.values() if e.group == group), key=lambda e: (e.position, e.title))
    return [
        {"title": entry.title, "icon": entry.icon, "link": reverse(entry.url_name)}
        for entry in entries
        if entry.is_shown(request)
    ]


register_entry(Entry("", "Today", "admin:index", "today", 0))
