"""Imports of a laboratory's own sheets: templates, runs, and every row with its problems."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.imports import check_sheet, discard_import, take_import
from experiments.models import Experiment, ImportRow, ImportRun, ImportTemplate
from labdb.base.rest.filters import parameter_field
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer, VisibleRelatedField, columns_of, serializers
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords
from labdb.base.rest.wire import ExactJsonParser

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

    class Meta:
        model = ImportRun
        fields: tuple[str, ...] = (
            "id", "file", "experiment", "masking", "source_file", "template", "mapping", "state", "problems",
            "valid_rows_only", "job", "counts", "created_at",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = (
            "source_file", "mapping", "state", "problems", "valid_rows_only", "job", "counts", "created_at",
        )  # fmt: skip


class TakingSerializer(StrictSerializer):
    valid_rows_only = serializers.BooleanField(
        default=False, help_text="Take the rows without errors and leave the others; else any error refuses the whole."
    )


class ImportRowSerializer(RecordSerializer):
    class Meta:
        model = ImportRow
        fields = ("id", "run", "sheet", "row_number", "cells", "problems", "is_valid")
        read_only_fields = fields


class ImportRuns(ReadRecords, AddRecords):
    """Files read through templates. POST a file as multipart form, poll its ``job``, look at the rows, then take them.

    Nothing is written to the record before that.
    """

    serializer_class = ImportRunSerializer
    parser_classes = (MultiPartParser,)
    query_parameters = {"checked_rows": ("limit", "offset", "is_valid")}
    filters = ("source_file", "template", "state")
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
        return check_sheet(data=file.read(), name=file.name, by=self.request.user, **values)

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


class ImportRows(ReadRecords):
    """Rows of a file as they came, with everything that is wrong with them."""

    serializer_class = ImportRowSerializer
    filters = ("run", "sheet", "row_number", "is_valid")
    ordering = ("run_id", "sheet", "row_number")
