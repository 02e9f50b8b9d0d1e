"""Beckman Coulter Vi-CELL XR: the workbook of a run (a heading of two rows) and the text of one sample (`Key : value`)."""

from assays.counters._book import Book
from assays.counters._samples import read_samples
from assays.counters._tables import CountFile
from experiments.sheets.problems import ProblemLog

KEY = "vi_cell_xr"
LABEL = (
    "Beckman Vi-CELL XR run as XLSX or text, or the text of one sample (Sample ID : …, Total cells / ml (x 10^6) : …)"
)
RANK = 15

_SIGNS = (
    "sample date/time",
    "avg. diam.",
    "avg. circ.",
    "v. cell spot",
    "trypan blue",
    "rundate",
    "field of view (microns)",
)


def matches(book: Book) -> bool:
    """Whether the file names the instrument, or two of its own headings stand in it."""
    return "vi-cell xr" in book.words or sum(sign in book.words for sign in _SIGNS) >= 2


def parse(book: Book) -> CountFile:
    """Read every sample. Raises CounterError when there is none."""
    return read_samples(KEY, book, ProblemLog())
