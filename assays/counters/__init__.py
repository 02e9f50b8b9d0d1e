"""Files of cell counters, read into frozen tables; no database.

One module per format, each with KEY, LABEL, RANK, matches(book) and parse(book) -> CountFile; the lowest RANK is asked
first. Modules whose name starts with an underscore are shared parts, not formats.
"""

import sys

from assays.counters._book import Book, open_book
from assays.counters._layout import score
from assays.counters._tables import CountedSample, CounterError, CountFile
from assays.discovery import discover
from experiments.sheets.problems import Place, ProblemLog, first_few

COUNTERS = discover(sys.modules[__name__], required=("LABEL", "RANK", "matches", "parse"))

__all__ = ["COUNTERS", "CountFile", "CountedSample", "CounterError", "read"]


def read(data: bytes, filename: str) -> CountFile:
    """Read a cell counter's file with the first format that recognises it.

    Raises CounterError, with every problem found, when no format recognises the file or no sample can be read.
    """
    book = open_book(data, filename, lambda book: score(book.sheets))
    for counter in sorted(COUNTERS.values(), key=lambda counter: counter.RANK):
        if counter.matches(book):
            return counter.parse(book)
    raise CounterError(filename, _unknown(book))


def _unknown(book: Book) -> tuple:
    log = ProblemLog()
    first = next(((sheet.name, *row) for sheet in book.sheets for row in sheet.rows), (book.filename, 1, ()))
    sheet, number, values = first
    known = "; ".join(counter.LABEL for counter in COUNTERS.values())
    log.refuse(Place(sheet, number), first_few(filter(None, values)), f"one of: {known}", "format_unknown")
    return log.sorted()
