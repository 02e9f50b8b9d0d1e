"""Gen5 text exports (BioTek, now Agilent): one part a plate, with procedure, layout, result matrices and curves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assays.readers._gen5_matrix import Matrix, layout_entries, parse_matrix
from assays.readers._gen5_procedure import Procedure, parse_procedure
from assays.readers._tables import (
    Channel,
    LayoutEntry,
    Note,
    Plate,
    PlateFile,
    PrintedCurve,
    PrintedResult,
    Problem,
    ReadError,
    Reading,
)
from assays.readers._text import decode, parse_number, shape_of, split_lines

KEY = "gen5"
LABEL = "Gen5 text export (absorbance endpoint; starts with Software Version)"

_PART = re.compile(r"Software Version\t")
_MATRIX_HEADING = re.compile(r"\t1(\t\d+)*\t*\s*")
_SERIES = re.compile(r"(Time|X Read #|Wavelength|Well|Well ID)\t")
_PARAMETER_END = ("R2", "Fit F Prob")


@dataclass(slots=True)
class _Part:
    """What is read of one plate's part of the file."""

    label: str
    line: int
    read_at: str | None
    version: str
    procedure: Procedure
    matrices: list[Matrix]
    curves: list[PrintedCurve]
    temperatures: list[str]
    layout: list[LayoutEntry]


