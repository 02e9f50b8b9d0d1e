"""The `Plate:` block of a SoftMax Pro export: tables of readings below a header line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from assays.readers._softmax_header import Header, channels_of, parse_header
from assays.readers._tables import Channel, Note, Plate, Problem, Reading
from assays.readers._text import (
    FLAG_WORDS_TEXT,
    decimal_comma_proven,
    normal_well,
    parse_cell,
    parse_comma_number,
    parse_number,
    row_name,
    well_position,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A data row: for each cell its place in the row, and the series (channel) it belongs to."""

    line: int
    cells: tuple[tuple[int, str, str, str], ...]  # field number, well, channel key, text


def parse_plate(
    lines: Sequence[str], first_line: int, problems: list[Problem]
) -> tuple[Plate | None, tuple[Note, ...]]:
    """Read one plate block; what is wrong is appended to `problems` and makes the plate None."""
    before = len(problems)
    header = parse_header(lines[0], first_line, problems)
    if header is None:
        return None, ()
    rows = list(_data_rows(lines, header, problems))
    texts = [text for row in rows for _, _, _, text in row.cells]
    comma = decimal_comma_proven(texts)
    readings = _readings(rows, parse_comma_number if comma else parse_number, problems)
    if not readings and len(problems) == before:
        problems.append(Problem("the plate holds no reading", first_line, value=header.label))
    if len(problems) > before:
        return None, ()
    keys = {reading.channel for reading in readings}
    channels = tuple(channel for channel in channels_of(header) if channel.key in keys)
    warnings = [Note(first_line, f"plate {header.label}: numbers are written with a decimal comma")] if comma else []
    warnings += _not_read(header, channels, readings)
    plate = Plate(
        label=header.label, rows=header.rows, columns=header.columns, read_mode="absorbance", read_type="endpoint",
        unit="AU", channels=channels, readings=readings, temperature_c=_temperature(lines, comma), read_at=None,
        line=first_line,
    )  # fmt: skip
    return plate, tuple(warnings)


def _data_rows(lines: Sequence[str], header: Header, problems: list[Problem]) -> Iterator[_Row]:
    """Every data row with its cells placed: one table per wavelength, or one with the wavelengths side by side."""
    keys = [channel.key for channel in channels_of(header)]
    tables = _tables(lines, header, problems)
    if not tables:
        problems.append(Problem("the plate has no table", header.line, expected="a heading and rows of readings"))
    for reduced in (False, True):
        series = keys[-1:] if reduced else keys[:-1]
        for index, table in enumerate(table for table in tables if table.reduced == reduced):
            for offset, (number, fields) in zip(_row_offsets(table, header, problems), table.rows, strict=False):
                yield _place(fields, table.labels, header, _Spot(series, index, offset, number), problems)


@dataclass(slots=True)
class _Table:
    reduced: bool
    labels: list[str]
    rows: list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a row belongs: the channels of its section, the table's place among them, the plate row, the line."""

    series: Sequence[str]
    table: int
    row: int
    line: int


def _tables(lines: Sequence[str], header: Header, problems: list[Problem]) -> list[_Table]:
    """Split a block at headings and blank lines; a line of tabs only is a row of wells that were not read."""
    tables: list[_Table] = []
    is_open = False
    for number, line in enumerate(lines[1:], start=header.line + 1):
        fields = [field.strip() for field in line.split("\t")]
        if _is_heading(fields, header):
            tables.append(_Table(not fields[1].lower().startswith("temp"), fields, []))
            is_open = True
        elif not any(fields) and (header.by_well or len(fields) <= 3):
            is_open = False
        elif not tables:
            expected = "a heading with Temperature and the wells or columns"
            problems.append(Problem("data without a heading", number, value=line, expected=expected))
            return []
        else:
            if not is_open or (header.by_well and tables[-1].rows):
                tables.append(_Table(tables[-1].reduced, tables[-1].labels, []))
                is_open = True
            tables[-1].rows.append((number, fields))
    return [table for table in tables if any(any(fields[2:]) for _, fields in table.rows)]


def _row_offsets(table: _Table, header: Header, problems: list[Problem]) -> Sequence[int]:
    """The plate row (0 is A) of each row of a table: all rows of the plate are printed, or only those read."""
    if header.by_well:
        return (0,)
    if len(table.rows) == header.rows:
        return range(header.rows)
    while len(table.rows) > header.row_count and not any(table.rows[-1][1]):
        table.rows.pop()
    if len(table.rows) == header.row_count:
        return range(header.first_row - 1, header.first_row - 1 + header.row_count)
    expected = f"{header.row_count} rows"
    number = table.rows[-1][0]
    problems.append(
        Problem("a table has too few or too many rows", number, value=f"{len(table.rows)} rows", expected=expected)
    )
    return ()


