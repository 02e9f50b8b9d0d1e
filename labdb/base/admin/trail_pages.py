"""Pages of the trail: of a row and what belongs to it, of a person, of the laboratory; also as CSV."""

import csv
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from labdb.base.access import current_memberships, sees_all
from labdb.base.admin.timeline import ACTIONS, FieldChange, tell
from labdb.base.exports import Echo, harmless
from labdb.base.panels import Entry, register_entry
from labdb.base.roles import Role
from labdb.base.trail.models import TrailEntry
from labdb.base.trail.visibility import TrailQuerySet

PER_PAGE = 50  # entries
COUNTED = 10_000  # entries; more are told as “more than”
CHUNK = 500  # entries of the CSV that are named at once
COLUMNS = ("at", "person", "door", "reason", "action", "kind", "row", "row_id", "field", "old", "new")


def may_audit(user: Any) -> bool:
    """Whether ``user`` looks at what other people did: auditors, managers, administrators, each as far as they see."""
    return bool(user.is_active) and (sees_all(user) or current_memberships(user).filter(role=Role.AUDITOR).exists())


# -- which entries


def visible_entries(request: HttpRequest) -> TrailQuerySet:
    return TrailEntry.objects.visible_to(request.user).select_related("statement__person").order_by("-id")


def of_row(request: HttpRequest, row: models.Model, inlines: list[type[models.Model]], depth: int) -> QuerySet:
    """Entries of ``row``, of the rows that are entered in its form, and of what refers to it over ``depth`` relations.

    All that is in an experiment is known by its experiment, also what is gone.
    """
    entries = visible_entries(request)
    if getattr(row, "experiment_path", None) == "self":
        return entries.of_experiment(row)
    found: dict[type[models.Model], set[Any]] = {type(row): {row.pk}}
    _collect(type(row), {row.pk}, found, depth or 1, None if depth else inlines)
    return entries.filter(Q.create([_entries(model, keys) for model, keys in found.items() if keys], connector=Q.OR))


def _collect(model: Any, keys: set[Any], found: dict, depth: int, only: list | None) -> None:
    if depth == 0 or not keys:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or relation.many_to_many:
            continue
        other = relation.related_model
        if other is model or (only is not None and other not in only) or other._meta.app_label == "admin":
            continue
        rows = other._base_manager.filter(**{f"{relation.field.name}__in": keys})
        reached = set(rows.values_list("pk", flat=True)) - found.get(other, set())
        found.setdefault(other, set()).update(reached)
        _collect(other, reached, found, depth - 1, only)


def _entries(model: type[models.Model], keys: Any) -> Q:
    return Q(table_name=model._meta.db_table, row_id__in=[str(key) for key in keys])


# -- filters


def _kinds() -> list[tuple[str, str]]:
    known = [m for m in apps.get_models() if hasattr(m._default_manager.none(), "visible_to")]
    return sorted(((m._meta.db_table, str(m._meta.verbose_name)) for m in known), key=lambda kind: kind[1])


class Filters(forms.Form):
    """What, who, when, and a text of the values or of the reason."""

    q = forms.CharField(required=False, max_length=100, label="Text", widget=UnfoldAdminTextInputWidget)
    kind = forms.ChoiceField(required=False, label="What", widget=UnfoldAdminSelectWidget)
    action = forms.ChoiceField(required=False, label="Was", widget=UnfoldAdminSelectWidget)
    person: forms.ModelChoiceField = forms.ModelChoiceField(
        None, required=False, label="Who", widget=UnfoldAdminSelectWidget
    )
    since = forms.DateField(required=False, label="From", widget=UnfoldAdminDateWidget)
    until = forms.DateField(required=False, label="To", widget=UnfoldAdminDateWidget)
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, is_of_person: bool) -> None:
        from django.contrib.auth import get_user_model

        super().__init__(request.GET)
        self.fields["kind"].choices = [("", "Everything"), *_kinds()]  # type: ignore[attr-defined]
        self.fields["action"].choices = [("", "Anything"), *list(ACTIONS.items())]  # type: ignore[attr-defined]
        self.fields["person"].queryset = get_user_model()._default_manager.visible_to(request.user)  # type: ignore[attr-defined]
        self.fields["person"].empty_label = "Everybody"  # type: ignore[attr-defined]
        if is_of_person:
            del self.fields["person"]

    def applied(self, entries: QuerySet) -> QuerySet:
        """``entries`` that match. What cannot be read matches nothing, and the form says why."""
        if not self.is_valid():
            return entries.none()
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        known = {
            "kind": lambda value: Q(table_name=value),
            "action": lambda value: Q(statement__action=value),
            "person": lambda value: Q(statement__person=value),
            "since": lambda value: Q(statement__at__gte=_midnight(value)),
            "until": lambda value: Q(statement__at__lt=_midnight(value + timedelta(days=1))),
        }
        for name, condition in known.items():
            if name in given:
                entries = entries.filter(condition(given[name]))
        return _holding(entries, given["q"]) if "q" in given else entries


