"""Beckman Coulter Vi-CELL BLU: a list with one row a sample, in cells × 10^6/mL."""

from assays.counters._book import Book
from assays.counters._samples import read_samples
from assays.counters._tables import CountFile
from experiments.sheets.problems import ProblemLog

KEY = "vi_cell_blu"
LABEL = "Beckman Vi-CELL BLU list of samples (Sample ID, Total and Viable (x10^6) cells/mL, Viability (%))"
RANK = 20

_SIGNS = (
    "analysis date/time", "reanalysis date/time", "average viable circularity", "images for analysis",
    "viable spot brightness (%)", "total (x10^6) cells/ml", "viable (x10^6) cells/ml", "decluster degree",
)  # fmt: skip


def matches(book: Book) -> bool:
    """Whether two of the list's own headings stand in the file."""
    return sum(sign in book.words for sign in _SIGNS) >= 2 and "vi-cell xr" not in book.words


def parse(book: Book) -> CountFile:
    """Read every row. Raises CounterError when there is none."""
    log = ProblemLog()
    for problem in book.notes:
        log.object_to(problem)
    return read_samples(KEY, book.filename, book.sheets, log)
