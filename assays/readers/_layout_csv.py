"""A plate layout typed as CSV: one row a well."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from assays.readers._tables import ROLES, LayoutEntry, Problem, ReadError
from assays.readers._text import COMMA_NUMBER, decode, normal_well, parse_number

REQUIRED = ("well", "role")
OPTIONAL = ("plate", "sample", "concentration", "unit", "dilution")


def read_layout_csv(data: bytes, filename: str) -> tuple[LayoutEntry, ...]:
    """Read a layout with the columns plate (optional: all plates), well, role, sample, concentration, unit, dilution.

    `concentration` is nominal, in `unit`; `dilution` is the factor a measured concentration is multiplied by (1 when
    empty). Raises ReadError with every problem of the file, by line and column.
    """
    problems: list[Problem] = []
    rows = _rows(decode(data, filename), filename)
    heading = [cell.strip().lower() for cell in rows[0][1]]
    _check_heading(heading, problems)
    entries: list[LayoutEntry] = []
    if not problems:
        for number, cells in rows[1:]:
            entry = _entry(number, cells, heading, problems)
            if entry is not None:
                entries.append(entry)
        _check_repeats(entries, problems)
    if not entries and not problems:
        problems.append(Problem("the layout holds no well", rows[0][0], expected="one row a well"))
    if problems:
        raise ReadError(filename, problems)
    return tuple(entries)


def _rows(text: str, filename: str) -> list[tuple[int, list[str]]]:
    separator = max(",;\t", key=(text.strip().splitlines() or [""])[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise ReadError(filename, [Problem(f"not a CSV file: {error}", reader.line_num)]) from error
    filled = [row for row in rows if any(cell.strip() for cell in row[1])]
    if not filled:
        raise ReadError(filename, [Problem("the layout is empty", 1, expected=", ".join((*REQUIRED, *OPTIONAL)))])
    return filled


def _check_heading(heading: Sequence[str], problems: list[Problem]) -> None:
    known = ", ".join((*REQUIRED, *OPTIONAL))
    for name in REQUIRED:
        if name not in heading:
            problems.append(Problem(f"the column {name} is missing", 1, value=", ".join(heading), expected=known))
    for index, name in enumerate(heading, start=1):
        if name and name not in (*REQUIRED, *OPTIONAL):
            problems.append(Problem("unknown column", 1, index, name, known))
        elif name and heading.index(name) < index - 1:
            problems.append(Problem("the column stands there twice", 1, index, name))


def _entry(number: int, cells: Sequence[str], heading: Sequence[str], problems: list[Problem]) -> LayoutEntry | None:
    before = len(problems)
    if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
        expected = f"{len(heading)} cells"
        problems.append(Problem("the row is longer than the heading", number, len(heading) + 1, cells[-1], expected))
    row = {name: cell.strip() for name, cell in zip(heading, cells, strict=False)}
    role, well = row.get("role", "").lower(), normal_well(row.get("well", ""))
    if role not in ROLES:
        problems.append(Problem("unknown role", number, "role", row.get("role", ""), " or ".join(ROLES)))
    if well is None:
        problems.append(Problem("no well", number, "well", row.get("well", ""), "a well such as A1"))
    concentration = _number(row, "concentration", number, problems)
    dilution = _number(row, "dilution", number, problems)
    _check_meaning(row, role, (concentration, dilution), number, problems)
    if len(problems) > before or well is None:
        return None
    return LayoutEntry(
        row.get("plate") or None, well, role, row.get("sample") or role, None, concentration, row.get("unit") or None,
        dilution if dilution is not None else Decimal(1), number,
    )  # fmt: skip


def _number(row: Mapping[str, str], name: str, number: int, problems: list[Problem]) -> Decimal | None:
    text = row.get(name, "")
    value = parse_number(text)
    if text and value is None:
        is_comma = COMMA_NUMBER.fullmatch(text)
        message = f"{name} has a decimal comma" if is_comma else f"{name} is not a number"
        problems.append(Problem(message, number, name, text, "a number with a decimal point"))
    return value


def _check_meaning(
    row: Mapping[str, str], role: str, numbers: tuple[Decimal | None, Decimal | None], number: int,
    problems: list[Problem],
) -> None:  # fmt: skip
    concentration, dilution = numbers
    if role == "standard" and not row.get("concentration"):
        problems.append(Problem("a standard needs its concentration", number, "concentration", "", "a number"))
    if concentration is not None and concentration < 0:
        problems.append(Problem("negative concentration", number, "concentration", str(concentration), "0 or more"))
    if dilution is not None and dilution <= 0:
        problems.append(Problem("impossible dilution", number, "dilution", str(dilution), "a factor above 0"))
    if role == "sample" and not row.get("sample"):
        problems.append(Problem("a sample needs its name", number, "sample", "", "a name"))


def _check_repeats(entries: Sequence[LayoutEntry], problems: list[Problem]) -> None:
    first: dict[tuple[str | None, str], int] = {}
    for entry in entries:
        line = first.setdefault((entry.plate, entry.well), entry.line)
        if line != entry.line:
            message = f"the well already stands on line {line}"
            problems.append(Problem(message, entry.line, "well", entry.well, "each well once a plate"))
