"""Imports of a laboratory's own sheets: templates, runs, and every row with its problems."""

import io
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.imports import check_sheet, check_table, discard_import, take_import, undo_import
from experiments.actions.imports.tables import ENDINGS, TABLES, Table, table_file
from experiments.actions.imports.tables.cells import DATE_FORMATS
from experiments.actions.imports.tables.templates import choices
from experiments.models import Experiment, ImportRow, ImportRun, ImportTemplate
from labdb.base.rest.filters import parameter_field
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer, VisibleRelatedField, columns_of, serializers
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords
from labdb.base.rest.wire import Download, ExactJsonParser

JSON = [ExactJsonParser]


class ImportTemplateSerializer(RecordSerializer):
    class Meta:
        model = ImportTemplate
        fields = ("id", "name", "kind", "mapping")


class ImportTemplates(ReadRecords, AddRecords, ChangeRecords):
    """Which column of a sheet holds what. A mapping with faults is refused with all of them."""

    serializer_class = ImportTemplateSerializer
    filters = ("name", "kind")
    ordering = ("name",)


class ImportRunSerializer(RecordSerializer):
    file = serializers.FileField(write_only=True, allow_empty_file=True, max_length=250)
    experiment = VisibleRelatedField(
        queryset=Experiment.objects.all(),
        write_only=True,
        required=False,
        help_text="Where the whole file is of one experiment: its members see the run. Otherwise only you do.",
    )
    masking = serializers.ChoiceField(
        Experiment.Masking.choices,
        write_only=True,
        required=False,
        help_text="Of the experiments that the sheet opens; the template's unless told.",
    )

    decimal = serializers.CharField(
        max_length=1, write_only=True, required=False, help_text="How text writes numbers: “.” unless told, or “,”."
    )
    dates = serializers.CharField(
        max_length=20,
        write_only=True,
        required=False,
        help_text=f"How text writes dates, of a table: one of {', '.join(DATE_FORMATS)}; the first unless told.",
    )

    class Meta:
        model = ImportRun
        fields: tuple[str, ...] = (
            "id", "file", "experiment", "masking", "decimal", "dates", "source_file", "template", "table", "mapping",
            "state", "problems", "valid_rows_only", "job", "counts", "created_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = (
            "source_file", "mapping", "state", "problems", "valid_rows_only", "job", "counts", "created_at",
        )  # fmt: skip


class TakingSerializer(StrictSerializer):
    valid_rows_only = serializers.BooleanField(
        default=False, help_text="Take the rows without errors and leave the others; else any error refuses the whole."
    )


class UndoingSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class TableColumnSerializer(serializers.Serializer):
    header = serializers.CharField()
    holds = serializers.CharField()
    is_required = serializers.BooleanField()
    unit = serializers.CharField()
    choices = serializers.ListField(child=serializers.CharField())
    default = serializers.CharField()
    example = serializers.CharField()
    help = serializers.CharField()


class RecordTableSerializer(serializers.Serializer):
    """A type of record that can be imported, and the columns of its file."""

    table = serializers.CharField()
    title = serializers.CharField()
    columns = TableColumnSerializer(many=True)


class ImportRowSerializer(RecordSerializer):
    class Meta:
        model = ImportRow
        fields = ("id", "run", "sheet", "row_number", "cells", "problems", "is_valid")
        read_only_fields = fields


