"""Any other counter: a table or a form whose headings name the sample, cells/mL and viability."""

from assays.counters._book import Book
from assays.counters._layout import score
from assays.counters._samples import read_samples
from assays.counters._tables import CountFile
from experiments.sheets.problems import ProblemLog

KEY = "any_table"
LABEL = "a table of another counter with headings such as Sample ID, Total (cells/mL), Viable (cells/mL), Viability (%)"
RANK = 90


def matches(book: Book) -> bool:
    """Whether the headings name at least three things that a count has."""
    return score(book.sheets) >= 3


def parse(book: Book) -> CountFile:
    """Read every sample. Raises CounterError when there is none."""
    return read_samples(KEY, book, ProblemLog())
