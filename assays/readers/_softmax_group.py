"""The `Group:` block of a SoftMax Pro export: what is in which well, and what the software computed.

Columns carry whatever names the laboratory gave them; the table of column formulas below the rows says which one is
the sample (!SampleNames), the well (!WellIDs), the reading (!WellValues), the plate (!WellPlateName) and the
concentration or dilution that was typed in (!SampleDescriptor). Without that table, usual names decide.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assays.readers._tables import LayoutEntry, Note, PrintedResult, Problem
from assays.readers._text import normal_well, parse_cell

_FORMULA_ROLES = {
    "!samplenames": "sample", "!wellids": "well", "!wellvalues": "reading", "!wellplatename": "plate",
    "!sampledescriptor": "descriptor", "!conc": "descriptor", "!factor": "descriptor",
}  # fmt: skip
_NAME_ROLES = (
    ("sample", re.compile(r"samples?|unknowns?", re.I)),
    ("well", re.compile(r"wells?( ?ids?)?", re.I)),
    ("plate", re.compile(r"(well ?)?plate ?name|plate", re.I)),
    ("reading", re.compile(r"od|values?|raw ?od", re.I)),
    ("descriptor", re.compile(r"(nominal )?conc(entration)?( .*)?|standard value( .*)?|dil(ution)?( ?factor)?", re.I)),
)
_DILUTION = re.compile(r"dil|factor", re.I)
_ROLE_OF_GROUP = (
    ("standard", re.compile(r"st(an)?d(ard)?s?\b|st(an)?d(ard)?s?[ _#\d]|calib", re.I)),
    ("blank", re.compile(r"bl(an)?k|background|nsb\b", re.I)),
    ("control", re.compile(r".*(ctrl|control)|qc|[lu]?loq\b", re.I)),
)


@dataclass(frozen=True, slots=True)
class Group:
    """One group: layout and printed results (plate None where the rows name none) and flags of masked wells."""

    name: str
    line: int
    role: str
    layout: tuple[LayoutEntry, ...]
    results: tuple[PrintedResult, ...]
    well_flags: tuple[tuple[str | None, str, str], ...]
    notes: tuple[Note, ...]
    warnings: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    roles: Mapping[str, int]
    unit: str | None

    def is_dilution(self) -> bool:
        index = self.roles.get("descriptor")
        return index is not None and bool(_DILUTION.match(self.names[index]))


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: tuple[str, ...]
    plate: str | None
    well: str
    sample: str
    descriptor: Decimal | None


def parse_group(lines: Sequence[str], first_line: int, problems: list[Problem]) -> Group | None:
    """Read one group block; what is wrong is appended to `problems`. A group without wells gives None."""
    name = lines[0].split(":", 1)[1].strip()
    rows, rest = _split(lines, first_line)
    notes = tuple(Note(number, f"{name}: {' | '.join(f for f in cells if f)}") for number, cells in rest)
    if not rows:
        return None
    columns = _columns(rows[0][1], rest)
    role = next((role for role, pattern in _ROLE_OF_GROUP if pattern.match(name)), "sample")
    parsed: list[_Line] = []
    if "well" in columns.roles:
        parsed = _lines(rows[1:], columns, name, problems)
        warnings = _warnings(name, role, columns, first_line)
    else:
        warnings = [Note(first_line, f"group {name} has no column of wells; its rows are kept as notes only")]
        notes += tuple(Note(number, f"{name}: {' | '.join(f for f in cells if f)}") for number, cells in rows)
    return Group(
        name, first_line, role, _layout(parsed, columns, name, role), _results(parsed, columns, name),
        _well_flags(parsed, columns), notes, tuple(warnings),
    )  # fmt: skip


_Rows = list[tuple[int, tuple[str, ...]]]


def _split(lines: Sequence[str], first_line: int) -> tuple[_Rows, _Rows]:
    """The rows up to the first blank line, and the tables of formulas and summaries below."""
    rows: _Rows = []
    rest: _Rows = []
    for number, line in enumerate(lines[1:], start=first_line + 1):
        cells = tuple(cell.strip() for cell in line.split("\t"))
        if rest or cells[0] in ("Group Column", "Group Summaries"):
            rest.append((number, cells))
        elif any(cells):
            rows.append((number, cells))
    return rows, [row for row in rest if any(row[1])]


def _columns(heading: Sequence[str], rest: _Rows) -> _Columns:
    names = list(heading)
    while names and not names[-1]:
        names.pop()
    roles: dict[str, int] = {}
    unit = None
    for _, cells in rest:
        role = (
            _FORMULA_ROLES.get(cells[2].lower())
            if len(cells) > 2 and cells[0].isascii() and cells[0].isdigit()
            else None
        )
        index = int(cells[0]) - 1 if role and len(cells[0]) < 4 else len(names)
        if role and role not in roles and index < len(names) and names[index].startswith(cells[1]):
            roles[role] = index
            unit = names[index][len(cells[1]) :].strip() or None if role == "descriptor" else unit
    for role, pattern in _NAME_ROLES:
        found = [i for i, text in enumerate(names) if pattern.fullmatch(text) and i not in roles.values()]
        if role not in roles and found and not (role == "descriptor" and _is_computed(found[0], rest)):
            roles[role] = found[0]
    if "descriptor" in roles and unit is None:
        unit = _unit_in(names[roles["descriptor"]])
    return _Columns(tuple(names), roles, unit)


def _is_computed(index: int, rest: _Rows) -> bool:
    """Whether the formula table gives this column a formula: a computed concentration is no nominal one."""
    return any(cells[0] == str(index + 1) and len(cells) > 2 and cells[2] for _, cells in rest)


def _unit_in(name: str) -> str | None:
    match = re.fullmatch(r"(?:(?:nominal )?conc(?:entration)?|standard value)\s+\(?([^()]+)\)?", name, re.I)
    return match[1].strip() if match else None


def _lines(rows: _Rows, columns: _Columns, group: str, problems: list[Problem]) -> list[_Line]:
    """One line a well; sample, concentration and dilution stand only on a sample's first line."""
    parsed: list[_Line] = []
    sample, descriptor = "", None
    for number, cells in rows:
        padded = (*cells, *[""] * (len(columns.names) - len(cells)))
        if len(padded) > len(columns.names) and any(padded[len(columns.names) :]):
            message = "the row is longer than its heading"
            problems.append(Problem(message, number, len(columns.names) + 1, padded[len(columns.names)]))
        name, typed = (_cell(padded, columns, "sample"), _cell(padded, columns, "descriptor"))
        if name and name != sample:
            sample, descriptor = name, None
        if typed:
            descriptor = _descriptor(typed, columns, number, problems)
        text = _cell(padded, columns, "well")
        well = normal_well(text)
        if well is None:
            expected = "a well such as A1"
            problems.append(Problem("no well", number, columns.roles["well"] + 1, text, expected))
            continue
        plate = _cell(padded, columns, "plate") or None
        parsed.append(_Line(number, padded, plate, well, sample or group, descriptor))
    return parsed


