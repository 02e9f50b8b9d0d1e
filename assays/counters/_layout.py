"""Finds the samples of a sheet: rows below a heading (of one or several rows), or a form of heading and value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assays.counters._headings import COUNTED, COUNTS, Heading, meaning
from experiments.sheets.problems import Place, ProblemLog, first_few
from experiments.sheets.values import as_text
from experiments.sheets.workbook import Sheet, column_letter

Row = tuple[int, tuple[object, ...]]
_STARTS_SAMPLE = frozenset({"name"})
MOST_HEADING_ROWS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its place, heading and what the heading means."""

    place: Place
    value: object
    heading: Heading

    @property
    def text(self) -> str:
        return as_text(self.value)


@dataclass(slots=True)
class Record:
    """The cells of one sample: by field those with a meaning, and all of them as printed."""

    place: Place
    cells: dict[str, Cell] = field(default_factory=dict)
    printed: list[tuple[str, str]] = field(default_factory=list)
    doubles: list[tuple[Cell, Cell]] = field(default_factory=list)

    @property
    def counts(self) -> int:
        """How many counts, concentrations and viabilities have a value."""
        return sum(field in COUNTS and bool(cell.text) for field, cell in self.cells.items())

    def take(self, cell: Cell) -> None:
        """Keep `cell` for its field unless a heading of lower rank holds it already."""
        held = self.cells.get(cell.heading.field)
        if held is None or not held.text or (cell.text and cell.heading.rank < held.heading.rank):
            self.cells[cell.heading.field] = cell
        elif cell.text and cell.text != held.text and cell.heading.rank == held.heading.rank:
            self.doubles.append((held, cell))


@dataclass(frozen=True, slots=True)
class Table:
    """A heading over columns; `first` is the number of the heading's row, `last` of its lowest one."""

    first: int
    last: int
    headings: tuple[str, ...]

    def meanings(self) -> dict[int, Heading]:
        return {i: found for i, text in enumerate(self.headings) if (found := meaning(text))}


def find_table(rows: Sequence[Row]) -> Table | None:
    """The first heading that names samples and a concentration or viability."""
    for at in range(min(len(rows), 200)):
        for height in range(1, MOST_HEADING_ROWS + 1):
            table = _joined(rows[at : at + height])
            if table and _names_and_counts(table) and not _goes_on(rows, at + height, table):
                return table
    return None


def _joined(rows: Sequence[Row]) -> Table | None:
    if not rows or sum(isinstance(value, str) and bool(value.strip()) for value in rows[0][1]) < 2:
        return None
    width = max(len(values) for _, values in rows)
    texts = [[as_text(values[i]) if i < len(values) else "" for _, values in rows] for i in range(width)]
    return Table(rows[0][0], rows[-1][0], tuple(" ".join(" ".join(parts).split()) for parts in texts))


def _names_and_counts(table: Table) -> bool:
    fields = {heading.field for heading in table.meanings().values()}
    return "name" in fields and bool(fields & COUNTED)


def _goes_on(rows: Sequence[Row], at: int, table: Table) -> bool:
    """Whether the next row still belongs to the heading: text without a digit at its start, none below the name."""
    if at >= len(rows) or rows[at][0] != table.last + 1:
        return False
    values = rows[at][1]
    name = min(i for i, heading in table.meanings().items() if heading.field == "name")
    texts = [as_text(value) for value in values]
    below = texts[name] if name < len(texts) else ""
    return not below and not any(re.match(r"[+-]?[.,]?[0-9]", text) for text in texts) and any(texts)


def table_records(sheet: Sheet, table: Table, log: ProblemLog) -> Iterator[Record]:
    """A record a row below the heading. Rows that cannot be one are named."""
    meanings = table.meanings()
    for number, values in sheet.rows:
        if number <= table.last:
            continue
        texts = [as_text(value) for value in values]
        if tuple(" ".join(text.split()) for text in texts[: len(table.headings)]) == table.headings:
            continue  # the heading again, on another page
        extra = [text for text in texts[len(table.headings) :] if text]
        if extra:
            expected = f"at most {len(table.headings)} cells as in the heading; is a decimal comma the delimiter too?"
            log.error(
                Place(sheet.name, number, column_letter(len(table.headings))),
                first_few(extra),
                expected,
                "row_too_wide",
            )
        elif not any(i < len(texts) and texts[i] for i, heading in meanings.items() if heading.field in COUNTS):
            log.leave_out(Place(sheet.name, number), first_few(filter(None, texts)), "a row with a count", "no_count")
        else:
            yield _row_record(sheet, table, number, values, log)


