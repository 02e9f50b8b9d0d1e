"""Importing a table of records: choose the type, take its template, send the file filled in."""

import io
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from experiments.actions.imports import check_table
from experiments.actions.imports.tables import ENDINGS, TABLES, Table, table_file
from experiments.actions.imports.tables.cells import DATE_FORMATS, ISO
from experiments.models import Experiment
from labdb.base.access import may
from labdb.base.admin import show_errors
from labdb.base.panels import Panel, list_page, register_panel

DELIMITERS = [("", "the one of the header line"), (",", "comma"), (";", "semicolon"), ("\t", "tab")]
DECIMALS = [(".", "21.4 (point)"), (",", "21,4 (comma)")]


def table_form(request: HttpRequest) -> type[forms.Form]:
    """The form of an import of a table, with what this person may choose."""
    known = [
        (table.name, table.title.capitalize()) for table in TABLES.values() if may(request.user, "add", table.model)
    ]
    experiments = Experiment.objects.visible_to(request.user)

    class TableForm(forms.Form):
        table = forms.ChoiceField(
            choices=known, widget=UnfoldAdminSelectWidget, help_text="One row of the file is one."
        )
        file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="The template, filled in: XLSX or CSV.")
        experiment = forms.ModelChoiceField(
            experiments,
            required=False,
            widget=UnfoldAdminSelectWidget,
            help_text="Every row must be of it, and the column experiment may be left out. Its members see the import.",
        )
        decimal = forms.ChoiceField(
            choices=DECIMALS, initial=".", widget=UnfoldAdminSelectWidget, help_text="Of numbers written as text."
        )
        dates = forms.ChoiceField(
            choices=list(DATE_FORMATS.items()),
            initial=ISO,
            widget=UnfoldAdminSelectWidget,
            help_text="The 9th of March written as text. Cells with a date format are read as they are.",
        )
        delimiter = forms.ChoiceField(
            choices=DELIMITERS, required=False, widget=UnfoldAdminSelectWidget, help_text="Of a CSV file."
        )

    return TableForm


def table_urls(page: Any) -> list[URLPattern]:
    """The upload form of tables, and their templates."""

    def upload(request: HttpRequest) -> HttpResponse:
        return _upload(page, request)

    def template(request: HttpRequest, table: str, ending: str) -> FileResponse:
        return _template(page, request, table, ending)

    wrap = page.admin_site.admin_view
    return [
        path("table/", wrap(upload), name="experiments_importrun_table_add"),
        path("table/<slug:table>.<slug:ending>", wrap(template), name="experiments_importrun_template"),
    ]


def _upload(page: Any, request: HttpRequest) -> HttpResponse:
    if not page.has_add_permission(request):
        raise PermissionDenied
    form_class = table_form(request)
    form = (
        form_class(request.POST, request.FILES) if request.method == "POST" else form_class(initial=request.GET.dict())
    )
    if form.is_bound and form.is_valid():
        answers = dict(form.cleaned_data)
        file = answers.pop("file")
        try:
            run = check_table(data=file.read(), name=file.name, by=request.user, **answers)
            return HttpResponseRedirect(page.page_url(run))
        except ValidationError as error:
            show_errors(form, error)
    offered = [(name, title, _links(name)) for name, title in form.fields["table"].choices]  # type: ignore[attr-defined]
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": "Import a table",
        "form": form,
        "offered": offered,
    }
    return TemplateResponse(request, "experiments/import_table.html", context)


def _leading_here(table: Table) -> Panel:
    """The button above the list of the records."""

    def context(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
        if not may(request.user, "add", table.model):
            return None
        return {"url": f"{reverse('admin:experiments_importrun_table_add')}?table={table.name}"}

    return Panel(list_page(table.model), "import", "Import", "experiments/import_link.html", context)


for _table in TABLES.values():
    register_panel(_leading_here(_table))


def _links(table: str) -> list[tuple[str, str]]:
    return [(e.upper(), reverse("admin:experiments_importrun_template", args=[table, e])) for e in ENDINGS]


def _template(page: Any, request: HttpRequest, table: str, ending: str) -> FileResponse:
    if not page.has_add_permission(request):
        raise PermissionDenied
    if table not in TABLES or ending not in ENDINGS:
        raise Http404("There is no such template.")
    file = io.BytesIO(table_file(TABLES[table], ending))
    return FileResponse(file, as_attachment=True, filename=f"{table}.{ending}", content_type=ENDINGS[ending])
