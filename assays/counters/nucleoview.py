"""ChemoMetec NucleoCounter: NucleoView's form of one sample (`;`), NC-View's form (tab) and list of samples (`,`)."""

import re

from assays.counters._book import Book
from assays.counters._samples import read_samples
from assays.counters._tables import CountFile
from experiments.sheets.problems import Place, ProblemLog

KEY = "nucleoview"
LABEL = "ChemoMetec NucleoView or NC-View export (Viability (%), Live, Dead and Total (cells/ml))"
RANK = 10

_SIGNS = (
    "live (cells/ml)",
    "dead (cells/ml)",
    "cm filename",
    "nucleoview",
    "nucleocounter",
    "via2-cassette",
    "via1-cassette",
)
_END_MARK = re.compile(r"//\[[0-9a-f]{8}\]")


def matches(book: Book) -> bool:
    """Whether two of ChemoMetec's own words stand in the file, or a form of an image and its viability."""
    return sum(sign in book.words for sign in _SIGNS) >= 2 or _headings(book) >= {"image", "viability (%)"}


def _headings(book: Book) -> set[str]:
    return {str(values[0]).strip().casefold() for sheet in book.sheets for _, values in sheet.rows if values}


def parse(book: Book) -> CountFile:
    """Read every sample. Raises CounterError when there is none.

    A NucleoView file closes with a mark such as `//[ECEC5A41]`; where its form lacks it the file may be cut off.
    """
    log = ProblemLog()
    is_form = "image" in _headings(book)
    cells = [
        str(value).casefold() for sheet in book.sheets for _, values in sheet.rows[-3:] for value in values if value
    ]
    if is_form and not any(_END_MARK.search(cell) for cell in cells):
        last = book.sheets[-1].rows[-1][0]
        expected = "a closing mark such as //[ECEC5A41]; is the file complete?"
        log.warn(Place(book.sheets[-1].name, last), "the end of the file", expected, "no_end_mark")
    return read_samples(KEY, book, log)
