"""One row of a sheet of animals, cell by cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from experiments.sheets.layout import Layout, TreatmentColumns
from experiments.sheets.problems import Place, ProblemLog, first_few
from experiments.sheets.template import ALIVE_KINDS, AnimalSheetTemplate
from experiments.sheets.values import Unreadable, as_day, as_number, as_text, clean_text, split_list

LONGEST = {
    "animal": 60, "experiment": 60, "title": 250, "cage": 60, "strain": 120, "arm": 120,
    "arm_description": 500, "sex": 20, "litter": 60, "dam": 60,
}  # fmt: skip
LONGEST_TREATMENT = 500
UNKNOWN_STRAIN = "unknown"


@dataclass(slots=True)
class Weighed:
    ordinal: int
    day: dt.date
    value: Decimal
    weight_g: Decimal
    place: Place


@dataclass(slots=True)
class Ended:
    word: str
    kind: str
    day: dt.date
    place: Place

    @property
    def is_alive(self) -> bool:
        return self.kind in ALIVE_KINDS


@dataclass(slots=True)
class Line:
    """A row while it is read. `texts` holds the identity fields, `dates` the days of the weighing columns in order,
    `filled` the ordinals of those with any content."""

    number: int
    values: Sequence[object]
    texts: dict[str, str] = field(default_factory=dict)
    sex: str = "U"
    started_on: dt.date | None = None
    born_on: dt.date | None = None
    day_0: dt.date | None = None
    dates: tuple[dt.date | None, ...] = ()
    filled: set[int] = field(default_factory=set)
    weighed: list[Weighed] = field(default_factory=list)
    ended: Ended | None = None
    treatments: list[tuple[str, str, dt.date | None, Place]] = field(default_factory=list)
    scores: list[tuple[int, dt.date, Decimal, Place]] = field(default_factory=list)

    def study_day(self, day: dt.date) -> int | None:
        return (day - self.day_0).days if self.day_0 else None


class LineReader:
    """Reads rows by one template and logs whatever does not fit."""

    def __init__(self, layout: Layout, template: AnimalSheetTemplate, log: ProblemLog) -> None:
        self.layout, self.template, self.log = layout, template, log
        self.table = layout.table
        self._missing = {"", *template.missing}
        self._sexes = {word.casefold(): sex for word, sex in template.sexes.items()}
        self._unknown_cage = {word.casefold() for word in template.unknown_cage}
        self._no_treatment = {word.casefold() for word in template.no_treatment}

    def read(self, number: int, values: Sequence[object]) -> Line:
        line = Line(number, values)
        for name, longest in LONGEST.items():
            line.texts[name] = self._text(line, name, longest)
        self._require(line)
        line.sex = self._sex(line)
        line.started_on, line.born_on, line.day_0 = (self._day(line, n) for n in ("started_on", "born_on", "day_0"))
        for columns in self.layout.treatments:
            self._treatment(line, columns)
        return line

    def cell(self, line: Line, column: int) -> object:
        """The value there, None where the cell is empty or holds a word for missing."""
        value = line.values[column] if column < len(line.values) else None
        if value is None or (isinstance(value, str) and value.strip() in self._missing):
            return None
        return value

    def place(self, line: Line, column: int) -> Place:
        return self.table.place(line.number, column)

    def place_of(self, line: Line, name: str) -> Place:
        """Of a field, the row itself where a constant gives the field."""
        column = self.layout.fields.get(name)
        return self.place(line, column) if column is not None else Place(self.table.sheet.name, line.number)

    def _raw(self, line: Line, name: str) -> object:
        column = self.layout.fields.get(name)
        return self.cell(line, column) if column is not None else self.template.constants.get(name)

    def _text(self, line: Line, name: str, longest: int) -> str:
        try:
            return clean_text(self._raw(line, name), longest)
        except Unreadable as unreadable:
            self.log.error(self.place_of(line, name), self._raw(line, name), str(unreadable), f"unreadable_{name}")
            return ""

    def _require(self, line: Line) -> None:
        for name, what in (("animal", "the animal's identity"), ("experiment", "the experiment's code")):
            if not line.texts[name] and self._raw(line, name) is None:
                self.log.error(self.place_of(line, name), "", what, f"missing_{name}")
        if "strain" in self.layout.fields and not line.texts["strain"]:
            self.log.warn(self.place_of(line, "strain"), "", "a strain; taken as unknown", "unknown_strain")
        line.texts["strain"] = line.texts["strain"] or UNKNOWN_STRAIN
        cage = line.texts["cage"]
        if "cage" in self.layout.fields and (not cage or cage.casefold() in self._unknown_cage):
            expected = "the label of a cage; the animal is taken without housing"
            self.log.warn(self.place_of(line, "cage"), cage, expected, "unknown_cage")
            line.texts["cage"] = ""
        if "arm" in self.layout.fields and not line.texts["arm"]:
            self.log.warn(self.place_of(line, "arm"), "", "the label of an arm; taken without one", "unknown_arm")

    def _sex(self, line: Line) -> str:
        word = line.texts["sex"].casefold()
        if word and word not in self._sexes:
            expected = f"a word for the sex: {', '.join(self.template.sexes)}"
            self.log.error(self.place_of(line, "sex"), line.texts["sex"], expected, "unreadable_sex")
        return self._sexes.get(word, "U")

    def _day(self, line: Line, name: str) -> dt.date | None:
        raw = self._raw(line, name)
        return None if raw is None else self._as_day(self.place_of(line, name), raw, f"unreadable_{name}")

    def _as_day(self, place: Place, raw: object, rule: str) -> dt.date | None:
        try:
            return as_day(raw, self.template.date_formats, self.table.sheet.serial_epoch)
        except Unreadable as unreadable:
            self.log.error(place, raw, str(unreadable), rule)
            return None

    def _treatment(self, line: Line, columns: TreatmentColumns) -> None:
        place = self.place(line, columns.text)
        raw = self.cell(line, columns.text)
        try:
            text = clean_text(raw, LONGEST_TREATMENT)
        except Unreadable as unreadable:
            self.log.error(place, raw, str(unreadable), "unreadable_treatment")
            return
        raw_day = None if columns.date is None else self.cell(line, columns.date)
        if text and text.casefold() not in self._no_treatment:
            line.treatments += [(columns.treatment.name, text, day, place) for day in self._treated_on(line, columns)]
        elif raw_day is not None and columns.date not in self.layout.fields.values():
            expected = f"what was done on that day in {columns.treatment.text!r}, or no date"
            self.log.leave_out(self.place(line, columns.date or 0), raw_day, expected, "date_without_treatment")

    def _treated_on(self, line: Line, columns: TreatmentColumns) -> list[dt.date | None]:
        """The days of a treatment; one unknown day where the sheet gives none."""
        raw = None if columns.date is None else self.cell(line, columns.date)
        if raw is None or columns.date is None:
            return [None]
        separator = columns.treatment.separator
        parts = split_list(raw, separator) if separator and isinstance(raw, str) else [raw]
        place = self.place(line, columns.date)
        return [self._as_day(place, part, "unreadable_treatment_date") for part in parts] or [None]


class ScoreReader:
    """Welfare scores of a row: a list in one cell, the k-th of the k-th date."""

    def __init__(self, reader: LineReader) -> None:
        self.reader, self.log = reader, reader.log

    def read(self, line: Line) -> None:
        scores, column = self.reader.template.scores, self.reader.layout.scores
        if scores is None or column is None:
            return
        place, raw = self.reader.place(line, column), self.reader.cell(line, column)
        items = split_list(raw, scores.separator)
        undated, after, unweighed = [], [], []
        for ordinal, item in enumerate(items):
            score = self._score(place, item)
            if score is None:
                continue
            day = line.dates[ordinal] if ordinal < len(line.dates) else None
            if day is None:
                undated.append(item)
            elif line.ended and not line.ended.is_alive and day > line.ended.day:
                after.append(f"{item} on {day}")
            else:
                line.scores.append((ordinal, day, score, place))
                if ordinal not in line.filled or (line.ended and day == line.ended.day):
                    unweighed.append(f"{item} on {day}")
        self._report(place, line, undated, after, unweighed)

    def _score(self, place: Place, item: str) -> Decimal | None:
        if item.casefold() in ("", "nan", "none", "null") or item in self.reader.template.missing:
            return None
        try:
            score = as_number(item, self.reader.template.decimal)
        except Unreadable as unreadable:
            self.log.error(place, item, f"{unreadable} for each score", "unreadable_score")
            return None
        if score < 0:
            self.log.error(place, item, "a score of 0 or more", "unreadable_score")
            return None
        return score

    def _report(self, place: Place, line: Line, undated: list[str], after: list[str], unweighed: list[str]) -> None:
        if undated:
            expected = f"at most {len(line.dates)} scores, one a date; the rest is left out"
            self.log.leave_out(place, first_few(undated), expected, "score_without_date")
        if after and line.ended:
            expected = f"no score after {line.ended.day}, where the sheet says {as_text(line.ended.word)!r}"
            self.log.leave_out(place, first_few(after), expected, "score_after_end")
        if unweighed:
            self.log.warn(place, first_few(unweighed), "a weight on the day of each score", "score_without_weight")
