"""Assay runs: the list, the page with its buttons, and uploading a file."""

from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from assays.actions import accept_run, publish_run, quantify_again, reject_run, upload_plate_file
from assays.admin.upload import given, upload_form
from assays.models import AssayRun
from experiments.admin.links import badge
from experiments.admin.studies import OfExperiment
from labdb.base.access import may
from labdb.base.admin import PageMixin, Verb, VerbOwnedAdmin, show_errors
from labdb.base.panels import Entry, register_entry

PAGE = "assay run"
STATE_COLOURS = {
    "draft": "", "quantified": "lab-warn", "accepted": "lab-good", "rejected": "lab-bad", "published": "lab-good",
}  # fmt: skip
UPLOAD = SimpleNamespace(
    label="Upload a file",
    explanation="A plate reader's file, or a sheet of follicle counts (animal, side, section, class, count). It is kept "
    "as it came, and evaluated in the background.",
)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="It is kept with the run.")


def _accept(request: HttpRequest, run: AssayRun, answers: dict[str, Any]) -> str:
    accept_run(run=run, by=request.user)
    return "The run is accepted. It no longer changes; its results can be published."


def _reject(request: HttpRequest, run: AssayRun, answers: dict[str, Any]) -> str:
    reject_run(run=run, by=request.user, **answers)
    return "The run is rejected. It stays here and is never published."


def _publish(request: HttpRequest, run: AssayRun, answers: dict[str, Any]) -> str:
    return f"{publish_run(run=run, by=request.user)} observations are recorded."


def _again(request: HttpRequest, run: AssayRun, answers: dict[str, Any]) -> str:
    quantify_again(run=run, by=request.user)
    return "The run is evaluated once more."


def _is(*states: str) -> Any:
    return lambda run: run.state in states


@admin.register(AssayRun)
class AssayRunAdmin(PageMixin, VerbOwnedAdmin):
    page = PAGE
    page_template = "assays/run_page.html"
    is_searched = True
    verbs = (
        Verb("accept", "Accept", _accept, "check_circle", "accept", is_shown=_is("quantified"), is_primary=True),
        Verb("publish", "Publish", _publish, "publish", "publish", is_shown=_is("accepted"), is_primary=True),
        Verb(
            "reject", "Reject", _reject, "block", "reject", ReasonForm, is_shown=_is("draft", "quantified", "accepted")
        ),
        Verb("again", "Evaluate again", _again, "refresh", is_shown=_is("draft", "quantified")),
    )
    list_display = ["name", "experiment", "measured", "shown_state", "uploaded_by", "uploaded_at"]
    list_filter = ["state", ("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment", "endpoint", "source_file", "uploaded_by"]
    search_fields = ["source_file__name", "experiment__code", "kit_lot"]
    fields = [("experiment", "endpoint"), ("kind", "reader"), "source_file", "layout_file", "parameters"]
    fields += [("kit_name", "kit_lot"), ("kit_lloq", "kit_lloq_unit"), ("state", "decision_reason")]

    @admin.display(description="file", ordering="source_file__name")
    def name(self, row: AssayRun) -> str:
        return row.source_file.name

    @admin.display(description="measures", ordering="endpoint__name")
    def measured(self, row: AssayRun) -> str:
        return str(row.endpoint) if row.endpoint else row.get_kind_display()

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: AssayRun) -> Any:
        return state_badge(row)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "add", AssayRun)

    def page_context(self, request: HttpRequest, row: AssayRun) -> dict[str, Any]:
        return {
            "state": state_badge(row),
            "title": row.source_file.name,
            "edit_url": "",
        }  # nothing to edit: verbs own it

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Uploading is the only way a run begins."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form_class = upload_form(request)
        if request.method == "POST":
            form = form_class(request.POST, request.FILES)
            if form.is_valid():
                try:
                    run = upload_plate_file(by=request.user, **given(form.cleaned_data))
                except (ValidationError, IntegrityError) as error:
                    show_errors(form, error)
                else:
                    messages.success(request, "The file is kept. It is evaluated in the background.")
                    return HttpResponseRedirect(self.page_url(run))
        else:
            form = form_class(initial={"experiment": request.GET.get("experiment")})
        return self._upload_page(request, form)

    def _upload_page(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": UPLOAD.label,
            "row": "",
            "row_url": reverse("admin:assays_assayrun_changelist"),
            "verb": UPLOAD,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "labdb/verb.html", context)


def state_badge(run: AssayRun) -> Any:
    return badge(run.get_state_display(), STATE_COLOURS[run.state])


register_entry(Entry("Assays", "Assay runs", "admin:assays_assayrun_changelist", "biotech", 10))
