"""A sheet with one row an animal: read whole, every problem at once, nothing written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from experiments.sheets.checks import check_lines
from experiments.sheets.files import read_workbook
from experiments.sheets.layout import Layout, find_layout
from experiments.sheets.lines import Line, LineReader, ScoreReader
from experiments.sheets.problems import Problem, ProblemLog
from experiments.sheets.reading import (
    AnimalRow,
    ArmRow,
    CageRow,
    DispositionRow,
    EnrolmentRow,
    ExperimentRow,
    HousingRow,
    LitterRow,
    ScoreRow,
    SheetReading,
    StrainRow,
    TreatmentRow,
    WeighingRow,
)
from experiments.sheets.table import check_cells, open_table, report_unread, source_rows
from experiments.sheets.template import AnimalSheetTemplate
from experiments.sheets.values import as_text
from experiments.sheets.weighing import WeighingReader
from experiments.sheets.workbook import DEFAULT_LIMITS, Limits, Workbook, WorkbookRefused

Row = TypeVar("Row", bound=Hashable)


def read_sheet(data: bytes, name: str, template: AnimalSheetTemplate, limits: Limits = DEFAULT_LIMITS) -> SheetReading:
    """Read and interpret a file. A file that cannot be opened gives a refused reading, never an exception."""
    try:
        workbook = read_workbook(data, name, encoding=template.encoding, delimiter=template.delimiter, limits=limits)
    except WorkbookRefused as refusal:
        return SheetReading(sheet="", problems=refusal.problems)
    return interpret(workbook, template)


def interpret(workbook: Workbook, template: AnimalSheetTemplate, objections: Iterable[Problem] = ()) -> SheetReading:
    """What the sheet says by this template.

    A row with an error is left out whole; a cell with a warning is left out or kept, as its problem says. A weighing
    in the k-th column belongs to the k-th date of its row. `objections` are problems found elsewhere (a row that
    contradicts the record) and count like the sheet's own. Raises nothing for bad content.
    """
    log = ProblemLog()
    table = open_table(workbook, template.sheet, template.header_row, log)
    layout = find_layout(table, template, log) if table else None
    if table is None or layout is None or log.refused:
        rows = tuple(source_rows(table, log)) if table else ()
        sheet = table.sheet.name if table else ""
        return SheetReading(sheet=sheet, problems=(*workbook.notes, *log.sorted()), source_rows=rows)
    check_cells(table, layout.read(), log)
    report_unread(table, layout.read(), template.ignored, log)
    lines = _read_lines(layout, template, log)
    for problem in objections:
        log.object_to(problem)
    return _assemble(workbook, layout, template, lines, log)


def _read_lines(layout: Layout, template: AnimalSheetTemplate, log: ProblemLog) -> list[Line]:
    reader = LineReader(layout, template, log)
    weighings = WeighingReader(reader) if template.weighings else None
    scores = ScoreReader(reader)
    lines = []
    for number, values in layout.table.rows:
        line = reader.read(number, values)
        if weighings:
            weighings.read(line)
        scores.read(line)
        lines.append(line)
    check_lines(lines, reader)
    return lines


def _assemble(
    workbook: Workbook, layout: Layout, template: AnimalSheetTemplate, lines: Sequence[Line], log: ProblemLog
) -> SheetReading:
    valid = [] if log.refused else [line for line in lines if line.number not in log.rows_in_error]
    reader = LineReader(layout, template, log)
    unit = template.weighings.unit if template.weighings else ""
    return SheetReading(
        sheet=layout.table.sheet.name,
        problems=(*workbook.notes, *log.sorted()),
        source_rows=tuple(source_rows(layout.table, log)),
        blank_rows=layout.table.sheet.blank_rows,
        columns={name: layout.table.place(template.header_row, index) for name, index in layout.fields.items()},
        experiments=_once(ExperimentRow(_of(x), x.texts["title"] or _of(x), x.started_on) for x in valid),
        strains=_once(StrainRow(line.texts["strain"], template.species) for line in valid),
        cages=_once(CageRow(_of(line), line.texts["cage"]) for line in valid if line.texts["cage"]),
        litters=_once(_litter(line) for line in valid if line.texts["litter"]),
        arms=_arms(valid),
        animals=_animals(valid, reader),
        enrolments=tuple(_enrolment(line, reader) for line in valid),
        housings=tuple(_housings(valid, reader)),
        weighings=tuple(row for line in valid for row in _weighings(line, unit)),
        dispositions=tuple(_disposition(line) for line in valid if line.ended),
        treatments=tuple(TreatmentRow(_of(x), _animal(x), *part) for x in valid for part in x.treatments),
        scores=tuple(row for line in valid for row in _scores(line)),
    )


def _of(line: Line) -> str:
    return line.texts["experiment"]


def _animal(line: Line) -> str:
    return line.texts["animal"]


def _once(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(dict.fromkeys(rows))


def _litter(line: Line) -> LitterRow:
    return LitterRow(_of(line), line.texts["litter"], line.texts["dam"], line.born_on)


def _arms(lines: Iterable[Line]) -> tuple[ArmRow, ...]:
    found: dict[tuple[str, str], dict[str, None]] = {}
    for line in lines:
        if line.texts["arm"]:
            descriptions = found.setdefault((_of(line), line.texts["arm"]), {})
            if line.texts["arm_description"]:
                descriptions[line.texts["arm_description"]] = None
    return tuple(ArmRow(experiment, label, tuple(texts)) for (experiment, label), texts in found.items())


def _animals(lines: Iterable[Line], reader: LineReader) -> tuple[AnimalRow, ...]:
    """An animal that returns in a second experiment is one animal."""
    found: dict[str, AnimalRow] = {}
    for line in lines:
        texts = line.texts
        place = reader.place_of(line, "animal")
        row = AnimalRow(_animal(line), texts["strain"], line.sex, line.born_on, _of(line), texts["litter"], place)
        found.setdefault(row.animal, row)
    return tuple(found.values())


def _enrolment(line: Line, reader: LineReader) -> EnrolmentRow:
    place = reader.place_of(line, "animal")
    return EnrolmentRow(_of(line), _animal(line), line.day_0, line.texts["arm"], line.texts["arm_description"], place)


def _housings(lines: Iterable[Line], reader: LineReader) -> Iterable[HousingRow]:
    for line in lines:
        days = [weighed.day for weighed in line.weighed] + [day for day in (line.day_0,) if day]
        first = min(days, default=line.started_on)
        if line.texts["cage"] and first:
            ended = line.ended.day if line.ended and not line.ended.is_alive and line.ended.day > first else None
            yield HousingRow(_of(line), _animal(line), line.texts["cage"], first, ended, reader.place_of(line, "cage"))


def _weighings(line: Line, unit: str) -> Iterable[WeighingRow]:
    for one in line.weighed:
        day: dt.date = one.day
        yield WeighingRow(
            _of(line), _animal(line), day, line.study_day(day), one.ordinal, one.value, unit, one.weight_g, one.place
        )


def _disposition(line: Line) -> DispositionRow:
    ended = line.ended
    assert ended is not None
    word = as_text(ended.word)
    return DispositionRow(_of(line), _animal(line), word, ended.kind, ended.day, line.study_day(ended.day), ended.place)


def _scores(line: Line) -> Iterable[ScoreRow]:
    for ordinal, day, score, place in line.scores:
        yield ScoreRow(_of(line), _animal(line), day, line.study_day(day), ordinal, score, place)