def _row_record(sheet: Sheet, table: Table, number: int, values: tuple[object, ...], log: ProblemLog) -> Record:
    record = Record(Place(sheet.name, number))
    meanings = table.meanings()
    for i, heading in enumerate(table.headings):
        value = values[i] if i < len(values) else None
        place = Place(sheet.name, number, column_letter(i), heading)
        if (number, i + 1) in sheet.uncached:
            log.leave_out(
                place, "a formula", "a value; save the file in a spreadsheet program", "formula_without_value"
            )
        elif i in meanings:
            record.take(Cell(place, value, meanings[i]))
        if as_text(value):
            record.printed.append((heading or column_letter(i), as_text(value)))
    filled = len(table.headings) if table.headings[-1] else max(i for i, h in enumerate(table.headings) if h) + 1
    if not sheet.serial_epoch and len(values) < filled:
        log.warn(
            record.place,
            f"{len(values)} cells",
            f"{filled} cells as in the heading; is the file complete?",
            "row_too_short",
        )
    return record


def form_records(sheet: Sheet) -> Iterator[Record]:
    """A record from heading to heading: each `Sample ID` (or what names a sample) that comes again starts another."""
    record: Record | None = None
    for number, column, heading, value in _pairs(sheet):
        found = meaning(heading)
        if found and found.field in _STARTS_SAMPLE and record and _repeats(record, heading):
            yield record
            record = None
        record = record or Record(Place(sheet.name, number))
        if found:
            record.take(Cell(Place(sheet.name, number, column_letter(column), heading), value, found))
        if as_text(value):
            record.printed.append((heading, as_text(value)))
    if record is not None:
        yield record


def _repeats(record: Record, heading: str) -> bool:
    return any(name == heading for name, _ in record.printed)


def _pairs(sheet: Sheet) -> Iterator[tuple[int, int, str, object]]:
    """Row, column of the value, heading and value: `A;B`, `A : B` in one cell, or a cell and the next one filled."""
    rows = list(sheet.rows)
    for at, (number, values) in enumerate(rows):
        texts = [as_text(value) for value in values]
        filled = [i for i, text in enumerate(texts) if text.strip(" ,;")]
        if sum(meaning(text) is not None for text in texts) > 2:
            continue  # the heading of a table
        if len(filled) == 1 and ":" in texts[filled[0]] and not texts[filled[0]].endswith(":"):
            heading, value = re.split(r"\s*:\s*", texts[filled[0]], maxsplit=1)
            yield number, filled[0], heading, value
            continue
        taken = -1
        for position, i in enumerate(filled[:-1]):
            if i <= taken or (position and not meaning(texts[i].rstrip(" :"))):
                continue
            taken = filled[position + 1]
            yield number, taken, texts[i].rstrip(" :"), _whole(values[taken], rows[at + 1 :])
        if len(filled) == 1:
            yield number, filled[0] + 1, texts[filled[0]].rstrip(" :"), None


def _whole(value: object, following: Sequence[Row]) -> object:
    """A remark in brackets that a line break cut in two is put together again."""
    if not isinstance(value, str) or value.count("(") <= value.count(")") or not following:
        return value
    rest = as_text(next((cell for cell in following[0][1] if as_text(cell)), ""))
    return f"{value} {rest}" if rest.count(")") > rest.count("(") else value


def score(sheets: Sequence[Sheet]) -> int:
    """How many cells of these sheets have a meaning: by it the delimiter of a text is chosen."""
    best = 0
    for sheet in sheets:
        table = find_table(sheet.rows)
        records = [] if table else list(form_records(sheet))
        counted = [len(record.cells) for record in records if record.counts]
        best = max(best, len(table.meanings()) if table else max(counted, default=0))
    return best