def _descriptor(text: str, columns: _Columns, number: int, problems: list[Problem]) -> Decimal | None:
    """The typed concentration or dilution; a flag such as Range? in its place is no number and no mistake."""
    cell = parse_cell(text)
    lowest_fits = cell is not None and (
        cell.value is None or cell.value > 0 or (cell.value == 0 and not columns.is_dilution())
    )
    if not lowest_fits:
        expected = "a dilution above 0" if columns.is_dilution() else "a concentration from 0"
        place = columns.roles["descriptor"] + 1
        problems.append(Problem("not a concentration or dilution", number, place, text, expected))
    return cell.value if cell else None


def _cell(cells: Sequence[str], columns: _Columns, role: str) -> str:
    index = columns.roles.get(role)
    return cells[index] if index is not None else ""


def _layout(parsed: Sequence[_Line], columns: _Columns, group: str, role: str) -> tuple[LayoutEntry, ...]:
    dilutes = columns.is_dilution()
    entries = []
    for line in parsed:
        factor = line.descriptor if dilutes and line.descriptor else Decimal(1)
        concentration = None if dilutes else line.descriptor
        unit = columns.unit if concentration is not None else None
        entries.append(
            LayoutEntry(line.plate, line.well, role, line.sample, group, concentration, unit, factor, line.number)
        )
    return tuple(entries)


def _results(parsed: Sequence[_Line], columns: _Columns, group: str) -> tuple[PrintedResult, ...]:
    """Every filled cell except the names of sample, well and plate."""
    identity = {columns.roles.get(role) for role in ("sample", "well", "plate")}
    results = []
    for line in parsed:
        for index, (name, text) in enumerate(zip(columns.names, line.cells, strict=False)):
            if index in identity or not text:
                continue
            cell = parse_cell(text)
            value, flag = (cell.value, cell.flag) if cell else (None, None)
            results.append(
                PrintedResult(line.plate, line.well, group, line.sample, name, value, flag, text, line.number)
            )
    return tuple(results)


def _well_flags(parsed: Sequence[_Line], columns: _Columns) -> tuple[tuple[str | None, str, str], ...]:
    flags = []
    for line in parsed:
        cell = parse_cell(_cell(line.cells, columns, "reading"))
        if cell is not None and cell.flag is not None:
            flags.append((line.plate, line.well, cell.flag))
    return tuple(flags)


def _warnings(name: str, role: str, columns: _Columns, line: int) -> list[Note]:
    warnings = []
    has_concentration = "descriptor" in columns.roles and not columns.is_dilution()
    if role == "standard" and not has_concentration:
        warnings.append(Note(line, f"group {name} looks like standards but has no column of concentrations"))
    if role == "sample" and has_concentration:
        column = columns.names[columns.roles["descriptor"]]
        text = f"group {name} holds samples, yet its column {column!r} was typed in: kept as nominal, not as dilution"
        warnings.append(Note(line, text))
    return warnings
