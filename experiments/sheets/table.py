"""One sheet of a workbook as a table: a header row, then rows. Says what it does not read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from experiments.sheets.problems import Place, ProblemLog, first_few
from experiments.sheets.reading import SourceRow
from experiments.sheets.values import as_text
from experiments.sheets.workbook import Sheet, Workbook, column_letter


@dataclass(frozen=True)
class Table:
    """`headers` are texts without outer blanks, `raw_headers` the cells; columns count from 0, rows from 1."""

    sheet: Sheet
    header_row: int
    raw_headers: tuple[object, ...]

    @cached_property
    def headers(self) -> tuple[str, ...]:
        return tuple(" ".join(as_text(value).split()) for value in self.raw_headers)

    @cached_property
    def rows(self) -> tuple[tuple[int, tuple[object, ...]], ...]:
        return tuple(row for row in self.sheet.rows if row[0] > self.header_row)

    def place(self, row: int, column: int) -> Place:
        header = self.headers[column] if column < len(self.headers) else ""
        return Place(self.sheet.name, row, column_letter(column), header)

    def column(self, header: str, log: ProblemLog) -> int | None:
        """Index of the column with this header; a missing or double one refuses the sheet."""
        wanted = " ".join(header.split())
        found = [index for index, name in enumerate(self.headers) if name == wanted]
        if not found:
            near = difflib.get_close_matches(wanted, self.headers, 1)
            hint = (
                f" (did you mean {near[0]!r}?)"
                if near
                else f"; the sheet has {first_few(filter(None, self.headers), 12)}"
            )
            place = Place(self.sheet.name, self.header_row)
            log.refuse(place, "", f"a column with the header {wanted!r}{hint}", "header_missing")
        elif len(found) > 1:
            log.refuse(self.place(self.header_row, found[1]), wanted, "each header once", "header_twice")
        return found[0] if found else None


def open_table(workbook: Workbook, sheet: str, header_row: int, log: ProblemLog) -> Table | None:
    """The sheet named, or the only visible one that is not empty; None, with the reason logged, when there is none."""
    chosen = _choose(workbook, sheet, log)
    if chosen is None:
        return None
    headers = next((values for number, values in chosen.rows if number == header_row), None)
    if headers is None:
        log.refuse(Place(chosen.name, header_row), "", f"the headers in row {header_row}", "header_row_empty")
        return None
    table = Table(chosen, header_row, headers)
    if not table.rows:
        log.refuse(Place(chosen.name), "", f"rows below the headers in row {header_row}", "no_rows")
    return table


def _choose(workbook: Workbook, name: str, log: ProblemLog) -> Sheet | None:
    if name:
        for sheet in workbook.sheets:
            if sheet.name == name:
                return sheet
        log.refuse(
            Place(workbook.name), first_few(sheet.name for sheet in workbook.sheets), f"a sheet named {name!r}", "sheet"
        )
        return None
    filled = [sheet for sheet in workbook.sheets if sheet.rows]
    visible = [sheet for sheet in filled if not sheet.hidden]
    for sheet in filled:
        if sheet.hidden:
            log.leave_out(
                Place(sheet.name), f"a hidden sheet of {len(sheet.rows)} rows", "no hidden sheets", "hidden_sheet"
            )
    if len(visible) == 1:
        return visible[0]
    names = first_few(sheet.name for sheet in visible)
    log.refuse(Place(workbook.name), names, "one filled sheet, or the template to name the sheet", "sheet_ambiguous")
    return None


def report_unread(table: Table, read: set[int], ignored: Sequence[str], log: ProblemLog) -> None:
    """Name every column with content that the template does not read and does not ignore on purpose."""
    skipped = {" ".join(header.split()) for header in ignored}
    width = max((len(values) for _, values in table.rows), default=0)
    for column in range(max(width, len(table.headers))):
        header = table.headers[column] if column < len(table.headers) else ""
        if column in read or (header and header in skipped):
            continue
        filled = [number for number, values in table.rows if column < len(values) and as_text(values[column])]
        if filled and (header or table.sheet.serial_epoch):
            expected = "a column that the template reads or ignores" if header else "a header above the cells"
            place = table.place(table.header_row, column)
            log.leave_out(place, header or f"{len(filled)} cells, first in row {filled[0]}", expected, "column_unread")


def check_cells(table: Table, read: Iterable[int], log: ProblemLog) -> None:
    """Cells that look empty but are not: under a merged range, or a formula that was never calculated."""
    columns = set(read)
    for row, column in sorted(table.sheet.uncached):
        if column - 1 in columns and row > table.header_row:
            expected = "a value; this formula has no stored result, so open the file in a spreadsheet and save it"
            log.error(table.place(row, column - 1), "a formula", expected, "formula_without_value")
    for top, left, bottom, right in table.sheet.merged:
        if columns.isdisjoint(range(left - 1, right)):
            continue
        text = f"cells merged {column_letter(left - 1)}{top}:{column_letter(right - 1)}{bottom}"
        for row in range(max(top, table.header_row), min(bottom, table.rows[-1][0] if table.rows else top) + 1):
            refuse = log.refuse if row == table.header_row else log.error
            refuse(
                table.place(row, left - 1), text, "cells that are not merged, each with its own value", "merged_cells"
            )
    if not table.sheet.serial_epoch:
        _check_widths(table, log)


def _check_widths(table: Table, log: ProblemLog) -> None:
    """In delimited text a row of another width is a lost quote, a decimal comma or a file cut off."""
    width = len(table.headers)
    for number, values in table.rows:
        extra = [as_text(value) for value in values[width:] if as_text(value)]
        if extra:
            place = table.place(number, width)
            log.error(place, first_few(extra), f"{width} cells as in the header row, not {len(values)}", "row_too_wide")
        elif len(values) < width:
            place = Place(table.sheet.name, number)
            log.warn(place, f"{len(values)} cells", f"{width} cells as in the header row", "row_too_short")


def source_rows(table: Table, log: ProblemLog) -> Iterator[SourceRow]:
    """Every data row as it came, with its problems."""
    by_row: dict[int, list] = {}
    for problem in log.sorted():
        if problem.place.sheet == table.sheet.name:
            by_row.setdefault(problem.place.row, []).append(problem)
    names = [header or column_letter(index) for index, header in enumerate(table.headers)]
    names = [f"{name} [{column_letter(i)}]" if names.count(name) > 1 else name for i, name in enumerate(names)]
    for number, values in table.rows:
        more = (column_letter(index) for index in range(len(names), len(values)))
        texts = zip([*names, *more], map(as_text, values), strict=False)
        is_valid = not log.refused and number not in log.rows_in_error
        yield SourceRow(number, {k: text for k, text in texts if text}, tuple(by_row.get(number, ())), is_valid)
