"""A file into the columns of a record table: headers, cells, and every problem of both. Nothing is looked up."""

import difflib
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from experiments.actions.imports.tables.cells import Notation, read_cell
from experiments.actions.imports.tables.columns import Column, Kind, Table
from experiments.sheets import table as sheets
from experiments.sheets.problems import Place, ProblemLog, first_few
from experiments.sheets.values import Unreadable, as_text
from experiments.sheets.workbook import Workbook

HEADER_ROW = 1


@dataclass
class Cells:
    """The cells of a file under the headers of ``table``. Row ``i`` of every column is the sheet's row ``numbers[i]``."""

    table: Table
    sheet: sheets.Table
    columns: dict[str, int]  # header → where it stands
    log: ProblemLog
    numbers: list[int] = field(default_factory=list)
    raw: dict[str, list[object]] = field(default_factory=dict)
    values: dict[str, list[Any]] = field(default_factory=dict)

    def place(self, index: int, header: str = "") -> Place:
        column = self.columns.get(header)
        number = self.numbers[index]
        return Place(self.sheet.sheet.name, number) if column is None else self.sheet.place(number, column)

    def shown(self, index: int, header: str) -> object:
        return self.raw[header][index] if header in self.raw else ""

    def is_valid(self, index: int) -> bool:
        return self.numbers[index] not in self.log.rows_in_error

    def refuse(self, index: int, header: str, sentence: str, rule: str) -> None:
        """A rule of the record refuses the row at this column; without one at the row."""
        self.log.refuse_row(self.place(index, header), self.shown(index, header), sentence, rule)


def read_table(
    workbook: Workbook, table: Table, decimal: str, dates: str, *, given: tuple[str, ...] = ()
) -> Cells | ProblemLog:
    """The file's cells as values, or only what is wrong where its headers do not fit.

    ``given`` are headers whose value is known for the whole file, so that they may be left out.
    """
    log = ProblemLog()
    own = table.name if any(sheet.name == table.name for sheet in workbook.sheets) else ""
    sheet = sheets.open_table(workbook, own, HEADER_ROW, log)
    if sheet is None:
        return log
    cells = Cells(table, sheet, _headers(sheet, table, given, log), log)
    sheets.check_cells(sheet, cells.columns.values(), log)
    if not log.refused:
        _read_values(cells, Notation(decimal, dates, sheet.sheet.serial_epoch))
    return cells


def _headers(sheet: sheets.Table, table: Table, given: tuple[str, ...], log: ProblemLog) -> dict[str, int]:
    known = [column.header for column in table.columns]
    found: dict[str, int] = {}
    width = max((len(values) for _, values in sheet.rows), default=0)
    for index in range(max(len(sheet.headers), width if sheet.sheet.serial_epoch else 0)):
        header = sheet.headers[index] if index < len(sheet.headers) else ""
        place = sheet.place(HEADER_ROW, index)
        if not header:
            filled = [number for number, values in sheet.rows if index < len(values) and as_text(values[index])]
            if filled:
                log.refuse(place, f"cells from row {filled[0]} on", "a header above the cells", "header_missing")
        elif header in found:
            log.refuse(place, header, "each header once", "header_twice")
        elif header in known:
            found[header] = index
        else:
            near = difflib.get_close_matches(header, known, 1)
            hint = f"{near[0]}, perhaps" if near else f"one of {', '.join(known)}"
            log.refuse(place, header, f"a column of {table.name}: {hint}", "column_unknown")
    for column in table.columns:
        if column.is_required and column.header not in found and column.header not in given:
            expected = (
                f"a column with the header {column.header}; the sheet has {first_few(filter(None, sheet.headers), 12)}"
            )
            log.refuse(Place(sheet.sheet.name, HEADER_ROW), "", expected, "header_missing")
    return found


def _read_values(cells: Cells, notation: Notation) -> None:
    rows = cells.sheet.rows
    cells.numbers = [number for number, _ in rows]
    for column in cells.table.columns:
        index = cells.columns.get(column.header)
        if index is None:
            cells.values[column.header] = [_empty(cells.table, column)] * len(rows)
            continue
        raw = [values[index] if index < len(values) else None for _, values in rows]
        cells.raw[column.header] = raw
        cells.values[column.header] = _read_column(cells, column, raw, notation)


def _read_column(cells: Cells, column: Column, raw: list[object], notation: Notation) -> list[Any]:
    """Each distinct cell is read once: columns of long tables repeat themselves."""
    known: dict[tuple[type, object], Any] = {}
    empty, values = _empty(cells.table, column), []
    for index, cell in enumerate(raw):
        key = (type(cell), cell)
        if key not in known:
            known[key] = _read(column, cell, notation, empty)
        value = known[key]
        if isinstance(value, Unreadable):
            cells.log.error(cells.place(index, column.header), cell, str(value), f"unreadable_{column.header}")
            value = None
        values.append(value)
    return values


def _read(column: Column, cell: object, notation: Notation, empty: Any) -> Any:
    if not as_text(cell):
        return empty
    try:
        return read_cell(column, cell, notation)
    except Unreadable as unreadable:
        return unreadable


def _empty(table: Table, column: Column) -> Any:
    """What an empty cell means: the field's default, unknown, or no text. The field itself refuses it where it must."""
    if not column.field:
        return None
    found: Any = table.model._meta.get_field(column.field)
    if found.has_default():
        return found.get_default()
    return (
        ""
        if column.kind in (Kind.TEXT, Kind.CHOICE) and not found.null and isinstance(found, models.CharField)
        else None
    )
