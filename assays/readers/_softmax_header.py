"""The header line of a `Plate:` block.

It holds, tab-separated: name, export version, TimeFormat or PlateFormat, read type, read mode, data type, pre-read,
kinetic points, read time, interval, first, last and step wavelength, number of wavelengths, the wavelengths, first
column, number of columns, number of wells, first row, number of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from assays.readers._tables import Channel, Problem
from assays.readers._text import PLATE_SHAPES, parse_number

_DATA_TYPES = ("Raw", "Reduced", "Both")
_COUNTS = (
    (14, "number of wavelengths"), (16, "first column"), (17, "number of columns"), (18, "number of wells"),
    (19, "first row"), (20, "number of rows"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What the header line says of the plate and of the part of it that was read, counted from 1."""

    label: str
    by_well: bool
    data_type: str
    wavelengths_nm: tuple[Decimal, ...]
    first_column: int
    column_count: int
    rows: int
    columns: int
    first_row: int
    row_count: int
    line: int


def parse_header(line: str, number: int, problems: list[Problem]) -> Header | None:
    """Read the header line; what is wrong or not supported is appended to `problems` and gives None."""
    fields = [field.strip() for field in line.split("\t")]
    unsupported = _unsupported(fields, number)
    if unsupported:
        problems.extend(unsupported)
        return None
    fields += [""] * (21 - len(fields))
    counts = [_count(fields, i, name, number, problems) for i, name in _COUNTS]
    wavelengths = [parse_number(text) for text in fields[15].split()]
    if None in wavelengths or (counts[0] is not None and len(wavelengths) != counts[0]):
        expected = f"{fields[14]} wavelengths in nm"
        problems.append(Problem("the wavelengths cannot be read", number, 16, fields[15], expected))
        return None
    if any(count is None for count in counts):
        return None
    _, first_column, column_count, well_count, first_row, row_count = (count or 0 for count in counts)
    shape = PLATE_SHAPES.get(well_count)
    if shape is None or first_row + row_count - 1 > shape[0] or first_column + column_count - 1 > shape[1]:
        place = f"rows {first_row}+{row_count}, columns {first_column}+{column_count} of {well_count} wells"
        problems.append(Problem("the plate's size makes no sense", number, 19, place, "a plate of 6 to 1536 wells"))
        return None
    return Header(
        fields[1] or "Plate", fields[3] == "TimeFormat", fields[6], tuple(w for w in wavelengths if w is not None),
        first_column, column_count, *shape, first_row, row_count, number,
    )  # fmt: skip


def _count(fields: Sequence[str], index: int, name: str, number: int, problems: list[Problem]) -> int | None:
    text = fields[index]
    if text.isascii() and text.isdigit() and 0 < int(text) <= 1536:
        return int(text)
    problems.append(Problem(f"the {name} cannot be read", number, index + 1, text, "a whole number from 1 to 1536"))
    return None


def _unsupported(fields: Sequence[str], number: int) -> list[Problem]:
    wanted = (
        (3, "export format", ("TimeFormat", "PlateFormat")),
        (4, "read type", ("Endpoint",)),
        (5, "read mode", ("Absorbance",)),
        (6, "data type", _DATA_TYPES),
    )
    found = []
    for index, name, accepted in wanted:
        value = fields[index] if index < len(fields) else ""
        if value not in accepted:
            found.append(Problem(f"this {name} is not supported", number, index + 1, value, " or ".join(accepted)))
            break  # the fields after an unknown mode stand elsewhere and would only be blamed wrongly
    return found


def channels_of(header: Header) -> tuple[Channel, ...]:
    """A channel a wavelength (repeated ones numbered), and one for what the software reduced them to."""
    seen: dict[Decimal, int] = {}
    channels = []
    for wavelength in header.wavelengths_nm:
        seen[wavelength] = seen.get(wavelength, 0) + 1
        suffix = f"#{seen[wavelength]}" if seen[wavelength] > 1 else ""
        channels.append(Channel(f"{wavelength}{suffix}", wavelength))
    return (*channels, Channel("reduced", None, reduced=True))