def matches(data: bytes, filename: str) -> bool:
    """Whether the file has the head of a Gen5 export, in any of its encodings."""
    head = data[:2000].replace(b"\x00", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \r\n\t")
    return head.startswith(b"Software Version\t") and (b"Experiment File Path" in head or b"Plate Number" in head)


def parse(data: bytes, filename: str) -> PlateFile:
    """Read every plate of the file. Raises ReadError with every problem of the file."""
    lines = split_lines(decode(data, filename))
    problems: list[Problem] = []
    notes: list[Note] = []
    warnings: list[Note] = []
    starts = [i for i, line in enumerate(lines) if _PART.match(line)]
    if not starts:
        raise ReadError(filename, [Problem("no plate found", 1, expected="a line that starts with Software Version")])
    parts = [
        _parse_part(lines[start:end], start + 1, (problems, notes, warnings))
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    _check_labels(parts, problems)
    plates = [_plate(part, problems, warnings) for part in parts] if not problems else []
    if problems:
        raise ReadError(filename, problems)
    return PlateFile(
        format_key=KEY,
        filename=filename,
        software_version=parts[0].version or None,
        plates=tuple(plate for plate in plates if plate is not None),
        layout=tuple(entry for part in parts for entry in part.layout),
        printed_results=tuple(result for part in parts for result in _printed(part)),
        printed_curves=tuple(curve for part in parts for curve in part.curves),
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


_Lists = tuple[list[Problem], list[Note], list[Note]]


def _parse_part(lines: Sequence[str], first_line: int, lists: _Lists) -> _Part:
    problems, notes, _ = lists
    head_end = next((i for i, line in enumerate(lines) if line.strip() == "Procedure Details"), len(lines))
    head = {key.rstrip(":"): value.strip() for key, _, value in (line.partition("\t") for line in lines[:head_end])}
    notes += [Note(first_line + i, line.strip()) for i, line in enumerate(lines[:head_end]) if line.strip()]
    if head_end == len(lines):
        problems.append(Problem("the part has no procedure", first_line, expected="a line Procedure Details"))
    body_start = _body_start(lines, head_end)
    procedure = parse_procedure(lines[head_end + 1 : body_start], first_line + head_end + 1, problems)
    notes += [Note(procedure.line + i, t.strip()) for i, t in enumerate(procedure.lines) if t.strip()]
    read_at = f"{head.get('Date', '')} {head.get('Time', '')}".strip() or None
    part = _Part(
        head.get("Plate Number") or "Plate 1", first_line, read_at, head.get("Software Version", ""), procedure,
        [], [], [], [],
    )  # fmt: skip
    if procedure.supported:
        _parse_body(lines, body_start, first_line, part, lists)
        for matrix in part.matrices:
            if matrix.title == "Layout":
                part.layout += layout_entries(matrix, part.label, problems, lists[2])
    return part


def _body_start(lines: Sequence[str], head_end: int) -> int:
    """The procedure ends where the first section with a table begins."""
    for i in range(head_end + 1, len(lines)):
        stripped = lines[i].strip()
        following = next((line for line in lines[i + 1 :] if line.strip()), "")
        if stripped in ("Layout", "Results") or stripped.startswith("Actual Temperature"):
            return i
        if stripped and (_MATRIX_HEADING.fullmatch(following) or _SERIES.match(following)):
            return i
    return len(lines)


def _parse_body(lines: Sequence[str], start: int, first_line: int, part: _Part, lists: _Lists) -> None:
    problems, _, warnings = lists
    index, title = start, ""
    while index < len(lines):
        line, number = lines[index], first_line + index
        end = _table_end(lines, index)
        if not line.strip():
            index += 1
            continue
        if _MATRIX_HEADING.fullmatch(line):
            part.matrices.append(parse_matrix(title, lines[index:end], number, problems))
        elif title.endswith("Fitting Results"):
            part.curves += _curves(lines[index:end], number, part.label, problems)
        elif _SERIES.match(line):
            message = "readings over time, over a spectrum or as a list are not supported"
            problems.append(Problem(message, number, 1, line.split("\t")[0], "a matrix of wells"))
            return
        elif line.strip().startswith("Actual Temperature"):
            part.temperatures.append(line.partition("\t")[2])
            end = index + 1
        else:
            if title:
                warnings.append(Note(number - 1, f"line not used: {title}"))
            title, index = line.strip(), index + 1
            continue
        title, index = "", end
    if title:
        warnings.append(Note(first_line + len(lines) - 1, f"line not used: {title}"))


def _table_end(lines: Sequence[str], start: int) -> int:
    return next((i for i in range(start, len(lines)) if not lines[i].strip()), len(lines))


def _curves(lines: Sequence[str], first_line: int, plate: str, problems: list[Problem]) -> list[PrintedCurve]:
    names = [name.strip() for name in lines[0].split("\t")]
    curves = []
    for number, line in enumerate(lines[1:], start=first_line + 1):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 2 or names[:2] != ["Curve Name", "Curve Formula"]:
            expected = "Curve Name, Curve Formula, parameters, R2, Fit F Prob"
            problems.append(Problem("the curve cannot be read", number, value=line, expected=expected))
            continue
        values = dict(zip(names[2:], cells[2:], strict=False))
        numbers = {name: parse_number(text) for name, text in values.items()}
        parameters = tuple((n, v) for n, v in numbers.items() if v is not None and n not in _PARAMETER_END)
        curves.append(PrintedCurve(plate, cells[0], cells[1], parameters, numbers.get("R2"), number))
    return curves


def _check_labels(parts: Sequence[_Part], problems: list[Problem]) -> None:
    for i, part in enumerate(parts):
        if part.label in [other.label for other in parts[:i]]:
            problems.append(Problem("two plates carry one name", part.line, value=part.label, expected="unique names"))


def _plate(part: _Part, problems: list[Problem], warnings: list[Note]) -> Plate | None:
    """The rows of the matrices whose label is a reading of the procedure are raw; all others were computed."""
    channels = part.procedure.channels
    raw = [matrix_row for matrix in part.matrices for matrix_row in matrix.rows if matrix_row.label in channels]
    if not raw:
        found = sorted({row.label for matrix in part.matrices for row in matrix.rows}) or ["no matrix of wells"]
        expected = "rows of " + " or ".join(channels)
        problems.append(Problem("the plate holds no raw reading", part.line, value=", ".join(found), expected=expected))
        return None
    readings = _readings(raw, problems)
    rows = 1 + max(row.row for row in raw)
    shape = part.procedure.shape or shape_of(rows, max(len(row.cells) for row in raw)) or (32, 48)
    present = {reading.channel for reading in readings}
    used = tuple(Channel(label, wavelength) for label, wavelength in channels.items() if label in present)
    missing = [label for label in channels if label not in present]
    warnings += [
        Note(part.line, f"{part.label}: the procedure reads {name}, the results do not hold it") for name in missing
    ]
    if any(row.row >= shape[0] or len(row.cells) > shape[1] for row in raw):
        problems.append(Problem("more wells than the plate has", part.line, expected=f"{shape[0]} x {shape[1]} wells"))
    for channel in used:
        count = sum(1 for reading in readings if reading.channel == channel.key)
        if count < shape[0] * shape[1]:
            text = f"{part.label}, {channel.key}: {count} of {shape[0] * shape[1]} wells have a value"
            warnings.append(Note(part.line, text))
    temperature = parse_number(part.temperatures[0]) if part.temperatures else None
    return Plate(
        part.label, *shape, "absorbance", "endpoint", "AU", used, readings, temperature, part.read_at, part.line
    )


def _readings(raw: Sequence, problems: list[Problem]) -> tuple[Reading, ...]:
    seen: dict[tuple[str, str], int] = {}
    readings = []
    for row in raw:
        for well, text, cell in row.cells_by_well():
            if (well, row.label) in seen:
                message = f"a second value for well {well} (the first stands on line {seen[well, row.label]})"
                problems.append(Problem(message, row.line, value=text))
            elif cell is not None:
                seen[well, row.label] = row.line
                readings.append(Reading(well, row.label, cell.value, cell.flag, text, row.line))
    return tuple(readings)


def _printed(part: _Part) -> list[PrintedResult]:
    names = {entry.well: entry.sample for entry in part.layout}
    return [
        PrintedResult(part.label, well, None, names.get(well), row.label, cell.value, cell.flag, text, row.line)
        for matrix in part.matrices
        if matrix.title != "Layout"
        for row in matrix.rows
        if row.label not in part.procedure.channels
        for well, text, cell in row.cells_by_well()
        if cell is not None
    ]
