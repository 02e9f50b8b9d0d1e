"""Beckman Coulter Vi-CELL BLU: a list with one row a sample, or the detail of one sample; in cells × 10^6/mL.

The detail has three tables below one another: the sample, its reagents, and its images with their total.
"""

from dataclasses import replace

from assays.counters._book import Book
from assays.counters._samples import read_samples
from assays.counters._tables import CountFile
from experiments.sheets.problems import Place, ProblemLog
from experiments.sheets.values import as_text
from experiments.sheets.workbook import Sheet

KEY = "vi_cell_blu"
LABEL = (
    "Beckman Vi-CELL BLU list of samples or detail of one (Sample ID, Total and Viable (x10^6) cells/mL, Viability (%))"
)
RANK = 20

_SIGNS = (
    "analysis date/time", "reanalysis date/time", "average viable circularity", "images for analysis",
    "viable spot brightness (%)", "total (x10^6) cells/ml", "viable (x10^6) cells/ml", "decluster degree",
)  # fmt: skip


def matches(book: Book) -> bool:
    """Whether two of the list's own headings stand in the file."""
    return sum(sign in book.words for sign in _SIGNS) >= 2 and "vi-cell xr" not in book.words


def parse(book: Book) -> CountFile:
    """Read every row, of a detail the total of its images. Raises CounterError when there is none."""
    log = ProblemLog()
    return read_samples(KEY, replace(book, sheets=tuple(_total_of_detail(sheet, log) for sheet in book.sheets)), log)


def _total_of_detail(sheet: Sheet, log: ProblemLog) -> Sheet:
    """Of a detail its sample and total in one row; every other sheet as it is."""
    firsts = [as_text(values[0]).casefold() if values else "" for _, values in sheet.rows]
    if "image#" not in firsts or "total" not in firsts or firsts[0] != "sample id":
        return sheet
    images, total = firsts.index("image#"), firsts.index("total")
    (_, names), (_, sample) = sheet.rows[0], sheet.rows[1]
    padded = (*sample[: len(names)], *[None] * (len(names) - len(sample)))
    (at, headings), (number, counts) = sheet.rows[images], sheet.rows[total]
    log.warn(
        Place(sheet.name, at), f"{total - images - 1} rows", "the total below them, which is read", "images_left_out"
    )
    rows = ((at, (*names, *headings[1:])), (number, (*padded, *counts[1:])))
    return replace(sheet, rows=rows)