def _is_heading(fields: Sequence[str], header: Header) -> bool:
    if len(fields) > 1 and fields[1].lower().startswith("temp"):
        return True
    labels = [field for field in fields[2:] if field]
    if fields[0] or fields[1:2] != [""] or not labels:
        return False
    if header.by_well:
        return all(normal_well(label) for label in labels)
    return (
        len(labels) > 1
        and all(label.isascii() and label.isdigit() and len(label) < 3 for label in labels)
        and _counts_up(labels)
    )


def _counts_up(labels: Sequence[str]) -> bool:
    first = int(labels[0])
    return [int(label) for label in labels] == list(range(first, first + len(labels)))


def _place(fields: Sequence[str], labels: Sequence[str], header: Header, spot: _Spot, problems: list[Problem]) -> _Row:
    """Name the well and channel of every cell of a row."""
    groups = _label_groups(labels)
    beside = {position: g for g, group in enumerate(groups) for position in group}
    shift = _shift(fields, header, groups)
    cells = []
    for position, text in enumerate(fields[2:], start=2):
        index = beside.get(position, len(spot.series)) + spot.table * max(len(groups), 1)
        if not text:
            continue
        if index >= len(spot.series):
            problems.append(Problem("a value stands outside the table", spot.line, position + 1, text))
            continue
        label = labels[position]
        well = normal_well(label if header.by_well else f"{row_name(spot.row)}{_shifted(label, shift)}")
        if well is None or not _inside(well, header):
            problems.append(Problem("no such well on this plate", spot.line, position + 1, label))
        else:
            cells.append((position, well, spot.series[index], text))
    return _Row(spot.line, tuple(cells))


def _shift(fields: Sequence[str], header: Header, groups: Sequence[Sequence[int]]) -> int:
    """A heading of all columns over only the columns read: the first cell belongs to the first column read."""
    starts_at_once = len(fields) > 2 and bool(fields[2])
    short = len(groups) == 1 and len(groups[0]) > header.column_count >= len([f for f in fields[2:] if f])
    return header.first_column - 1 if short and starts_at_once else 0


def _shifted(label: str, shift: int) -> str:
    return str(int(label) + shift) if label.isascii() and label.isdigit() and len(label) < 4 else label


def _label_groups(labels: Sequence[str]) -> list[list[int]]:
    groups: list[list[int]] = [[]]
    for position in range(2, len(labels)):
        if labels[position]:
            groups[-1].append(position)
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _inside(well: str, header: Header) -> bool:
    row, column = well_position(well)
    return row < header.rows and column < header.columns


def _readings(
    rows: Sequence[_Row], convert: Callable[[str], Decimal | None], problems: list[Problem]
) -> tuple[Reading, ...]:
    seen: dict[tuple[str, str], int] = {}
    readings = []
    for row in rows:
        for position, well, channel, text in row.cells:
            cell = parse_cell(text, convert)
            if cell is None:
                problems.append(Problem("not a reading", row.line, position + 1, text, _expected(text)))
            elif (well, channel) in seen:
                message = f"a second value for well {well} (the first stands on line {seen[well, channel]})"
                problems.append(Problem(message, row.line, position + 1, text))
            else:
                seen[well, channel] = row.line
                readings.append(Reading(well, channel, cell.value, cell.flag, text, row.line))
    return tuple(readings)


def _expected(text: str) -> str:
    comma = " with a decimal point (this one has a comma)" if "," in text else ""
    return FLAG_WORDS_TEXT.replace("a number", f"a number{comma}")


def _not_read(header: Header, channels: Sequence[Channel], readings: Sequence[Reading]) -> list[Note]:
    """A channel that covers only part of the block read, or is promised and absent, is worth a look."""
    expected = header.row_count * header.column_count
    notes = []
    for channel in channels:
        found = sum(1 for reading in readings if reading.channel == channel.key)
        if found < expected:
            text = f"plate {header.label}, {channel.key}: {found} of {expected} wells have a value"
            notes.append(Note(header.line, text))
    if header.data_type != "Reduced":
        missing = [c.key for c in channels_of(header) if not c.reduced and c not in channels]
        notes += [Note(header.line, f"plate {header.label}: no values at {key} nm") for key in missing]
    return notes


def _temperature(lines: Sequence[str], comma: bool) -> Decimal | None:
    for line, following in pairwise(lines[1:]):
        fields, values = line.split("\t"), following.split("\t")
        if len(fields) > 1 and fields[1].strip().lower().startswith("temp") and len(values) > 1:
            return (parse_comma_number if comma else parse_number)(values[1])
    return None
