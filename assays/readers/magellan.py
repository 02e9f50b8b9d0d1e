"""Tecan Magellan workbooks: a list of wells with raw data, and below it what was measured, one remark a row."""

import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal

from openpyxl import load_workbook

from assays.readers._tables import Channel, Note, Plate, PlateFile, Problem, ReadError, Reading
from assays.readers._text import FLAG_WORDS_TEXT, normal_well, parse_cell, shape_of, well_position

KEY = "magellan"
LABEL = "Tecan Magellan workbook (absorbance; columns Raw data, Well positions)"

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_ROWS = 20_000

_WAVELENGTH = re.compile(r"Measurement wavelength:\s*(\d{3,4})\s*nm")
_Row = tuple[int, tuple[object, ...]]


def matches(data: bytes, filename: str) -> bool:
    """Whether this is a workbook; its columns are looked at by `parse`, which says what it misses."""
    return data.startswith(b"PK\x03\x04")


def parse(data: bytes, filename: str) -> PlateFile:
    """Read the first sheet. Raises ReadError with every problem of the file."""
    sheet, rows = _rows(data, filename)
    problems: list[Problem] = []
    columns = _columns(rows, sheet, filename)
    wells = _well_rows(rows, columns)
    remarks = [Note(number, str(row[0]).strip()) for number, row in rows[1 + len(wells) :] if row[:1] != (None,)]
    wavelength = _wavelength(remarks, sheet, problems)
    key = str(wavelength)
    readings = _readings(wells, columns, key, problems)
    shape = _shape(readings)
    if not readings and not problems:
        problems.append(Problem(f"sheet {sheet} holds no well", rows[0][0], expected="rows with a well such as A1"))
    if problems or shape is None or wavelength is None:
        raise ReadError(filename, problems)
    plate = Plate(
        "Plate 1", *shape, "absorbance", "endpoint", "AU", (Channel(key, wavelength),), readings, None,
        _read_at(remarks), rows[0][0],
    )  # fmt: skip
    names = [str(row[columns["plate"]]) for _, row in wells if "plate" in columns and row[columns["plate"]]]
    notes = [*remarks, *(Note(rows[0][0], f"plate type: {name}") for name in dict.fromkeys(names))]
    return PlateFile(KEY, filename, None, (plate,), (), (), (), tuple(notes), ())


def _rows(data: bytes, filename: str) -> tuple[str, list[_Row]]:
    """The filled rows of the first sheet, with their numbers."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            message = f"the workbook unpacks to {unpacked} bytes"
            raise ReadError(filename, [Problem(message, expected=f"at most {MAX_UNPACKED_BYTES}")])
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a wrong <dimension> would hide rows
        rows = [(i, tuple(row)) for i, row in enumerate(sheet.iter_rows(max_row=MAX_ROWS, values_only=True), start=1)]
        title = sheet.title
    except ReadError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes Python raise
        raise ReadError(filename, [Problem(f"the workbook is damaged: {type(error).__name__}")]) from error
    filled = [(i, row) for i, row in rows if any(cell is not None for cell in row)]
    if not filled:
        raise ReadError(filename, [Problem(f"sheet {title} is empty", 1, expected="Raw data and Well positions")])
    width = max(3, *(len(row) for _, row in filled))  # rows are read only as far as their last filled cell
    return title, [(i, (*row, *[None] * (width - len(row)))) for i, row in filled]


def _columns(rows: Sequence[_Row], sheet: str, filename: str) -> dict[str, int]:
    names = {str(cell).strip().lower(): i for i, cell in enumerate(rows[0][1]) if cell is not None}
    wanted = {"raw": "raw data", "well": "well positions"}
    if any(name not in names for name in wanted.values()):
        found = ", ".join(names)[:80]
        expected = "a Tecan Magellan workbook with the columns Raw data and Well positions"
        raise ReadError(filename, [Problem(f"sheet {sheet} is not known", rows[0][0], value=found, expected=expected)])
    columns = {key: names[name] for key, name in wanted.items()}
    return {**columns, "plate": names["plate"]} if "plate" in names else columns


def _well_rows(rows: Sequence[_Row], columns: dict[str, int]) -> list[_Row]:
    """The rows below the heading up to the first one without a well position."""
    found = []
    for number, row in rows[1:]:
        if row[columns["well"]] is None:
            break
        found.append((number, row))
    return found


def _wavelength(remarks: Sequence[Note], sheet: str, problems: list[Problem]) -> Decimal | None:
    found = [Decimal(match[1]) for note in remarks if (match := _WAVELENGTH.search(note.text))]
    modes = [note for note in remarks if note.text.startswith("Measurement mode:")]
    for note in modes:
        if "absorbance" not in note.text.lower():
            problems.append(Problem("the mode is not supported", note.line, "A", note.text, "Absorbance"))
    if len(found) != 1 or not modes:
        texts = ", ".join(str(value) for value in found) or "none"
        expected = "one row 'Measurement wavelength: … nm' and one 'Measurement mode: Absorbance'"
        problems.append(Problem(f"sheet {sheet}: wavelength or mode cannot be told", value=texts, expected=expected))
    return found[0] if len(found) == 1 else None


def _readings(wells: Sequence[_Row], columns: dict[str, int], key: str, problems: list[Problem]) -> tuple[Reading, ...]:
    seen: dict[str, int] = {}
    readings = []
    for number, row in wells:
        name, text = str(row[columns["well"]]), str(row[columns["raw"]])
        well, cell = normal_well(name), parse_cell(text)
        if well is None or well in seen:
            expected = "each well once, such as A1"
            problems.append(
                Problem("no well, or one that stands there twice", number, "Well positions", name, expected)
            )
        elif cell is None:
            problems.append(Problem("not a reading", number, "Raw data", text, FLAG_WORDS_TEXT))
        else:
            seen[well] = number
            readings.append(Reading(well, key, cell.value, cell.flag, text, number))
    return tuple(readings)


def _shape(readings: Sequence[Reading]) -> tuple[int, int] | None:
    places = [well_position(reading.well) for reading in readings]
    if not places:
        return None
    return shape_of(1 + max(row for row, _ in places), 1 + max(column for _, column in places))


def _read_at(remarks: Sequence[Note]) -> str | None:
    pattern = re.compile(r"Date:\s*(\S+?),?\s+Time:\s*(\S+)")
    return next((f"{m[1]} {m[2]}" for note in remarks if (m := pattern.search(note.text))), None)
