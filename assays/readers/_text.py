"""Bytes to lines, cells to numbers, well names: shared by the readers of text exports."""

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from assays.readers._tables import Problem, ReadError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d{1,3})?")
WELL = re.compile(r"([A-Z]|A[A-F])([1-9]|[1-3]\d|4[0-8])")
PLATE_SHAPES = {6: (2, 3), 12: (3, 4), 24: (4, 6), 48: (6, 8), 96: (8, 12), 384: (16, 24), 1536: (32, 48)}

MAX_BYTES = 32 * 1024 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_FLAG_WORDS = {
    "ovrflw": "overflow", "overflow": "overflow", "over": "overflow", "#sat": "overflow", "sat": "overflow",
    "saturated": "overflow", ">max": "overflow", "missed": "missed", "missing": "missed", "masked": "masked",
    "mask": "masked", "range?": "out_of_range", "range": "out_of_range", "out": "out_of_range",
    "#low": "out_of_range", "#high": "out_of_range", "nan": "invalid", "nonum": "invalid", "error": "invalid",
    "err": "invalid", "inf": "invalid", "-inf": "invalid", "n/a": "invalid", "?": "invalid",
}  # fmt: skip
FLAG_WORDS_TEXT = "a number or one of OVRFLW, MISSED, Masked, Range?, NaN, Error, ?????"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's number (None where none stands) and flag (None where the number is sound)."""

    value: Decimal | None
    flag: str | None


def decode(data: bytes, filename: str) -> str:
    """Decode UTF-8, UTF-16 in either order (with or without a mark) or a Western single-byte code page.

    Raises ReadError when the bytes end in the middle of a character or are no text.
    """
    if len(data) > MAX_BYTES:
        raise ReadError(filename, [Problem(f"the file has {len(data)} bytes", expected=f"at most {MAX_BYTES}")])
    mark, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", _unmarked(data)))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark or encoding != "utf-8":
            raise ReadError(filename, [_undecodable(data, encoding, error)]) from error
        text = data.decode("latin-1")
    # Mac exports write the degree sign as byte A1, which every other code page shows as an inverted mark.
    return text.replace("\u00a1C", "°C")


def _unmarked(data: bytes) -> str:
    head = data[:2000]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) > len(head) // 3:
        return "utf-16-be"
    return "utf-8"


def _undecodable(data: bytes, encoding: str, error: UnicodeDecodeError) -> Problem:
    found = data[error.start : error.start + 4].hex(" ")
    message = f"the text breaks off or is damaged at byte {error.start + 1}; is the file complete?"
    return Problem(message, value=found, expected=f"{encoding} text")


def split_lines(text: str) -> list[str]:
    """Lines by CR LF, LF or CR only: str.splitlines() would also split at form feeds and exotic marks."""
    return re.split(r"\r\n|\n|\r", text)


def parse_number(text: str) -> Decimal | None:
    """The finite decimal number `text` is, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and len(stripped) < 60 else None


def parse_comma_number(text: str) -> Decimal | None:
    """Like parse_number, for a text whose decimal sign is a comma."""
    stripped = text.strip()
    return parse_number(stripped.replace(",", ".")) if "." not in stripped else None


def decimal_comma_proven(texts: Iterable[str]) -> bool:
    """Whether these cells can only be numbers with a decimal comma.

    A comma that groups thousands is always followed by three digits, so a single other count settles it; a decimal
    point anywhere contradicts it.
    """
    stripped = [text.strip() for text in texts]
    if any("." in text and NUMBER.fullmatch(text) for text in stripped):
        return False
    commas = [text for text in stripped if COMMA_NUMBER.fullmatch(text)]
    return any(not re.search(r",\d{3}(?!\d)", text) for text in commas)


def parse_cell(text: str, convert: Callable[[str], Decimal | None] = parse_number) -> Cell | None:
    """A cell as number or flag; None when it is neither. `*0.356*` is a masked number, `<0.1` lies below the curve."""
    stripped = text.strip()
    if len(stripped) > 2 and stripped[0] == stripped[-1] == "*":
        inner = parse_cell(stripped[1:-1], convert)
        return Cell(inner.value, "masked") if inner else None
    number = convert(stripped)
    if number is not None:
        return Cell(number, None)
    if stripped[:1] in "<>" and convert(stripped[1:]) is not None:
        return Cell(None, "below_curve" if stripped[0] == "<" else "above_curve")
    flag = "invalid" if stripped and set(stripped) == {"?"} else _FLAG_WORDS.get(stripped.lower().strip("#*"))
    flag = flag or _FLAG_WORDS.get(stripped.lower())
    return Cell(None, flag) if flag else None


def well_name(row: int, column: int) -> str:
    """The name of the well in `row` (0 is A, 26 is AA) and `column` (0 is 1)."""
    return f"{row_name(row)}{column + 1}"


def row_name(row: int) -> str:
    """A to Z, then AA to AF."""
    return chr(65 + row) if row < 26 else f"A{chr(65 + row - 26)}"


def row_index(name: str) -> int:
    """The inverse of `row_name`."""
    return ord(name[-1]) - 65 + (26 if len(name) == 2 else 0)


def normal_well(text: str) -> str | None:
    """`a01` or ` A1 ` as `A1`; None when `text` is no well."""
    squeezed = re.sub(r"^([A-Z]+)0+(?=\d)", r"\1", text.strip().upper())
    return squeezed if WELL.fullmatch(squeezed) else None


def well_position(well: str) -> tuple[int, int]:
    """Zero-based (row, column) of a normal well name."""
    match = WELL.fullmatch(well)
    if match is None:
        raise ValueError(f"{well!r} is no well name")
    return row_index(match[1]), int(match[2]) - 1


def shape_of(row_count: int, column_count: int) -> tuple[int, int] | None:
    """The smallest standard plate (rows, columns) that holds so many rows and columns; None above 1536 wells."""
    return next((s for s in PLATE_SHAPES.values() if s[0] >= row_count and s[1] >= column_count), None)
