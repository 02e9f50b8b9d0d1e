"""What the workers do for an import of a record table."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from experiments.actions.imports.tables import TABLES, Table
from experiments.actions.imports.tables.cells import ISO
from experiments.actions.imports.tables.checking import Check, TableReading, told
from experiments.actions.imports.tables.reading import read_table
from experiments.models import ImportRow, ImportRun
from experiments.sheets.files import read_workbook
from experiments.sheets.problems import ProblemLog
from experiments.sheets.workbook import Limits, WorkbookRefused
from labdb.base.bulk import BulkRefused

TABLE_LIMITS = Limits(cells=1_500_000)  # 100,000 rows of the widest table
SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class TableRead:
    """A file beside the record, ready to be stored or written."""

    sheet: TableReading
    table: Table
    by: Any

    def counts(self) -> dict[str, Any]:
        counts = self.sheet.counts()
        return {**counts, "new": {self.table.name: counts["rows"] - counts["rows_excluded"]}, "already": {}}

    def size(self) -> int:
        return len(self.sheet.source_rows)

    def write(self, run: ImportRun, progress: Any) -> dict[str, Any]:
        """Write the rows that were valid when the file was checked.

        Raises:
            ValidationError: a rule refuses one of them by now; its place is named.
        """
        rows = self.sheet.rows
        assert rows is not None
        valid = set(ImportRow.objects.filter(run=run, is_valid=True).values_list("row_number", flat=True))
        indexes = [index for index, row in enumerate(self.sheet.source_rows) if row.number in valid]
        try:
            self.table.write(rows.only(indexes), self.by)
        except BulkRefused as refused:
            named = [f"{rows.places[indexes[p.row]]}, {p.field}: {p.message}" for p in refused.problems]
            more = [f"and {len(named) - SHOWN_PROBLEMS} more"] if len(named) > SHOWN_PROBLEMS else []
            raise ValidationError(named[:SHOWN_PROBLEMS] + more) from refused
        progress(len(indexes), len(rows))
        return self.counts() | {"rows_excluded": len(rows) - len(indexes), "new": {self.table.name: len(indexes)}}


def read_record_table(run: ImportRun, by: Any, *, rehearse: bool) -> TableRead:
    """The run's file beside the record of now."""
    table, file, how = TABLES[run.table], run.source_file, run.mapping
    try:
        workbook = read_workbook(
            file.read(),
            file.name,
            encoding=how.get("encoding", ""),
            delimiter=how.get("delimiter", ""),
            limits=TABLE_LIMITS,
        )
    except WorkbookRefused as refusal:
        return TableRead(TableReading("", refusal.problems), table, by)
    given = ("experiment",) if file.experiment is not None else ()
    cells = read_table(workbook, table, how.get("decimal", "."), how.get("dates", ISO), given=given)
    if isinstance(cells, ProblemLog) or cells.log.refused:
        return TableRead(told(cells, workbook.notes), table, by)
    rows = Check(cells, by, file.experiment, file).run(rehearse=rehearse)
    return TableRead(told(cells, workbook.notes, rows), table, by)
