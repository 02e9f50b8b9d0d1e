"""The trail as people read it: rows by their names, fields by their labels, choices by their words."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property

from labdb.base.trail.visibility import tables

HIDDEN = "a row that is not shown to you"
EMPTY = "–"
ACTIONS = {"I": "added", "U": "changed", "D": "deleted", "T": "table emptied", "B": "there when the trail began"}


@dataclass(frozen=True)
class Told:
    """A text with the page it leads to, if any."""

    text: str
    url: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class FieldChange:
    """``old`` is None where the row was added, ``new`` where it was deleted."""

    name: str
    label: str
    old: Told | None
    new: Told | None


@dataclass(frozen=True)
class Change:
    """What was done to one row."""

    entry: Any
    kind: str
    row: Told
    action: str
    fields: list[FieldChange]


@dataclass
class Event:
    """Changes that one transaction made for one reason."""

    at: datetime
    person: str
    person_key: Any
    door: str
    reason: str
    changes: list[Change] = field(default_factory=list)


def tell(request: HttpRequest, entries: Sequence[Any]) -> list[Event]:
    """``entries`` (with ``statement__person``) as events in the order given. Queries: one for each kind of row named."""
    known = tables()
    names = _Names(request, entries, known)
    events: list[Event] = []
    last: Any = None
    for entry in entries:
        statement = entry.statement
        same = (statement.transaction_id, statement.person_id, statement.door, statement.reason)
        if same != last:
            who = (told_person(statement), statement.person_id)
            events.append(Event(statement.at, *who, statement.door, statement.reason))
            last = same
        events[-1].changes.append(_change(entry, known.get(entry.table_name), names))
    return events


def told_person(statement: Any) -> str:
    """The person; where nobody is known, the role that the database knew."""
    person = statement.person
    return str(person) if person is not None else f"nobody known (database role {statement.db_role})"


def _change(entry: Any, model: type[models.Model] | None, names: "_Names") -> Change:
    action = ACTIONS[entry.statement.action]
    if model is None:  # its table is no model's any more
        return Change(entry, entry.table_name, Told(entry.row_id), action, list(_bare(entry)))
    kind = str(model._meta.verbose_name)
    return Change(entry, kind, names.row(model, entry.row_id), action, list(_fields(entry, model, names)))


def _bare(entry: Any) -> Iterable[FieldChange]:
    old, new = entry.old or {}, entry.new or {}
    for column in {**old, **new}:
        yield FieldChange(column, column, _or_none(old, column), _or_none(new, column))


def _or_none(values: dict[str, Any], column: str) -> Told | None:
    return Told(told_value(values[column])) if column in values else None


def _fields(entry: Any, model: type[models.Model], names: "_Names") -> Iterable[FieldChange]:
    old, new = entry.old, entry.new
    is_whole = old is None or new is None
    by_column = {each.column: each for each in model._meta.local_concrete_fields}
    given = {**(old or {}), **(new or {})}
    ordered = [c for c in by_column if c in given] + [c for c in given if c not in by_column]
    for column in ordered:
        each: Any = by_column.get(column)
        if is_whole and (given[column] in (None, "") or (each is not None and _is_plain(each, given[column]))):
            continue
        label = str(each.verbose_name) if each is not None else column
        told = [None if side is None else names.value(each, side.get(column)) for side in (old, new)]
        yield FieldChange(each.name if each is not None else column, label, *told)


def _is_plain(each: models.Field, value: Any) -> bool:
    """Says nothing in a whole row: its key, or what the field holds unless told otherwise."""
    return each.primary_key or (each.has_default() and not callable(each.default) and each.default == value)


def told_value(value: Any) -> str:
    """A plain value: empty as a dash, instants in the laboratory's time zone."""
    if value in (None, ""):
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT") if timezone.is_aware(value) else str(value)
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


class _Names:
    """The names of all rows that the entries are about or refer to, found with one query a model."""

    def __init__(self, request: HttpRequest, entries: Sequence[Any], known: dict[str, type[models.Model]]) -> None:
        self.request = request
        self.wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        self.last_known: dict[tuple[type[models.Model], str], str] = {}
        for entry in entries:
            model = known.get(entry.table_name)
            if model is None:
                continue
            self._want(model, entry.row_id)
            for values in (entry.old, entry.new):
                for each in model._meta.local_concrete_fields:
                    if values and each.is_relation and values.get(each.column) is not None:
                        self._want(each.related_model, values[each.column])
            if entry.old is None or entry.new is None:
                self.last_known.setdefault((model, entry.row_id), _own_words(model, entry.new or entry.old or {}))

    def _want(self, model: Any, key: Any) -> None:
        try:
            self.wanted[model].add(model._meta.pk.to_python(key))
        except ValidationError:  # a composite or foreign key of a table that is no model's
            return

    @cached_property
    def found(self) -> dict[type[models.Model], dict[str, Told]]:
        return {model: self._of(model, keys) for model, keys in self.wanted.items()}

    def _of(self, model: type[models.Model], keys: set[Any]) -> dict[str, Told]:
        rows = model._default_manager.filter(pk__in=keys)
        if not hasattr(rows, "visible_to"):
            return {}
        # relations that are always there are what rows are named by
        rows = rows.visible_to(self.request.user).select_related(*_always_there(model))
        page = admin.site._registry.get(model)
        told = getattr(page, "told", str)
        may_open = page is not None and page.has_view_permission(self.request)
        url = getattr(page, "page_url", None) if may_open else None
        return {str(row.pk): Told(told(row), url(row) if url else "") for row in rows}

    def row(self, model: type[models.Model], key: str) -> Told:
        found = self.found.get(model, {}).get(str(key))
        return found or Told(self.last_known.get((model, key)) or str(model._meta.verbose_name))

    def value(self, each: Any, value: Any) -> Told:
        if each is None or value is None or value == "":
            return Told(told_value(value))
        if each.is_relation:
            return self.found.get(each.related_model, {}).get(str(value)) or Told(HIDDEN)
        if each.choices:
            return Told(str(dict(each.flatchoices).get(value, value)))
        try:
            return Told(told_value(each.to_python(value)))
        except ValidationError:  # stored before the field had its present type
            return Told(told_value(value))


def _always_there(model: Any, depth: int = 2) -> list[str]:
    found = []
    for each in model._meta.local_concrete_fields:
        if each.is_relation and not each.null:
            found.append(each.name)
            if depth > 1 and each.related_model is not model:
                found += [f"{each.name}__{further}" for further in _always_there(each.related_model, depth - 1)]
    return found


def _own_words(model: type[models.Model], values: dict[str, Any]) -> str:
    """What a row that may be gone is called: its first text."""
    fields = model._meta.local_concrete_fields
    texts: list[Any] = [field for field in fields if isinstance(field, models.CharField | models.TextField)]
    return next((str(values[text.column]) for text in texts if values.get(text.column)), "")
