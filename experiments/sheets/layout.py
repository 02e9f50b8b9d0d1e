"""Where in this sheet the template's columns stand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from experiments.sheets.problems import Place, ProblemLog
from experiments.sheets.table import Table
from experiments.sheets.template import AnimalSheetTemplate, Treatment, Weighings, placeholder
from experiments.sheets.values import Unreadable, as_day

_UNIT_IN_HEADER = re.compile(r"[\[(]\s*(mg|kg|g)\s*[\])]|[_\s](mg|kg|g)$")


@dataclass(frozen=True, slots=True)
class WeighingColumn:
    """`ordinal` from 0; `study_day` or `day` where the header itself dates the weighing."""

    index: int
    ordinal: int
    study_day: int | None = None
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class TreatmentColumns:
    treatment: Treatment
    text: int
    date: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Column indices from 0 of everything that the template reads in this sheet."""

    table: Table
    fields: dict[str, int]
    weighings: tuple[WeighingColumn, ...] = ()
    dates: int | None = None
    scores: int | None = None
    treatments: tuple[TreatmentColumns, ...] = field(default=())

    def read(self) -> set[int]:
        single = {column for column in (self.dates, self.scores) if column is not None}
        treated = {column for t in self.treatments for column in (t.text, t.date) if column is not None}
        return single | treated | set(self.fields.values()) | {column.index for column in self.weighings}


def find_layout(table: Table, template: AnimalSheetTemplate, log: ProblemLog) -> Layout | None:
    """None, with every missing header logged, when the sheet does not fit the template."""

    def column(header: str) -> int | None:
        return table.column(header, log) if header else None

    fields = {name: column(header) for name, header in template.columns.items()}
    treatments = [(part, column(part.text), column(part.date)) for part in template.treatments]
    weighings = _weighing_columns(table, template, log) if template.weighings else ()
    dates = column(template.weighings.dates) if template.weighings else None
    scores = column(template.scores.header) if template.scores else None
    if log.refused:
        return None
    known = {name: index for name, index in fields.items() if index is not None}
    treated = tuple(TreatmentColumns(part, text, date) for part, text, date in treatments if text is not None)
    return Layout(table, known, weighings, dates, scores, treated)


def _weighing_columns(table: Table, template: AnimalSheetTemplate, log: ProblemLog) -> tuple[WeighingColumn, ...]:
    weighings = template.weighings
    assert weighings is not None
    listed = [index for header in weighings.headers if (index := table.column(header, log)) is not None]
    found = [match for match in _matches(table, template, log) if match[0] not in listed]
    numbered = sorted(found, key=lambda match: match[1])
    for (_, before), (index, value) in pairwise(numbered):
        if before == value:
            expected = "each weighing's number, study day or date in one header only"
            log.refuse(table.place(table.header_row, index), table.headers[index], expected, "header_twice")
    if not listed and not numbered:
        wanted = " or ".join([*weighings.headers, *weighings.patterns])
        log.refuse(Place(table.sheet.name, table.header_row), "", f"weighing columns {wanted}", "header_missing")
    _check_units(table, [*listed, *(index for index, _ in numbered)], weighings, log)
    kind = dated_by(weighings)
    ordered = [(index, 0, "n") for index in listed] + [(index, number, kind) for index, number in numbered]
    return tuple(_column(ordinal, *column) for ordinal, column in enumerate(ordered))


def dated_by(weighings: Weighings) -> str:
    """`n` when a list of dates gives the days, else what the headers hold: `day` (also weeks) or `date`."""
    kinds = {placeholder(pattern) for pattern in weighings.patterns}
    return "date" if "date" in kinds else "day" if kinds & {"day", "week"} else "n"


def _column(ordinal: int, index: int, number: int, kind: str) -> WeighingColumn:
    if kind == "day":
        return WeighingColumn(index, ordinal, study_day=number)
    return WeighingColumn(index, ordinal, day=dt.date.fromordinal(number) if kind == "date" else None)


def _matches(table: Table, template: AnimalSheetTemplate, log: ProblemLog) -> Iterator[tuple[int, int]]:
    """(column, number) of each header that a pattern fits; weeks as days, dates as their ordinal number."""
    assert template.weighings is not None
    for pattern in template.weighings.patterns:
        kind = placeholder(pattern)
        before, after = (re.escape(" ".join(part.split())) for part in pattern.split("{" + kind + "}"))
        inner = r"\s*(.+?)\s*" if kind == "date" else r"\s*([+-]?\d{1,5})"
        shape = re.compile(before + inner + after)
        for index, header in enumerate(table.headers):
            match = shape.fullmatch(header)
            if match and kind == "date":
                yield from _dated(table, template, index, match[1])
            elif match:
                yield index, int(match[1]) * (7 if kind == "week" else 1)


def _dated(table: Table, template: AnimalSheetTemplate, index: int, text: str) -> Iterator[tuple[int, int]]:
    raw = table.raw_headers[index]
    try:
        yield index, as_day(raw if isinstance(raw, dt.date) else text, template.date_formats).toordinal()
    except Unreadable:
        return  # some other column: if it holds anything it is reported as not read


def _check_units(table: Table, columns: list[int], weighings: Weighings, log: ProblemLog) -> None:
    for index in columns:
        found = _UNIT_IN_HEADER.search(table.headers[index])
        unit = next(filter(None, found.groups()), "") if found else ""
        if unit and unit != weighings.unit:
            expected = f"a weighing in {weighings.unit}, as the template says, or another unit in the template"
            log.refuse(table.place(table.header_row, index), table.headers[index], expected, "unit_differs")
