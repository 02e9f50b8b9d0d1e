"""What a sheet of animals says, as frozen rows, each with the cell it came from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

from experiments.sheets.problems import Place, Problem, Severity


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    code: str
    title: str
    started_on: dt.date | None


@dataclass(frozen=True, slots=True)
class StrainRow:
    name: str
    species: str


@dataclass(frozen=True, slots=True)
class CageRow:
    """A cage's label is only unique within its experiment."""

    experiment: str
    label: str


@dataclass(frozen=True, slots=True)
class LitterRow:
    experiment: str
    code: str
    dam: str
    born_on: dt.date | None


@dataclass(frozen=True, slots=True)
class ArmRow:
    """`descriptions` holds every distinct description found beside the label, in the order of the sheet."""

    experiment: str
    label: str
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnimalRow:
    """`sex` is F, M or U; an unknown birth date is None; without a litter column `litter` is empty."""

    animal: str
    strain: str
    sex: str
    born_on: dt.date | None
    experiment: str
    litter: str
    place: Place


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    experiment: str
    animal: str
    day_0: dt.date | None
    arm: str
    arm_description: str
    place: Place


@dataclass(frozen=True, slots=True)
class HousingRow:
    """Days in a cage. A sheet says in which, not since when: `started_on` is the earliest of day 0 and the weighings
    (else the experiment's start), `ended_on` the day of the animal's end, None while it lives there."""

    experiment: str
    animal: str
    cage: str
    started_on: dt.date
    ended_on: dt.date | None
    place: Place


@dataclass(frozen=True, slots=True)
class WeighingRow:
    """`value` in `unit` as entered, `weight_g` in grams; `ordinal` from 0 counts the weighing columns."""

    experiment: str
    animal: str
    day: dt.date
    study_day: int | None
    ordinal: int
    value: Decimal
    unit: str
    weight_g: Decimal
    place: Place


@dataclass(frozen=True, slots=True)
class DispositionRow:
    """`word` as it stands in the sheet, `kind` what the template says it means."""

    experiment: str
    animal: str
    word: str
    kind: str
    day: dt.date
    study_day: int | None
    place: Place


@dataclass(frozen=True, slots=True)
class TreatmentRow:
    experiment: str
    animal: str
    name: str
    text: str
    day: dt.date | None
    place: Place


@dataclass(frozen=True, slots=True)
class ScoreRow:
    experiment: str
    animal: str
    day: dt.date
    study_day: int | None
    ordinal: int
    score: Decimal
    place: Place


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A data row of the sheet as it came. `cells` maps header (or column letter) to the text of every filled cell."""

    number: int
    cells: dict[str, str]
    problems: tuple[Problem, ...]
    is_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReading:
    """Everything that a sheet says. The tuples of rows hold the valid rows only; `source_rows` holds all of them.

    `columns` maps each field of the template to the place of its header.
    """

    sheet: str
    problems: tuple[Problem, ...]
    source_rows: tuple[SourceRow, ...] = ()
    blank_rows: int = 0
    columns: dict[str, Place] = field(default_factory=dict)
    experiments: tuple[ExperimentRow, ...] = ()
    strains: tuple[StrainRow, ...] = ()
    cages: tuple[CageRow, ...] = ()
    litters: tuple[LitterRow, ...] = ()
    arms: tuple[ArmRow, ...] = ()
    animals: tuple[AnimalRow, ...] = ()
    enrolments: tuple[EnrolmentRow, ...] = ()
    housings: tuple[HousingRow, ...] = ()
    weighings: tuple[WeighingRow, ...] = ()
    dispositions: tuple[DispositionRow, ...] = ()
    treatments: tuple[TreatmentRow, ...] = ()
    scores: tuple[ScoreRow, ...] = ()

    def place(self, name: str, row: int) -> Place:
        """The cell of the field `name` in `row`; the row where no column holds the field."""
        column = self.columns.get(name)
        return replace(column, row=row) if column else Place(self.sheet, row)

    @property
    def is_refused(self) -> bool:
        """Not one row can be taken, because the sheet as a whole could not be read."""
        return any(problem.effect == "file_refused" for problem in self.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    def counts(self) -> dict[str, int]:
        """How many of each the valid rows give, with rows, rows_excluded, errors and warnings."""
        skipped = ("sheet", "problems", "source_rows", "blank_rows", "columns")
        found = {part.name: len(getattr(self, part.name)) for part in fields(self) if part.name not in skipped}
        excluded = sum(not row.is_valid for row in self.source_rows)
        head = {"rows": len(self.source_rows), "rows_excluded": excluded, "blank_rows": self.blank_rows}
        return head | found | {"errors": len(self.errors), "warnings": len(self.warnings)}
