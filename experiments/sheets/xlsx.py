"""XLSX: what openpyxl reads, and what it would pass over in silence."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import openpyxl
from openpyxl.utils.datetime import MAC_EPOCH

from experiments.sheets.workbook import Limits, Sheet, Workbook, WorkbookRefused, column_number, refused

LONGEST_TAG = 65_536
_LONG_TAG = re.compile(rb"<[^<>]{%d}" % LONGEST_TAG)
_TAG = rb"<(?:\w+:)?"
_CELL = re.compile(_TAG + rb'(?:c|row)\s(?:[^<>]*?\s)?r="([A-Z]*)(\d+)"')
_MERGE = re.compile(_TAG + rb'mergeCell\s[^<>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_FORMULA = re.compile(
    _TAG + rb'c\s(?:[^<>]*?\s)?r="([A-Z]+)(\d+)"[^<>]*>\s*' + _TAG + rb"f\b[^<>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:" + _TAG + rb"v\s*/>\s*|" + _TAG + rb"v>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scan:
    merged: tuple[tuple[int, int, int, int], ...]
    uncached: frozenset[tuple[int, int]]


def read_xlsx(data: bytes, name: str, limits: Limits) -> Workbook:
    """All sheets, hidden ones too. Raises WorkbookRefused for what cannot be read whole."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        _check_unpacked(archive, name, limits)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    except WorkbookRefused:
        raise
    except Exception as failure:  # openpyxl raises whatever a damaged part makes it stumble over
        raise _unreadable(name, failure) from failure
    with archive, closing(book):
        try:
            return Workbook(name, tuple(_sheets(book, archive, name, limits)))
        except WorkbookRefused:
            raise
        except Exception as failure:
            raise _unreadable(name, failure) from failure


def _unreadable(name: str, failure: Exception) -> WorkbookRefused:
    reason = f"{type(failure).__name__}: {failure}"
    return refused(name, reason[:300], "an undamaged .xlsx workbook without document types or entities", "xlsx_damaged")


def _check_unpacked(archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > limits.unpacked_bytes:
        expected = f"at most {limits.unpacked_bytes:,} bytes when unpacked"
        raise refused(name, f"{unpacked:,} bytes unpacked", expected, "unpacked_too_large")
    for member in archive.infolist():
        if member.file_size > LONGEST_TAG and not member.is_dir():
            _check_tags(archive.read(member), member.filename, name)


def _check_tags(xml: bytes, part: str, name: str) -> None:
    """Expat rereads an unfinished tag or comment with every block: one of 90 MB takes it minutes."""
    start = xml.find(b"<!--")
    while start >= 0:
        end = xml.find(b"-->", start)
        if end - start > LONGEST_TAG or end < 0:
            raise refused(name, f"a long comment in {part}", "an .xlsx from a spreadsheet program", "xlsx_damaged")
        start = xml.find(b"<!--", end)
    if part.endswith((".xml", ".rels")) and _LONG_TAG.search(xml):
        raise refused(name, f"a long tag in {part}", "an .xlsx from a spreadsheet program", "xlsx_damaged")


def _sheets(book: Any, archive: zipfile.ZipFile, name: str, limits: Limits) -> Iterator[Sheet]:
    left = limits.cells
    epoch = "1904" if book.epoch == MAC_EPOCH else "1900"
    for worksheet in book.worksheets:
        # The stated <dimension> may be wrong, and openpyxl would cut the sheet to it.
        worksheet.reset_dimensions()
        scan, cells = _scan(archive.read(worksheet._worksheet_path), worksheet.title, limits, left)
        left -= cells
        rows, blank = _rows(worksheet, limits)
        hidden = worksheet.sheet_state != "visible"
        yield Sheet(worksheet.title, rows, hidden, blank, scan.merged, scan.uncached, epoch)
    if not book.worksheets:
        raise refused(name, "no worksheet", "a workbook with at least one worksheet", "no_sheet")


def _rows(worksheet: Any, limits: Limits) -> tuple[tuple[tuple[int, tuple[object, ...]], ...], int]:
    rows, blank = [], 0
    for number, values in enumerate(worksheet.iter_rows(values_only=True), start=1):
        if any(value is not None for value in values):
            _check_lengths(worksheet.title, number, values, limits)
            rows.append((number, values))
        else:
            blank += 1
    return tuple(rows), blank


def _check_lengths(sheet: str, number: int, values: tuple[object, ...], limits: Limits) -> None:
    for value in values:
        if isinstance(value, str) and len(value) > limits.cell_characters:
            expected = f"at most {limits.cell_characters:,} characters in a cell"
            raise refused(sheet, f"{len(value):,} characters", expected, "cell_too_long", row=number)


def _scan(xml: bytes, sheet: str, limits: Limits, cells_left: int) -> tuple[_Scan, int]:
    """Read the sheet's own XML once, for size, order, merged ranges and formulas without a stored result.

    openpyxl drops rows and cells that stand out of order and gives None for a formula that was never calculated.
    """
    if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused(sheet, "UTF-16", "worksheets in UTF-8", "xlsx_damaged")
    cells = _check_order_and_size(xml, sheet, limits, cells_left)
    merged = [match.groups() for match in _MERGE.finditer(xml)]
    formulas = _FORMULA.finditer(xml) if b"f>" in xml or b"/>" in xml else iter(())
    scan = _Scan(
        tuple((int(r1), column_number(c1.decode()), int(r2), column_number(c2.decode())) for c1, r1, c2, r2 in merged),
        frozenset((int(match[2]), column_number(match[1].decode())) for match in formulas),
    )
    return scan, cells


def _check_order_and_size(xml: bytes, sheet: str, limits: Limits, cells_left: int) -> int:
    cells = 0
    last = (0, 0, b"")
    for letters, digits in _CELL.findall(xml):
        row = int(digits)
        place = (row, len(letters), letters)
        if place <= last:
            raise refused(sheet, f"{letters.decode()}{row} out of order", "rows and cells in order", "xlsx_damaged")
        if row > limits.rows:
            raise refused(sheet, f"row {row:,}", f"at most {limits.rows:,} rows", "too_many_rows", row=row)
        last = place
        cells += bool(letters)
        if cells > cells_left:
            raise refused(sheet, f"more than {limits.cells:,} cells", f"at most {limits.cells:,}", "too_many_cells")
        if len(letters) >= 3 and column_number(letters.decode()) > limits.columns:
            expected = f"at most {limits.columns:,} columns"
            raise refused(sheet, f"column {letters.decode()}", expected, "too_many_columns", row=row)
    return cells
