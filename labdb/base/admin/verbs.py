"""Verbs as buttons: a POST, or a page with a small form where the verb asks for something (a reason)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from labdb.base.access import may
from labdb.base.acting import acting
from labdb.base.admin import reasons, versions
from labdb.base.admin.timeline import tell, told_value
from labdb.base.admin.versions import Versions
from labdb.base.errors import validation_error
from labdb.base.reasons import FIELD as REASON
from labdb.base.trail import changes_since


@dataclass(frozen=True)
class Verb:
    """A button on a row's page. ``run(request, row, answers)`` calls one verb and returns what to tell the person.

    ``form`` is a form class, or a function of (request, row) that returns one. ``asks`` is the word for ``may()``.
    """

    name: str
    label: str
    run: Callable[[HttpRequest, Any, dict[str, Any]], str | HttpResponse]
    icon: str = "play_arrow"
    asks: str = "change"
    form: Any = None
    explanation: str = ""
    is_shown: Callable[[Any], bool] = lambda row: True
    is_primary: bool = False


class VerbsMixin:
    """For a ModelAdmin: ``verbs`` become buttons of the row's pages at ``<row>/do/<verb>/``."""

    verbs: tuple[Verb, ...] = ()

    def verb_buttons(self, request: HttpRequest, row: Any, seen: Versions | None = None) -> list[dict[str, Any]]:
        """``seen``: what was known of the row before the page read it."""
        shown = [v for v in self.verbs if v.is_shown(row) and may(request.user, v.asks, row)]
        if not shown:
            return []
        signed = versions.sign(request, type(row), row.pk, seen or _present(row))
        # A template would call the form, so it is told here whether there is one.
        return [
            {"verb": v, "url": self.verb_url(row, v.name), "has_form": v.form is not None, "versions": signed}
            for v in shown
        ]

    def verb_url(self, row: Any, name: str) -> str:
        meta = self.model._meta  # type: ignore[attr-defined]
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name])

    def verb_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self.visible_row(request, object_id)  # type: ignore[attr-defined]
        verb = next((v for v in self.verbs if v.name == name), None)
        happened = _happened_since(request, row) if request.method == "POST" else ""
        if verb is None or not (verb.is_shown(row) or happened):
            raise Http404(f"There is nothing called “{name}” to be done here.")
        if not may(request.user, verb.asks, row):
            raise PermissionDenied
        if happened and not (verb.form and verb.is_shown(row)):
            messages.error(request, happened)
            return self._back(row)
        with acting(reason=reasons.given_reason(request)):
            return self._answer(request, row, verb, happened)

    def _answer(self, request: HttpRequest, row: Any, verb: Verb, happened: str) -> HttpResponse:
        form_class = verb.form(request, row) if callable(verb.form) and not isinstance(verb.form, type) else verb.form
        if form_class is None:
            return self._done(request, row, verb, {}) if request.method == "POST" else self._back(row)
        return self._ask(request, row, verb, form_class, happened)

    def _ask(
        self, request: HttpRequest, row: Any, verb: Verb, form_class: type[forms.Form], happened: str
    ) -> HttpResponse:
        is_sent = request.method == "POST"
        form = form_class(request.POST or None, request.FILES or None) if is_sent else form_class()
        if is_sent and form.is_valid():
            if happened:
                form.add_error(None, happened)
            else:
                try:
                    return self._tell(request, row, verb.run(request, row, form.cleaned_data))
                except (ValidationError, IntegrityError) as error:
                    if reasons.is_reason_missing(error):
                        form.fields[REASON] = reasons.ReasonForm(request).fields[REASON]
                    show_errors(form, error)
        if is_sent and REASON in request.POST:  # it was asked before
            form.fields[REASON] = reasons.ReasonForm(request).fields[REASON]
        return self._verb_page(request, row, verb, form)

    def _verb_page(self, request: HttpRequest, row: Any, verb: Verb, form: forms.Form) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.model._meta,  # type: ignore[attr-defined]
            "title": verb.label,
            "original": row,
            "row": row,
            "row_url": self.page_url(row),  # type: ignore[attr-defined]
            "verb": verb,
            "form": form,
            "versions": versions.sign(request, type(row), row.pk, _present(row)),
            "media": self.media + form.media,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "labdb/verb.html", context)

    def _done(self, request: HttpRequest, row: Any, verb: Verb, answers: dict[str, Any]) -> HttpResponse:
        try:
            return self._tell(request, row, verb.run(request, row, answers))
        except (ValidationError, IntegrityError) as error:
            if reasons.is_reason_missing(error):
                form = reasons.ReasonForm(request)
                show_errors(form, error)
                return self._verb_page(request, row, verb, form)
            told = validation_error(error) if isinstance(error, IntegrityError) else error
            messages.error(request, " ".join(told.messages))
            return self._back(row)

    def _tell(self, request: HttpRequest, row: Any, told: str | HttpResponse) -> HttpResponse:
        if isinstance(told, HttpResponse):
            return told
        messages.success(request, told)
        return self._back(row)

    def _back(self, row: Any) -> HttpResponse:
        return HttpResponseRedirect(self.page_url(row))  # type: ignore[attr-defined]


def _present(row: Any) -> Versions:
    return versions.present([(type(row), [row.pk])])


def _happened_since(request: HttpRequest, row: Any) -> str:
    """What happened to the row since the page was made from which a verb was sent; empty where nothing did."""
    seen = versions.read(request, type(row), row.pk)
    if seen is None:  # a page that says nothing of it: the verb itself asks what stands
        return ""
    entries = list(changes_since(type(row), row.pk, seen.of(type(row), row.pk)))
    if not entries:
        return ""
    told = []
    for event in tell(request, entries):
        labels = ", ".join(each.label for change in event.changes for each in change.fields)
        reason = f" (“{event.reason}”)" if event.reason else ""
        told.append(f"{event.person} changed {labels} at {told_value(event.at)}{reason}.")
    return f"Nothing was done: the page was made before {row} changed. {' '.join(told)}"


def show_errors(form: forms.Form, error: ValidationError | IntegrityError) -> None:
    """Put what a verb refused at the form's fields of the same name, the rest at its head."""
    told = validation_error(error) if isinstance(error, IntegrityError) else error
    named = told.message_dict if hasattr(told, "error_dict") else {NON_FIELD_ERRORS: told.messages}
    for name, texts in named.items():
        form.add_error(name if name in form.fields else None, texts)
