"""A file with cells, whatever its format: XLSX or delimited text, read whole, values only, within limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from experiments.sheets.problems import Place, Problem, ProblemLog


class WorkbookRefused(ValueError):
    """The file cannot be read at all. `problems` says where and why; its text is the first of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sheet may cost. A file beyond a limit is refused by name, never cut short."""

    file_bytes: int = 32 * 2**20
    unpacked_bytes: int = 48 * 2**20
    rows: int = 200_000
    columns: int = 2_000
    cells: int = 400_000
    cell_characters: int = 32_767


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `rows` holds (row number from 1, values) of every row that is not blank, in order.

    `uncached` are cells whose formula has no stored result, `merged` ranges as (first row, first column, last row,
    last column), all from 1.
    """

    name: str
    rows: tuple[tuple[int, tuple[object, ...]], ...]
    hidden: bool = False
    blank_rows: int = 0
    merged: tuple[tuple[int, int, int, int], ...] = ()
    uncached: frozenset[tuple[int, int]] = frozenset()
    serial_epoch: str = ""
    """`1900` or `1904` where bare numbers can be Excel's serial days, empty where they cannot."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file that was read: its sheets in order, and notes on how it was read (encoding taken, say)."""

    name: str
    sheets: tuple[Sheet, ...]
    notes: tuple[Problem, ...] = field(default=())


def refused(name: str, value: object, expected: str, rule: str, *, row: int = 0) -> WorkbookRefused:
    log = ProblemLog()
    log.refuse(Place(name, row), value, expected, rule)
    return WorkbookRefused(log.sorted())


def column_letter(index: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