class ImportRuns(ReadRecords, AddRecords):
    """Files read through templates, or as tables of records. POST a file as multipart form with its ``template`` or
    ``table``, poll its ``job``, look at the rows, then take them.

    Nothing is written to the record before that, and what was taken can be undone.
    """

    serializer_class = ImportRunSerializer
    parser_classes = (MultiPartParser,)
    query_parameters = {"checked_rows": ("limit", "offset", "is_valid")}
    filters = ("source_file", "template", "table", "state")
    ordering = ("-created_at",)
    field_names = {"source_file": "file"}

    @extend_schema(responses={202: ImportRunSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep the file and ask for its reading; ``job`` tells how far that is."""
        answer = super().create(request, *args, **kwargs)
        answer.status_code = status.HTTP_202_ACCEPTED
        return answer

    def add(self, values: dict[str, Any]) -> ImportRun:
        file = values.pop("file")
        table, template = values.pop("table", ""), values.pop("template", None)
        if bool(table) == bool(template):
            raise ValidationError({"template": "Name either the template or the table through which the file is read."})
        left_over = {"masking"} if table else {"decimal", "dates"}
        if left_over & values.keys():
            told = f"It does not belong to a file that is read {'as a table' if table else 'through a template'}."
            raise ValidationError(dict.fromkeys(left_over & values.keys(), told))
        common = {"data": file.read(), "name": file.name, "by": self.request.user, **values}
        return check_table(table=table, **common) if table else check_sheet(template=template, **common)

    @extend_schema(responses=RecordTableSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None)
    def tables(self, request: Request) -> Response:
        """Every type of record that can be imported, with the columns of its file."""
        return Response([_described(table) for table in TABLES.values()])

    @extend_schema(
        parameters=[
            OpenApiParameter("table", str, OpenApiParameter.PATH, enum=list(TABLES)),
            OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=list(ENDINGS)),
        ],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        filters=False,
    )
    @action(
        detail=False, url_path="tables/<slug:table>.<slug:ending>", renderer_classes=[Download], pagination_class=None
    )
    def table_file(self, request: Request, table: str, ending: str) -> FileResponse:
        """An empty file of the type of record, to be filled in: its headers, and what each column holds."""
        if table not in TABLES or ending not in ENDINGS:
            raise NotFound("There is no such template.")
        file = io.BytesIO(table_file(TABLES[table], ending))
        return FileResponse(file, as_attachment=True, filename=f"{table}.{ending}", content_type=ENDINGS[ending])

    @extend_schema(
        parameters=[OpenApiParameter("is_valid", bool)],
        responses=ImportRowSerializer(many=True),
        filters=False,
    )
    @action(detail=True, url_path="rows")
    def checked_rows(self, request: Request, pk: Any) -> Response:
        """The rows of the file as they came, each with everything that is wrong with it."""
        rows: QuerySet = ImportRow.objects.filter(run=self.found())
        if "is_valid" in request.query_params:
            wanted = parameter_field(ImportRow, "is_valid").run_validation(request.query_params["is_valid"])
            rows = rows.filter(is_valid=wanted)
        names, joined = columns_of(ImportRowSerializer)
        page = self.paginate_queryset(rows.order_by("sheet", "row_number").values(*names, **joined))
        return self.get_paginated_response(page)

    @extend_schema(request=TakingSerializer, responses={202: ImportRunSerializer})
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def take(self, request: Request, pk: Any) -> Response:
        """Write the checked rows to the record, in one transaction; poll the job of the run that comes back."""
        run, given = self.found(), self.input(TakingSerializer, request.data)
        take_import(run=run, by=request.user, **given)
        return self.answer(run.pk, status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=ImportRunSerializer)
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def discard(self, request: Request, pk: Any) -> Response:
        """Close the run without taking anything."""
        run = self.found()
        discard_import(run=run, by=request.user)
        return self.answer(run.pk)

    @extend_schema(request=UndoingSerializer, responses=ImportRunSerializer)
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def undo(self, request: Request, pk: Any) -> Response:
        """Take back everything that the import wrote, or say which rows depend on it."""
        run, given = self.found(), self.input(UndoingSerializer, request.data)
        undo_import(run=run, by=request.user, **given)
        return self.answer(run.pk)


def _described(table: Table) -> dict[str, Any]:
    columns = [
        {
            "header": each.header,
            "holds": each.kind.value,
            "is_required": each.is_required,
            "unit": each.unit,
            "choices": list(choices(each)),
            "default": each.default,
            "example": each.example,
            "help": each.help,
        }
        for each in table.columns
    ]
    return {"table": table.name, "title": table.title, "columns": columns}


class ImportRows(ReadRecords):
    """Rows of a file as they came, with everything that is wrong with them."""

    serializer_class = ImportRowSerializer
    filters = ("run", "sheet", "row_number", "is_valid")
    ordering = ("run_id", "sheet", "row_number")