def _holding(entries: QuerySet, text: str) -> QuerySet:
    entries = entries.alias(old_text=Cast("old", TextField()), new_text=Cast("new", TextField()))
    found = Q(old_text__icontains=text) | Q(new_text__icontains=text) | Q(statement__reason__icontains=text)
    return entries.filter(found)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())


# -- the page


def trail_page(
    request: HttpRequest, entries: QuerySet, *, title: str, back: tuple[str, str] | None = None, of_person: bool = False,
    own_url: str = "", opts: Any = None,
) -> HttpResponseBase:  # fmt: skip
    """``entries`` as a page, or with ``?format=csv`` as a file, after the filters of the request."""
    filters = Filters(request, of_person)
    chosen = filters.applied(entries)
    if request.GET.get("format") == "csv" and filters.is_valid():
        return _download(request, chosen, title)
    before = filters.cleaned_data.get("before") if filters.is_valid() else None
    shown = list((chosen.filter(pk__lt=before) if before else chosen)[: PER_PAGE + 1])
    has_older, shown = len(shown) > PER_PAGE, shown[:PER_PAGE]
    query = request.GET.copy()
    query.pop("before", None)
    csv_query = query.copy()
    csv_query["format"] = "csv"
    older = query.copy()
    if has_older:
        older["before"] = str(shown[-1].pk)
    n = chosen.order_by().values("pk")[: COUNTED + 1].count()
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": opts,
        "filters": filters,
        "events": tell(request, shown),
        "n": f"more than {COUNTED}" if n > COUNTED else str(n),
        "is_one": n == 1,
        "is_filtered": bool(query),
        "newest_url": f"?{query.urlencode()}" if before else "",
        "older_url": f"?{older.urlencode()}" if has_older else "",
        "csv_url": f"?{csv_query.urlencode()}",
        "back": back,
        "own_url": own_url,
        "may_audit": may_audit(request.user),
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "labdb/trail.html", context)


def of_person_page(request: HttpRequest, pk: Any = None) -> HttpResponseBase:
    """What a person did. Raises PermissionDenied where it is another's and the viewer audits nothing."""
    from django.contrib.auth import get_user_model

    if pk is not None and pk != request.user.pk and not may_audit(request.user):
        raise PermissionDenied
    people = get_user_model()._default_manager.visible_to(request.user)
    person = people.filter(pk=pk or request.user.pk).first()
    if person is None:
        raise Http404("There is no such person.")
    title = "What you did" if person.pk == request.user.pk else f"What {person} did"
    return trail_page(request, visible_entries(request).filter(statement__person=person), title=title, of_person=True)


def of_laboratory_page(request: HttpRequest) -> HttpResponseBase:
    if not may_audit(request.user):
        raise PermissionDenied
    return trail_page(request, visible_entries(request), title="Trail of the laboratory")


def person_url(person: Any) -> str:
    """What the person did."""
    return reverse("admin:trail_person", args=[person.pk])


def urls(site: Any) -> list[URLPattern]:
    return [
        path("trail/", site.admin_view(of_laboratory_page), name="trail"),
        path("trail/mine/", site.admin_view(of_person_page), name="trail_mine"),
        path("trail/person/<uuid:pk>/", site.admin_view(of_person_page), name="trail_person"),
    ]


register_entry(Entry("Work", "What I did", "admin:trail_mine", "person_search", 90))
# Auditors find it on the other pages of the trail: asking for them here would cost every page a query.
register_entry(Entry("Laboratory", "Trail", "admin:trail", "history", 95, lambda request: sees_all(request.user)))


# -- CSV


def _download(request: HttpRequest, entries: QuerySet, title: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(request, entries), content_type="text/csv; charset=utf-8")
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower()).strip("-")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(request: HttpRequest, entries: QuerySet) -> Iterator[str]:
    """One line a changed field, the newest first; read and named in pieces."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    last = None
    while piece := list((entries.filter(pk__lt=last) if last else entries)[:CHUNK]):
        last = piece[-1].pk
        for event in tell(request, piece):
            head = [timezone.localtime(event.at).isoformat(), event.person, event.door, event.reason]
            for change in event.changes:
                what = [change.action, change.kind, str(change.row), change.entry.row_id]
                fields: list[FieldChange | None] = [*change.fields]
                for each in fields or [None]:
                    told = ["", "", ""] if each is None else [each.label, str(each.old or ""), str(each.new or "")]
                    yield writer.writerow([harmless(cell) for cell in (*head, *what, *told)])
