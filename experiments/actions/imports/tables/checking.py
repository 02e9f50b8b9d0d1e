"""A record table beside the record: names found, rights asked, the model's own rules applied to every row at once.

What only the database keeps (uniqueness, CHECKs, exclusions, composite keys) is found by writing the rows in a savepoint
that is rolled back: the same rules with the same messages as at every other door, and no query a row.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from experiments.actions.imports.tables.columns import Rows, Table
from experiments.actions.imports.tables.links import Links
from experiments.actions.imports.tables.reading import Cells
from experiments.models import Experiment, SourceFile
from experiments.sheets.problems import Place, Problem, ProblemLog, Severity, first_few
from experiments.sheets.reading import SourceRow
from experiments.sheets.table import source_rows
from labdb.base.access import refusal_in
from labdb.base.bulk import BulkRefused

LONGEST_PLACE = 120
EXPERIMENT = "experiment"


@dataclass(frozen=True)
class TableReading:
    """What a file says of its rows. ``rows`` are all of them, ``is_valid`` which of them can be taken."""

    sheet: str
    problems: tuple[Problem, ...]
    source_rows: tuple[SourceRow, ...] = ()
    blank_rows: int = 0
    rows: Rows | None = None

    @cached_property
    def is_refused(self) -> bool:
        return any(problem.effect == "file_refused" for problem in self.problems)

    @cached_property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    def counts(self) -> dict[str, int]:
        excluded = sum(not row.is_valid for row in self.source_rows)
        head = {"rows": len(self.source_rows), "rows_excluded": excluded, "blank_rows": self.blank_rows}
        return head | {"errors": len(self.errors), "warnings": len(self.problems) - len(self.errors)}


class _Rehearsed(Exception):
    """The rows could be written; they are not yet."""


class Check:
    """One file beside the record. ``experiment``: every row must be of it."""

    def __init__(self, cells: Cells, by: Any, experiment: Experiment | None, file: SourceFile) -> None:
        self.cells, self.by, self.experiment, self.file = cells, by, experiment, file
        self.table: Table = cells.table
        self.links = Links(cells, by)
        self.values: dict[str, list[Any]] = {}

    def run(self, *, rehearse: bool) -> Rows:
        """Log every problem. With ``rehearse`` also those that only writing shows."""
        if self.experiment is not None and EXPERIMENT not in self.cells.columns and EXPERIMENT in self.cells.values:
            self.cells.values[EXPERIMENT] = [self.experiment.code] * len(self.cells.numbers)
        self.links.resolve()
        self.values = self.table.prepare(self.cells.values, self._prepared)
        self.values["id"] = list(self.links.ids)
        self._of_the_experiment()
        self._permitted()
        self._related_rules()
        self._once_in_the_file()
        self._once_in_the_record()
        rows = Rows(self.values, [self._cell(index) for index in range(len(self.cells.numbers))], self.file)
        if rehearse:
            self._rehearse(rows)
        return rows

    def _cell(self, index: int) -> str:
        header = "value" if "value" in self.cells.columns else ""
        place = self.cells.place(index, header)
        return str(Place(place.sheet, place.row, place.column))[-LONGEST_PLACE:]

    def _prepared(self, index: int, field: str, sentence: str) -> None:
        if self.cells.is_valid(index):
            self._refuse(index, field, sentence, f"refused_{field}")

    def _refuse(self, index: int, field: str, sentence: str, rule: str) -> None:
        column = self.table.by_field.get(field)
        if column is not None and column.choices and "valid choice" in sentence:
            sentence = f"{sentence} Expected one of {', '.join(column.choices)}."
        self.cells.refuse(index, column.header if column else "", sentence, rule)

    def _of_the_experiment(self) -> None:
        if self.experiment is None or EXPERIMENT not in self.cells.columns:
            return
        for index, key in enumerate(self.cells.values[EXPERIMENT]):
            if key not in (None, self.experiment.pk):
                sentence = f"This file was sent to {self.experiment.code}; every row must be of it."
                self.cells.refuse(index, EXPERIMENT, sentence, "other_experiment")

    def _permitted(self) -> None:
        """Who may add the rows, asked once for every set of experiments that a row belongs to."""
        known: dict[frozenset, str | None] = {}
        field, belongs = self._experiments()
        for index, experiments in enumerate(belongs):
            if experiments not in known:
                known[experiments] = refusal_in(self.by, "add", self.table.model, experiments)
            told = known[experiments]
            if told is not None and (experiments or self.cells.is_valid(index)):
                self._refuse(index, field, told, "not_permitted")

    def _experiments(self) -> tuple[str, list[frozenset]]:
        """The field that leads there, and the experiments of each row."""
        model = self.table.model
        path: Any = getattr(model, "experiment_path", None) or ()
        for each in (path,) if isinstance(path, str) else path:
            first, _, rest = each.partition("__")
            if first in self.values and rest != "isnull":
                keys = self.values[first]
                return first, [_set(key) for key in keys] if not rest else self._behind(first, rest, keys)
        return "", [frozenset()] * len(self.cells.numbers)

    def _behind(self, first: str, rest: str, keys: list[Any]) -> list[frozenset]:
        related: Any = self.table.model._meta.get_field(first).related_model
        found: dict[Any, set] = defaultdict(set)
        for key, experiment in related._base_manager.filter(pk__in=set(keys) - {None}).values_list("pk", rest):
            found[key] |= {experiment} - {None}
        return [frozenset(found[key]) for key in keys]

    def _related_rules(self) -> None:
        """``clean()`` of the model, with the related rows at hand."""
        model: Any = self.table.model
        if model.clean is models.Model.clean:
            return
        relations = {name: column for name, column in self.table.by_field.items() if column.target}
        names = [name for name in self.values if name != "id"]
        for index in range(len(self.cells.numbers)):
            if not self.cells.is_valid(index):
                continue
            row = model()
            for name in names:
                value = self.values[name][index]
                found = self.links.rows.get(relations[name].header, {}).get(value) if name in relations else None
                setattr(row, name if found is not None or name not in relations else f"{name}_id", found or value)
            try:
                row.clean()
            except ValidationError as error:
                self._refuse_all(index, error)

    def _refuse_all(self, index: int, error: ValidationError) -> None:
        told = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for field, messages in told.items():
            self._refuse(index, field, " ".join(messages), f"refused_{field}")

    def _once_in_the_file(self) -> None:
        for fields in self.table.identities:
            same: dict[tuple, list[int]] = defaultdict(list)
            columns = [self.values[name] for name in fields]
            for index, key in enumerate(zip(*columns, strict=True)):
                if key[-1] not in (None, "") or len(key) > 1:
                    same[key].append(index)
            for indexes in same.values():
                if len(indexes) > 1 and self._are_told(indexes[0], fields):
                    self._repeated(indexes, fields)

    def _are_told(self, index: int, fields: tuple[str, ...]) -> bool:
        """At least the part that names the row stands in the file."""
        return any(self.values[name][index] not in (None, "") for name in fields if name != EXPERIMENT)

    def _repeated(self, indexes: list[int], fields: tuple[str, ...]) -> None:
        headers = [self.table.by_field[name].header for name in fields if name in self.table.by_field]
        header = next((each for each in reversed(headers) if each in self.cells.columns and each != EXPERIMENT), "")
        for index in indexes:
            others = first_few((f"row {self.cells.numbers[other]}" for other in indexes if other != index), 3)
            self.cells.refuse(index, header, f"The same record stands in {others}; each is told once.", "repeated_row")

    def _once_in_the_record(self) -> None:
        """Where no constraint keeps two rows apart."""
        fields = self.table.once
        if not fields:
            return
        model, told = self.table.model, self.table.model._meta.verbose_name
        rows = model._base_manager.filter(**{f"{fields[0]}__in": set(self.values[fields[0]]) - {None}})
        recorded = set(rows.values_list(*fields))
        for index, key in enumerate(zip(*(self.values[name] for name in fields), strict=True)):
            if key in recorded:
                self._refuse(index, NON_FIELD_ERRORS, f"This {told} is already recorded.", "recorded")

    def _rehearse(self, rows: Rows) -> None:
        while True:
            indexes = [index for index in range(len(rows)) if self.cells.is_valid(index)]
            try:
                with transaction.atomic():
                    self.table.write(rows.only(indexes), self.by)
                    raise _Rehearsed
            except _Rehearsed:
                return
            except BulkRefused as refused:
                for problem in refused.problems:
                    self._refuse(indexes[problem.row], problem.field, problem.message, f"refused_{problem.field}")
            except ValidationError as error:  # of no single row: a closed experiment, say
                place = Place(self.cells.sheet.sheet.name)
                self.cells.log.refuse(place, "", " ".join(error.messages), "refused")
                return


def _set(key: Any) -> frozenset:
    return frozenset(() if key is None else (key,))


def told(cells: Cells | ProblemLog, notes: tuple[Problem, ...], rows: Rows | None = None) -> TableReading:
    """The reading of a file as the import stores it."""
    if isinstance(cells, ProblemLog):
        return TableReading("", (*notes, *cells.sorted()))
    sheet = cells.sheet
    stored = tuple(source_rows(sheet, cells.log))
    return TableReading(sheet.sheet.name, (*notes, *cells.log.sorted()), stored, sheet.sheet.blank_rows, rows)
