"""A sheet with one row a count: an animal, a side, a section, what was counted, how many."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.sheets.problems import Place, Problem, ProblemLog, Severity, first_few
from experiments.sheets.reading import SourceRow
from experiments.sheets.table import Table, check_cells, open_table, report_unread, source_rows
from experiments.sheets.template_json import TemplateRefused, decode, encode
from experiments.sheets.values import Unreadable, as_day, as_number, as_text, clean_text
from experiments.sheets.workbook import Workbook

SIDES = {"L": "L", "R": "R", "left": "L", "right": "R"}
TALLY_FIELDS = ("animal", "experiment", "counted_on", "side", "section", "structure", "count", "reader")
REQUIRED = ("animal", "structure", "count")
LONGEST = {"animal": 60, "experiment": 60, "section": 60, "structure": 60, "reader": 60, "side": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class TallySheetTemplate:
    """`columns` maps a field (see TALLY_FIELDS) to its header, `constants` to a value for every row.

    `structures` maps the words of the sheet to what was counted; empty takes the words as they are.
    """

    name: str
    kind: str = "tallies"
    version: int = 1
    sheet: str = ""
    header_row: int = 1
    encoding: str = ""
    delimiter: str = ""
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    missing: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    sides: Mapping[str, str] = field(default_factory=lambda: dict(SIDES))
    structures: Mapping[str, str] = field(default_factory=dict)
    largest_count: int = 10_000
    ignored: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Any) -> TallySheetTemplate:
        """Raises TemplateRefused with every fault at once."""
        template = decode(cls, data)
        faults = template.faults()
        if faults:
            raise TemplateRefused(faults)
        return template

    def to_json(self) -> dict[str, Any]:
        return encode(self)

    def faults(self) -> list[str]:
        faults = [
            f"{part}: {name!r} — expected one of {', '.join(TALLY_FIELDS)}"
            for part, names in (("columns", self.columns), ("constants", self.constants))
            for name in names
            if name not in TALLY_FIELDS
        ]
        faults += [f"columns: no {name!r} — expected its header" for name in REQUIRED if name not in self.columns]
        if self.kind != "tallies" or self.version != 1:
            faults.append(f"kind, version: {self.kind!r}, {self.version} — expected 'tallies', 1")
        if "experiment" not in {*self.columns, *self.constants}:
            faults.append("columns: no 'experiment' — expected its header, or a constant")
        faults += [
            f"sides: {w!r}: {side!r} — expected L or R" for w, side in self.sides.items() if side not in ("L", "R")
        ]
        return faults


@dataclass(frozen=True, slots=True)
class TallyRow:
    """`side` is L, R or empty, `section` and `reader` as written, `counted_on` None where the sheet has no date."""

    experiment: str
    animal: str
    counted_on: dt.date | None
    side: str
    section: str
    structure: str
    count: int
    reader: str
    place: Place
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyReading:
    """`tallies` holds the valid rows only, `source_rows` all of them."""

    sheet: str
    problems: tuple[Problem, ...]
    source_rows: tuple[SourceRow, ...] = ()
    tallies: tuple[TallyRow, ...] = ()

    @property
    def is_refused(self) -> bool:
        return any(problem.effect == "file_refused" for problem in self.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    def counts(self) -> dict[str, int]:
        excluded = sum(not row.is_valid for row in self.source_rows)
        return {
            "rows": len(self.source_rows), "rows_excluded": excluded, "tallies": len(self.tallies),
            "errors": len(self.errors), "warnings": len(self.problems) - len(self.errors),
        }  # fmt: skip


def interpret_tallies(workbook: Workbook, template: TallySheetTemplate) -> TallyReading:
    """What the sheet says by this template; a row with an error is left out whole. Raises nothing for bad content."""
    log = ProblemLog()
    table = open_table(workbook, template.sheet, template.header_row, log)
    columns = {name: table.column(header, log) for name, header in template.columns.items()} if table else {}
    if table is None or log.refused:
        rows = tuple(source_rows(table, log)) if table else ()
        return TallyReading(sheet="", problems=(*workbook.notes, *log.sorted()), source_rows=rows)
    known = {name: index for name, index in columns.items() if index is not None}
    check_cells(table, known.values(), log)
    report_unread(table, set(known.values()), template.ignored, log)
    reader = _TallyReader(table, known, template, log)
    tallies = [tally for number, values in table.rows if (tally := reader.read(number, values))]
    _check_repeats(tallies, log)
    return TallyReading(
        sheet=table.sheet.name,
        problems=(*workbook.notes, *log.sorted()),
        source_rows=tuple(source_rows(table, log)),
        tallies=tuple(tally for tally in tallies if not log.refused and tally.row not in log.rows_in_error),
    )


class _TallyReader:
    def __init__(self, table: Table, columns: dict[str, int], template: TallySheetTemplate, log: ProblemLog) -> None:
        self.table, self.columns, self.template, self.log = table, columns, template, log
        self._missing = {"", *template.missing}
        self._sides = {word.casefold(): side for word, side in template.sides.items()}
        self._structures = {word.casefold(): key for word, key in template.structures.items()}

    def read(self, number: int, values: Sequence[object]) -> TallyRow | None:
        texts = {name: self._text(number, values, name) for name in LONGEST}
        for name in ("animal", "experiment", "structure"):
            if not texts[name]:
                self.log.error(self._place(number, name), "", f"a value for the {name}", f"missing_{name}")
        side = self._word(number, texts["side"], "side", self._sides) if texts["side"] else ""
        structure = self._word(number, texts["structure"], "structure", self._structures)
        count, day = self._count(number, values), self._day(number, values)
        if count is None:
            return None
        place = self._place(number, "count")
        return TallyRow(
            texts["experiment"],
            texts["animal"],
            day,
            side,
            texts["section"],
            structure,
            count,
            texts["reader"],
            place,
            number,
        )

    def _raw(self, values: Sequence[object], name: str) -> object:
        column = self.columns.get(name)
        if column is None:
            return self.template.constants.get(name)
        value = values[column] if column < len(values) else None
        return None if as_text(value) in self._missing else value

    def _place(self, number: int, name: str) -> Place:
        column = self.columns.get(name)
        return self.table.place(number, column) if column is not None else Place(self.table.sheet.name, number)

    def _text(self, number: int, values: Sequence[object], name: str) -> str:
        raw = self._raw(values, name)
        try:
            return clean_text(raw, LONGEST[name])
        except Unreadable as unreadable:
            self.log.error(self._place(number, name), raw, str(unreadable), f"unreadable_{name}")
            return ""

    def _word(self, number: int, text: str, name: str, words: Mapping[str, str]) -> str:
        if words and text and text.casefold() not in words:
            expected = f"one of {', '.join(words)}"
            self.log.error(self._place(number, name), text, expected, f"unknown_{name}")
        return words.get(text.casefold(), text)

    def _count(self, number: int, values: Sequence[object]) -> int | None:
        """An empty count is missing, not 0: it is reported, and the row gives no tally."""
        raw, place = self._raw(values, "count"), self._place(number, "count")
        if raw is None:
            self.log.error(place, "", "a count; nothing found is 0", "missing_count")
            return None
        try:
            count = as_number(raw, ".")
            if count != int(count) or not 0 <= count <= self.template.largest_count:
                raise Unreadable(f"a whole number from 0 to {self.template.largest_count}")
        except Unreadable as unreadable:
            self.log.error(place, raw, str(unreadable), "unreadable_count")
            return None
        return int(count)

    def _day(self, number: int, values: Sequence[object]) -> dt.date | None:
        raw = self._raw(values, "counted_on")
        try:
            return None if raw is None else as_day(raw, self.template.date_formats, self.table.sheet.serial_epoch)
        except Unreadable as unreadable:
            self.log.error(self._place(number, "counted_on"), raw, str(unreadable), "unreadable_counted_on")
            return None


def _check_repeats(tallies: Sequence[TallyRow], log: ProblemLog) -> None:
    same: dict[tuple[object, ...], list[TallyRow]] = defaultdict(list)
    for t in tallies:
        key = (t.experiment, t.animal.casefold(), t.counted_on, t.side, t.section, t.structure, t.reader)
        same[key].append(t)
    for group in same.values():
        for tally in group if len(group) > 1 else ():
            others = first_few(f"row {other.row}" for other in group if other is not tally)
            expected = f"one count of each structure in a section; also in {others}"
            log.error(tally.place, tally.count, expected, "repeated_count")
