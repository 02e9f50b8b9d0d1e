"""Matrices of a Gen5 export: a row letter, one cell a column, and at the end a label that says what the row holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assays.readers._tables import LayoutEntry, Note, Problem
from assays.readers._text import FLAG_WORDS_TEXT, Cell, parse_cell, parse_number, row_index, well_name

_ID = re.compile(r"(STD|SPL|BLK|CTL|CTRL|POS|NEG|QC)[A-Z]*\d*(:\d+)?", re.I)
_ROLE_OF_PREFIX = {
    "STD": "standard", "SPL": "sample", "BLK": "blank", "CTL": "control", "CTRL": "control", "POS": "control",
    "NEG": "control", "QC": "control",
}  # fmt: skip
_LAYOUT_LABELS = ("Well ID", "Conc/Dil", "Name")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One labelled row: `row` is the plate row (0 is A), `cells` one text a column."""

    row: int
    label: str
    cells: tuple[str, ...]
    line: int

    def cells_by_well(self) -> Iterator[tuple[str, str, Cell | None]]:
        """Well, text and parsed cell of every filled cell."""
        for column, text in enumerate(self.cells):
            if text:
                yield well_name(self.row, column), text, parse_cell(text)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A titled matrix."""

    title: str
    line: int
    rows: tuple[MatrixRow, ...]


def parse_matrix(title: str, lines: Sequence[str], first_line: int, problems: list[Problem]) -> Matrix:
    """Read a matrix whose first line numbers the columns; what is wrong is appended to `problems`."""
    columns = [text.strip() for text in lines[0].split("\t")[1:] if text.strip()]
    if columns != [str(i + 1) for i in range(len(columns))] or len(columns) > 48:
        problems.append(Problem("the columns are not numbered 1, 2, 3 …", first_line, value=lines[0].strip()))
        return Matrix(title, first_line, ())
    rows: list[MatrixRow] = []
    letter = ""
    for number, line in enumerate(lines[1:], start=first_line + 1):
        cells = [cell.strip() for cell in line.split("\t")]
        letter = cells[0] or letter
        if not re.fullmatch(r"[A-Z]|A[A-F]", letter):
            problems.append(Problem("no plate row", number, 1, cells[0], "a letter from A"))
            continue
        row = _row(cells, len(columns), row_index(letter), number, problems)
        if row is not None:
            rows.append(row)
            if title != "Layout":
                _check_cells(row, problems)
    return Matrix(title, first_line, tuple(rows))


def _row(cells: Sequence[str], width: int, row: int, number: int, problems: list[Problem]) -> MatrixRow | None:
    label = cells[1 + width] if len(cells) > 1 + width else ""
    if not label or any(cells[2 + width :]):
        expected = f"{width} cells and a label"
        problems.append(Problem("the row is too short or too long", number, value="\t".join(cells), expected=expected))
        return None
    return MatrixRow(row, label, tuple(cells[1 : 1 + width]), number)


def _check_cells(row: MatrixRow, problems: list[Problem]) -> None:
    for column, text in enumerate(row.cells):
        if text and parse_cell(text) is None:
            hint = " (a decimal comma is not accepted)" if "," in text else ""
            problems.append(Problem(f"not a reading{hint}", row.line, column + 2, text, FLAG_WORDS_TEXT))


def layout_entries(matrix: Matrix, plate: str, problems: list[Problem], warnings: list[Note]) -> list[LayoutEntry]:
    """The layout of a plate from the rows Well ID, Name and Conc/Dil."""
    texts: dict[str, dict[str, tuple[str, int]]] = {label: {} for label in _LAYOUT_LABELS}
    for row in matrix.rows:
        if row.label not in texts:
            warnings.append(Note(row.line, f"layout row {row.label!r} is not used"))
            continue
        for well, text, _ in row.cells_by_well():
            texts[row.label][well] = (text, row.line)
    names, typed = texts["Name"], texts["Conc/Dil"]
    return [
        _entry((plate, well), well_id, names.get(well, ("", 0))[0], typed.get(well, ("", line)), (problems, warnings))
        for well, (well_id, line) in texts["Well ID"].items()
    ]


def _entry(
    place: tuple[str, str], well_id: str, name: str, typed: tuple[str, int],
    lists: tuple[list[Problem], list[Note]],
) -> LayoutEntry:  # fmt: skip
    match = _ID.fullmatch(well_id)
    role = _ROLE_OF_PREFIX[match[1].upper()] if match else "sample"
    text, line = typed
    number = parse_number(text)
    if (text and number is None) or (number is not None and number < 0):
        lists[0].append(Problem("not a concentration or dilution", line, place[1], text, "a number from 0"))
    if role == "standard" and not text:
        lists[1].append(Note(line, f"{place[1]}: standard {well_id} has no concentration"))
    is_dilution = role in ("sample", "blank")
    factor = _factor(place[1], number, line, lists) if is_dilution else Decimal(1)
    sample = name or well_id.partition(":")[0]
    return LayoutEntry(*place, role, sample, None, None if is_dilution else number, None, factor, line)


def _factor(well: str, typed: Decimal | None, line: int, lists: tuple[list[Problem], list[Note]]) -> Decimal:
    """Gen5 types a dilution as the part of sample in the well (0.5 is 1 in 2), so its inverse multiplies."""
    if typed is None or typed == 1:
        return Decimal(1)
    if typed == 0:
        lists[0].append(Problem("impossible dilution", line, well, str(typed), "a number above 0"))
        return Decimal(1)
    if typed > 1:
        text = f"{well}: dilution {typed} is taken as a factor (values below 1 are parts of sample)"
        lists[1].append(Note(line, text))
        return typed
    return 1 / typed
