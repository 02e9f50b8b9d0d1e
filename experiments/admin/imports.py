"""Importing a laboratory's own sheet: choose the file and the template, see every row with its errors, take or leave it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from experiments.actions.imports import check_sheet, discard_import, take_import, undo_import
from experiments.actions.imports.undo import LONGEST_REASON
from experiments.admin.home import told_job
from experiments.admin.import_tables import table_urls
from experiments.admin.links import STATE_COLOURS, badge, list_url
from experiments.models import Experiment, ImportRow, ImportRun, ImportTemplate
from labdb.base.admin import DoorAdmin, PageMixin, Verb, VerbOwnedAdmin, show_errors
from labdb.base.panels import Entry, register_entry
from labdb.base.trail.models import TrailEntry

SHOWN_PROBLEMS = 100
RUN_COLOURS = {
    "checked": "lab-warn",
    "taken": "lab-good",
    "discarded": "",
    "undone": "",
    "checking": "lab-warn",
    "taking": "lab-warn",
}


@admin.register(ImportTemplate)
class ImportTemplateAdmin(DoorAdmin):
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    search_fields = ["name"]


def sheet_form(request: HttpRequest) -> type[forms.Form]:
    """The form of an import, with what this person may choose."""
    templates = ImportTemplate.objects.visible_to(request.user).filter(kind="animals")
    experiments = Experiment.objects.visible_to(request.user)

    class SheetForm(forms.Form):
        file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="XLSX or CSV, as it is.")
        template = forms.ModelChoiceField(
            templates,
            widget=UnfoldAdminSelectWidget,
            help_text="Which column holds what. It is kept for the next file.",
        )
        experiment = forms.ModelChoiceField(
            experiments,
            required=False,
            widget=UnfoldAdminSelectWidget,
            help_text="Every row must be of it. Empty: the sheet names its experiments.",
        )
        masking = forms.ChoiceField(
            choices=[("", "as the template says"), *Experiment.Masking.choices],
            required=False,
            widget=UnfoldAdminSelectWidget,
            help_text="Of the experiments that the sheet opens.",
        )

    return SheetForm


def _take(valid_rows_only: bool) -> Any:
    def run(request: HttpRequest, row: ImportRun, answers: dict[str, Any]) -> str:
        take_import(run=row, by=request.user, valid_rows_only=valid_rows_only)
        return "The rows are being written; the progress stands below."

    return run


class UndoForm(forms.Form):
    reason = forms.CharField(
        max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="Why the rows are taken back."
    )


def _undo(request: HttpRequest, row: ImportRun, answers: dict[str, Any]) -> str:
    undo_import(run=row, by=request.user, reason=answers["reason"])
    return "Everything that this import wrote was taken back. The file can be imported again."


def _is_taken(row: ImportRun) -> bool:
    return row.state == ImportRun.State.TAKEN


def _discard(request: HttpRequest, row: ImportRun, answers: dict[str, Any]) -> str:
    discard_import(run=row, by=request.user)
    return "Nothing was taken. The rows and their errors stay here."


def _is_open(row: ImportRun) -> bool:
    has_failed = row.state == ImportRun.State.TAKING and row.job is not None and row.job.state == "failed"
    return row.state == ImportRun.State.CHECKED or has_failed


def _is_refused(row: ImportRun) -> bool:
    return any(problem["effect"] == "file_refused" for problem in row.problems)


def _is_clean(row: ImportRun) -> bool:
    return _is_open(row) and not _is_refused(row) and not row.rows.filter(is_valid=False).exists()


def _is_partly_valid(row: ImportRun) -> bool:
    return _is_open(row) and not _is_refused(row) and not _is_clean(row) and row.rows.filter(is_valid=True).exists()


@admin.register(ImportRun)
class ImportRunAdmin(PageMixin, VerbOwnedAdmin):
    page = "import run"
    page_template = "experiments/import_page.html"
    verbs = (
        Verb("take", "Take all rows", _take(False), icon="done_all", is_shown=_is_clean, is_primary=True),
        Verb("take-valid", "Take the valid rows", _take(True), icon="rule", is_shown=_is_partly_valid, is_primary=True),
        Verb("discard", "Take none", _discard, icon="block", is_shown=_is_open),
        Verb(
            "undo",
            "Undo the import",
            _undo,
            icon="undo",
            form=UndoForm,
            explanation="Every row that this import wrote is taken back, all or none. Where other rows depend on them, or"
            " they were changed since, nothing happens and these are named.",
            is_shown=_is_taken,
        ),
    )
    list_display = ["source_file", "shown_reading", "shown_state", "created_at"]
    list_filter = ["state"]
    list_select_related = ["source_file", "template"]
    search_fields = ["source_file__name", "template__name"]
    fields = ["source_file", "template", "table", "state", "counts", "mapping", "created_at", "job"]

    def get_urls(self) -> list[URLPattern]:
        return [*table_urls(self), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, "add", None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form_class = sheet_form(request)
        form = form_class(request.POST, request.FILES) if request.method == "POST" else form_class()
        if form.is_bound and form.is_valid():
            try:
                return HttpResponseRedirect(self.page_url(self._check(request, form.cleaned_data)))
            except ValidationError as error:
                show_errors(form, error)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Import a sheet", "form": form}
        return TemplateResponse(request, "experiments/import_upload.html", context)

    def _check(self, request: HttpRequest, answers: dict[str, Any]) -> ImportRun:
        file = answers.pop("file")
        answers["masking"] = answers["masking"] or None
        return check_sheet(data=file.read(), name=file.name, by=request.user, **answers)

    def page_context(self, request: HttpRequest, row: ImportRun) -> dict[str, Any]:
        invalid = ImportRow.objects.filter(run=row, is_valid=False)
        n_invalid, n_rows = invalid.count(), ImportRow.objects.filter(run=row).count()
        told = [
            {**problem, "of": each}
            for each in ImportRow.objects.filter(run=row)
            .exclude(problems=[])
            .order_by("sheet", "row_number")[:SHOWN_PROBLEMS]
            for problem in each.problems
        ]
        return {
            "edit_url": "",
            "is_refused": _is_refused(row),
            "state": self.shown_state(row),
            "reading": self.shown_reading(row),
            "undone": _told_undoing(row),
            "jobs": [told_job(row.job)] if row.job else [],
            "is_working": row.job is not None and row.job.state in ("queued", "running"),
            "n_rows": n_rows,
            "n_invalid": n_invalid,
            "told": told,
            "n_with_problems": ImportRow.objects.filter(run=row).exclude(problems=[]).count(),
            "n_shown": SHOWN_PROBLEMS,
            "rows_url": list_url("importrow", run__id=row.pk),
        }

    @admin.display(description="read as", ordering="table")
    def shown_reading(self, row: ImportRun) -> str:
        return f"Table of {row.table}" if row.table else str(row.template)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: ImportRun) -> Any:
        return badge(row.get_state_display(), RUN_COLOURS.get(row.state, STATE_COLOURS["queued"]))


def _told_undoing(row: ImportRun) -> str:
    """Who took the rows back, when and why, as the trail tells it."""
    if row.state != ImportRun.State.UNDONE:
        return ""
    entries = TrailEntry.objects.of_row(ImportRun, row.pk).filter(new__state=row.state)
    statement = entries.select_related("statement__person").get().statement
    at = timezone.localtime(statement.at)
    return f"Taken back by {statement.person or statement.db_role} on {at:%Y-%m-%d at %H:%M}: {statement.reason}"


@admin.register(ImportRow)
class ImportRowAdmin(VerbOwnedAdmin):
    list_display = ["sheet", "row_number", "shown_validity", "first_problem", "run"]
    list_filter = ["is_valid"]
    list_select_related = ["run__source_file", "run__template"]
    search_fields = ["sheet"]
    fields = ["run", ("sheet", "row_number"), "is_valid", "cells", "problems"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup.startswith("run__id") or super().lookup_allowed(lookup, value, request)

    @admin.display(description="row", ordering="is_valid")
    def shown_validity(self, row: ImportRow) -> Any:
        return badge("valid", "lab-good") if row.is_valid else badge("has errors", "lab-bad")

    @admin.display(description="first problem")
    def first_problem(self, row: ImportRow) -> str:
        return str(row.problems[0].get("message", "")) if row.problems else "–"


register_entry(Entry("Work", "Imports", "admin:experiments_importrun_changelist", "upload_file", 5))
register_entry(Entry("Work", "Import templates", "admin:experiments_importtemplate_changelist", "table_view", 7))
