"""Record tables for the tests of imports: a file made from a payload, and its way through the verbs."""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import timezone

from experiments.actions import imports
from experiments.actions.imports.tables import KEYS, TABLES
from experiments.models import Enrolment, ImportRow, ImportRun
from tests.experiments.sheet_imports import done
from tests.science.sheet_builders import csv_bytes, xlsx

TABLE_OF = {table.model: table for table in TABLES.values()}


def sheet_of(table: str, *rows: dict[str, Any]) -> bytes:
    """An XLSX whose headers are the keys of all ``rows``."""
    return xlsx([*_grid(rows)], sheet=table)


def csv_of(*rows: dict[str, Any], **how: Any) -> bytes:
    return csv_bytes([*_grid(rows)], **how)


def _grid(rows: tuple[dict[str, Any], ...]) -> list[list[Any]]:
    headers = list(dict.fromkeys(header for row in rows for header in row))
    return [headers, *([row.get(header) for header in headers] for row in rows)]


def check(table: str, data: bytes, by: Any, name: str = "rows.xlsx", **more: Any) -> ImportRun:
    return done(imports.check_table(data=data, name=name, table=table, by=by, **more))


def row_of(payload: dict[str, Any], model: type[models.Model]) -> dict[str, Any]:
    """What a person types into the table of ``model`` for a row with these values."""
    columns = TABLE_OF[model].by_field
    typed: dict[str, Any] = {}
    for field, value in payload.items():
        typed[columns[field].header if field in columns else field] = _typed(value)
    experiment = next((v.experiment for v in payload.values() if getattr(v, "experiment_id", None)), None)
    if experiment is not None and "experiment" not in typed:
        typed["experiment"] = experiment.code
    return typed


def _typed(value: Any) -> Any:
    if isinstance(value, Enrolment):
        return value.animal.lab_id
    if isinstance(value, models.Model):
        return getattr(value, KEYS[type(value)].name)
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, (date, int)) or value is None else str(value)


def told(run: ImportRun) -> list[tuple[str, str]]:
    """(header, message) of every problem, of the file first."""
    rows = ImportRow.objects.filter(run=run).order_by("row_number").values_list("problems", flat=True)
    return [(p["header"], p["expected"]) for p in [*run.problems, *(p for row in rows for p in row)]]
