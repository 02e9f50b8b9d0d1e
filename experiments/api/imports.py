"""Imports of a laboratory's own sheets: templates, runs, and every row with its problems."""

from experiments.models import ImportRow, ImportRun, ImportTemplate
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords


class ImportTemplateSerializer(RecordSerializer):
    class Meta:
        model = ImportTemplate
        fields = ("id", "name", "kind", "mapping")


class ImportTemplates(ReadRecords, AddRecords, ChangeRecords):
    """Which column of a sheet holds what."""

    serializer_class = ImportTemplateSerializer
    filters = ("name", "kind")
    ordering = ("name",)


class ImportRunSerializer(RecordSerializer):
    class Meta:
        model = ImportRun
        fields = ("id", "source_file", "template", "mapping", "state", "valid_rows_only", "job", "counts", "created_at")
        read_only_fields = fields


class ImportRuns(ReadRecords):
    """Files read through templates. Nothing is written to the record before a person takes the rows."""

    serializer_class = ImportRunSerializer
    filters = ("source_file", "template", "state")
    ordering = ("-created_at",)


class ImportRowSerializer(RecordSerializer):
    class Meta:
        model = ImportRow
        fields = ("id", "run", "sheet", "row_number", "cells", "problems", "is_valid")
        read_only_fields = fields


class ImportRows(ReadRecords):
    """Rows of a file as they came, with everything that is wrong with them."""

    serializer_class = ImportRowSerializer
    filters = ("run", "sheet", "row_number", "is_valid")
    ordering = ("run_id", "sheet", "row_number")
