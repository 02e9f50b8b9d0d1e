"""A file as sheets of cells, whichever encoding and delimiter it came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assays.counters._tables import CounterError
from experiments.sheets.files import read_workbook
from experiments.sheets.problems import Problem
from experiments.sheets.workbook import Limits, Sheet, Workbook, WorkbookRefused

LIMITS = Limits(file_bytes=8 * 2**20, rows=20_000, columns=500, cells=200_000, cell_characters=8_192)


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of a file, and what was said about how it was read."""

    filename: str
    sheets: tuple[Sheet, ...]
    notes: tuple[Problem, ...]

    @property
    def words(self) -> str:
        """The text of the first cells, small letters, by which a format knows its own."""
        rows = [values for sheet in self.sheets for _, values in sheet.rows[:60]]
        return "\n".join(str(value) for values in rows for value in values if value is not None).casefold()


def open_book(data: bytes, filename: str, score: Callable[[Book], int]) -> Book:
    """Open a workbook or a delimited text; of the delimiters the one that gives the highest `score` holds.

    Raises CounterError for a file that cannot be read whole.
    """
    if data.startswith(b"PK"):
        return _opened(data, filename, "", "")
    encoding = _unmarked_utf16(data)
    books, refusals = [], []
    for delimiter in ("\t", ";", ","):
        try:
            books.append(_opened(data, filename, encoding, delimiter))
        except CounterError as refusal:
            refusals.append(refusal)
    if not books:
        raise refusals[0]
    best = max(books, key=score)
    cut = next((refusal for refusal in refusals if "unexpected end of data" in str(refusal)), None)
    if cut and score(best) == 0:
        raise cut  # a quote that never closes: with another delimiter it is no quote, and the file means nothing
    return best


def _opened(data: bytes, filename: str, encoding: str, delimiter: str) -> Book:
    try:
        book: Workbook = read_workbook(data, filename, encoding=encoding, delimiter=delimiter, limits=LIMITS)
    except WorkbookRefused as refusal:
        raise CounterError(filename, refusal.problems) from refusal
    return Book(filename, book.sheets, book.notes)


def _unmarked_utf16(data: bytes) -> str:
    """Which order UTF-16 without a byte order mark stands in: in Western text every other byte is 0."""
    head = data[:2000]
    if len(head) < 4 or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    if head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > len(head) // 3 else ""
