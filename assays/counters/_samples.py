"""From records of cells to counted samples: exact numbers in cells/mL, instants, and what contradicts itself."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from assays.counters._book import Book
from assays.counters._headings import NUMBERS, meaning
from assays.counters._instants import day_comes_first, read_instant
from assays.counters._layout import Cell, Record, find_table, form_records, table_records
from assays.counters._numbers import Number, decimal_mark, read_number
from assays.counters._tables import CountedSample, CounterError, CountFile
from experiments.sheets.problems import Place, ProblemLog, first_few
from experiments.sheets.values import clean_text
from experiments.sheets.workbook import Sheet

_ONE_POINT, _HUNDRED = Decimal(1), Decimal(100)
_PAIRS = (("viable_cells_per_ml", "total_cells_per_ml"), ("viable_cells", "total_cells"))
_NOT_KEPT = ("dead_cells_per_ml", "utc_offset_hours")
LONGEST_NAME, LONGEST_COMMENT = 200, 1000


def read_samples(key: str, book: Book, log: ProblemLog) -> CountFile:
    """The samples of all visible sheets; `log` holds what the format found. Raises CounterError where there is none."""
    for problem in book.notes:
        log.object_to(problem)
    records = [record for sheet in book.sheets for record in _records(sheet, log)]
    texts = [c.text for r in records for f, c in r.cells.items() if f in NUMBERS and isinstance(c.value, str)]
    dates = [told[1] for record in records if (told := _instant_text(record))]
    mark, day_first = decimal_mark(texts), day_comes_first(dates)
    samples = tuple(_sample(record, mark, day_first, log) for record in records)
    _check_repeats(samples, log)
    if not samples:
        if not log.sorted():
            expected = "a sample with cells/mL or viability"
            log.refuse(Place(book.filename), "no sample", expected, "no_sample")
        raise CounterError(book.filename, log.sorted())
    unread = dict.fromkeys(name for record in records for name, _ in record.printed if not meaning(name))
    return CountFile(key, book.filename, samples, log.sorted(), tuple(unread))


def _records(sheet: Sheet, log: ProblemLog) -> list[Record]:
    if sheet.hidden and sheet.rows:
        log.leave_out(
            Place(sheet.name), f"a hidden sheet of {len(sheet.rows)} rows", "no hidden sheets", "hidden_sheet"
        )
        return []
    table = find_table(sheet.rows)
    counted = list(table_records(sheet, table, log)) if table else _forms(sheet)
    if not counted and not table and sheet.rows:
        expected = "headings that name a sample and its cells/mL or viability"
        log.leave_out(
            Place(sheet.name, sheet.rows[0][0]), first_few(filter(None, sheet.rows[0][1])), expected, "no_heading"
        )
    return counted


def _forms(sheet: Sheet) -> list[Record]:
    return [record for record in form_records(sheet) if record.counts]


def _sample(record: Record, mark: str | None, day_first: bool | None, log: ProblemLog) -> CountedSample:
    found = {field: _number(record.cells[field], mark, log) for field in NUMBERS if field in record.cells}
    values = {field: number for field, number in found.items() if number is not None}
    for held, other in record.doubles:
        expected = f"one value of this; {held.place} says {held.text}, which is taken"
        log.warn(other.place, other.text, expected, "said_twice")
    _check_bounds(record, values, log)
    _check_agreement(record, values, log)
    return CountedSample(
        place=record.place,
        name=_text(record, "name", LONGEST_NAME, log),
        counted_at=_instant(record, day_first, log),
        utc_offset_hours=_offset(record, values),
        operator=_text(record, "operator", LONGEST_NAME, log),
        comment=_text(record, "comment", LONGEST_COMMENT, log),
        printed=tuple(record.printed),
        **{name: _written_out(values.get(name)) for name in NUMBERS if name not in _NOT_KEPT},
    )


def _written_out(number: Decimal | None) -> Decimal | None:
    """Without a positive exponent: 7.8E+5 is 780000."""
    return number if number is None or int(number.as_tuple().exponent) <= 0 else Decimal(int(number))


def _number(cell: Cell, mark: str | None, log: ProblemLog) -> Decimal | None:
    if not cell.text:
        return None
    number: Number | None = read_number(cell.value, mark)
    if number is None:
        reading = {".": "a decimal point", ",": "a decimal comma", None: "one decimal mark that the file proves"}[mark]
        log.leave_out(cell.place, cell.text, f"a number with {reading}", "no_number")
        return None
    if number.remark:
        log.warn(cell.place, cell.text, "a number without a remark of the counter", "remark")
    return number.value * cell.heading.scale


def _text(record: Record, field: str, longest: int, log: ProblemLog) -> str:
    cell = record.cells.get(field)
    text = cell.text if cell else ""
    try:
        text = clean_text(text, longest)
    except ValueError as error:
        log.leave_out(cell.place if cell else record.place, text, str(error), f"unreadable_{field}")
        return ""
    if field == "name" and not text:
        log.warn(cell.place if cell else record.place, "", "the name of the sample", "no_name")
    return text


def _instant_text(record: Record) -> tuple[Cell, str] | None:
    """The cell that dates the count and its text, with the time of day where that has a cell of its own."""
    cell, clock = record.cells.get("counted_at"), record.cells.get("clock")
    if cell is None or not cell.text:
        return (clock, clock.text) if clock and clock.text else None
    return cell, f"{cell.text} {clock.text}" if clock and clock.text and ":" not in cell.text else cell.text


def _instant(record: Record, day_first: bool | None, log: ProblemLog) -> dt.datetime | None:
    told = _instant_text(record)
    if told is None:
        return None
    cell, text = told
    if isinstance(cell.value, dt.datetime) and cell.value.time() != dt.time():
        return cell.value.replace(tzinfo=None)
    instant = read_instant(text, day_first)
    if instant is None or not 1990 <= instant.year < 2200:
        expected = (
            "a date and time that read one way only, such as 2024-03-21 16:56; no date of the file settles day or month"
        )
        log.leave_out(cell.place, text, expected, "no_instant")
        return None
    return instant


def _offset(record: Record, values: dict[str, Decimal]) -> Decimal | None:
    cell = record.cells.get("counted_at")
    says_utc = cell is not None and "utc" in cell.place.header.casefold()
    return Decimal(0) if says_utc else values.get("utc_offset_hours")


def _check_bounds(record: Record, values: dict[str, Decimal], log: ProblemLog) -> None:
    """What cannot be is left out: nothing negative, no viability above 100 %, no diameter or dilution of 0."""
    for field, value in list(values.items()):
        highest = _HUNDRED if field == "viability_percent" else None
        is_positive = field in ("diameter_um", "dilution")
        if field == "utc_offset_hours" or (
            value >= 0 and (highest is None or value <= highest) and (value or not is_positive)
        ):
            continue
        cell = record.cells.pop(field)
        expected = "0 to 100 %" if highest else "a number above 0" if is_positive else "a number that is not negative"
        log.leave_out(cell.place, cell.text, expected, f"impossible_{field}")
        del values[field]


def _check_agreement(record: Record, values: dict[str, Decimal], log: ProblemLog) -> None:
    """Viable cells are no more than all, and viability is their share within 1 point (and the last printed digit)."""
    for part, whole in _PAIRS:
        if part not in values or whole not in values:
            continue
        cell = record.cells[part]
        if values[part] > values[whole]:
            log.warn(cell.place, cell.text, f"at most the total, {record.cells[whole].text}", "viable_above_total")
        elif "viability_percent" in values and values[whole]:
            _check_viability(record, values, part, whole, log)


def _check_viability(record: Record, values: dict[str, Decimal], part: str, whole: str, log: ProblemLog) -> None:
    half_part, half_whole = (
        _half_digit(record.cells[part], values[part]),
        _half_digit(record.cells[whole], values[whole]),
    )
    low = _HUNDRED * max(Decimal(0), values[part] - half_part) / (values[whole] + half_whole)
    least = values[whole] - half_whole
    high = _HUNDRED * (values[part] + half_part) / least if least > 0 else _HUNDRED
    cell = record.cells["viability_percent"]
    if not low - _ONE_POINT <= values["viability_percent"] <= high + _ONE_POINT:
        share = (_HUNDRED * values[part] / values[whole]).quantize(Decimal("0.1"))
        expected = f"{share} % within 1 point, as {record.cells[part].text} of {record.cells[whole].text} are viable"
        log.warn(cell.place, cell.text, expected, "viability_differs")


def _half_digit(cell: Cell, value: Decimal) -> Decimal:
    """Half of the last digit that was printed, in the unit of `value`; 0 for counts, which are whole."""
    if cell.heading.field in ("total_cells", "viable_cells"):
        return Decimal(0)
    return Decimal(5).scaleb(int(value.as_tuple().exponent) - 1)


def _check_repeats(samples: Sequence[CountedSample], log: ProblemLog) -> None:
    """Two counts of one sample are usual; that they are two is said, so that neither is taken for the other."""
    by_name: dict[str, list[CountedSample]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(sample)
    for name, same in by_name.items():
        if name and len(same) > 1:
            places = first_few(f"row {sample.place.row}" for sample in same)
            log.warn(
                same[1].place,
                name,
                f"each sample once, or as counts of their own; it stands in {places}",
                "repeated_sample",
            )
