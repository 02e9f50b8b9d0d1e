"""Delimited text: its encoding, its delimiter, its rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from experiments.sheets.problems import Place, Problem, ProblemLog
from experiments.sheets.workbook import Limits, Sheet, Workbook, column_letter, refused

DELIMITERS = (",", ";", "\t")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1")


def read_delimited(data: bytes, name: str, *, encoding: str, delimiter: str, limits: Limits) -> Workbook:
    """Every value stays the text that it is: numbers and dates are the template's business."""
    text, notes = _decode(data, name, encoding)
    delimiter = delimiter or _delimiter(text, name)
    return Workbook(name, (_sheet(text, name, delimiter, limits),), notes)


def _decode(data: bytes, name: str, encoding: str) -> tuple[str, tuple[Problem, ...]]:
    if encoding and encoding not in ENCODINGS:
        raise refused(name, encoding, f"one of the encodings {', '.join(ENCODINGS)}", "encoding_unknown")
    chosen = encoding or _encoding_shown(data)
    try:
        text = data.decode(chosen)
    except UnicodeDecodeError as failure:
        if encoding or chosen != "utf-8":
            raise refused(
                name, f"byte {failure.start} of {len(data)}: {data[failure.start : failure.start + 4].hex(' ')}",
                f"text in {chosen}; the file is damaged, cut off, or in another encoding", "encoding_wrong",
            ) from failure  # fmt: skip
        return _as_cp1252(data, name)
    if "\x00" in text:
        raise refused(name, "a NUL character", "text; UTF-16 without a byte order mark needs `encoding`", "not_text")
    return text.removeprefix("\ufeff"), ()


def _encoding_shown(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _as_cp1252(data: bytes, name: str) -> tuple[str, tuple[Problem, ...]]:
    """Neither a mark nor UTF-8: what Excel on Windows saves as plain CSV. Said aloud, since it is a presumption."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as failure:
        raise refused(
            name,
            f"byte {failure.start}: {data[failure.start]:02x}",
            "text in UTF-8, UTF-16 or cp1252",
            "encoding_wrong",
        ) from failure
    if "\x00" in text:
        raise refused(name, "a NUL character", "text", "not_text")
    log = ProblemLog()
    log.warn(
        Place(name), "no UTF-8", "UTF-8; read as cp1252 (name `encoding` in the template to settle it)", "encoding"
    )
    return text, log.sorted()


def _delimiter(text: str, name: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    counts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in DELIMITERS}
    best = max(counts.values())
    candidates = [mark for mark in DELIMITERS if counts[mark] == best]
    if best > 1 and len(candidates) > 1:
        raise refused(
            name,
            line,
            "one delimiter in the header line; name `delimiter` in the template",
            "delimiter_ambiguous",
            row=1,
        )
    return candidates[0]


def _sheet(text: str, name: str, delimiter: str, limits: Limits) -> Sheet:
    csv.field_size_limit(max(limits.cell_characters + 1, csv.field_size_limit()))
    rows: list[tuple[int, tuple[object, ...]]] = []
    cells = blank = 0
    for number, values in _numbered(text, name, delimiter):
        cells += len(values)
        _within(limits, name, number, values, cells)
        if any(value.strip() for value in values):
            rows.append((number, tuple(values)))
        else:
            blank += 1
    return Sheet(name, tuple(rows), blank_rows=blank)


def _numbered(text: str, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows counted as Excel shows them: a quoted line break does not start a new row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as failure:
            raise refused(
                name, str(failure), "rows of delimited text with closed quotes", "csv", row=number
            ) from failure
        yield number, values


def _within(limits: Limits, name: str, number: int, values: list[str], cells: int) -> None:
    if number > limits.rows:
        raise refused(name, f"row {number:,}", f"at most {limits.rows:,} rows", "too_many_rows", row=number)
    if len(values) > limits.columns:
        raise refused(
            name, f"{len(values):,} columns", f"at most {limits.columns:,} columns", "too_many_columns", row=number
        )
    if cells > limits.cells:
        raise refused(
            name, f"more than {limits.cells:,} cells", f"at most {limits.cells:,}", "too_many_cells", row=number
        )
    for index, value in enumerate(values):
        if len(value) > limits.cell_characters:
            expected = f"at most {limits.cell_characters:,} characters in a cell"
            raise refused(
                f"{name}!{column_letter(index)}{number}", f"{len(value):,} characters", expected, "cell_too_long"
            )
