"""Where a sheet contradicts the record: each cell named, all at once.

What the record holds already, and equally, is no contradiction: it is skipped and counted. What the sheet does not say
contradicts nothing. What the record says is unknown and the sheet tells is for a person to enter, not for an import.
"""

from collections.abc import Hashable, Iterable
from datetime import date
from typing import Any

from experiments.actions.imports.known import Known
from experiments.models import Animal, Experiment
from experiments.sheets.lines import UNKNOWN_STRAIN
from experiments.sheets.problems import Effect, Place, Problem, Severity, shown
from experiments.sheets.reading import (
    AnimalRow,
    ArmRow,
    EnrolmentRow,
    ExperimentRow,
    HousingRow,
    ScoreRow,
    SheetReading,
    WeighingRow,
)
from experiments.sheets.template import ALIVE_KINDS, AnimalSheetTemplate, ArmRole

Lived = tuple[date, date, Hashable, str]  # from, up to, cage, and where that stands

LONGEST_DESCRIPTION = 500
SMALLEST, LARGEST = -32768, 32767  # study days that a timepoint can hold


def find_conflicts(
    reading: SheetReading, known: Known, template: AnimalSheetTemplate, only: Experiment | None = None
) -> list[Problem]:
    """Every row of ``reading`` that cannot stand beside the record; with ``only``, also rows of another experiment."""
    return [*Comparison(reading, known, only).run(), *_too_long(reading, template)]


def arm_description(row: ArmRow, template: AnimalSheetTemplate) -> str:
    """The template's description of the arm, else every one of the sheet."""
    role = template.arms.get(row.label, ArmRole())
    return role.description or "; ".join(row.descriptions)


def _too_long(reading: SheetReading, template: AnimalSheetTemplate) -> Iterable[Problem]:
    """Descriptions of one arm that together are longer than an arm's description can be."""
    lengths = {(x.experiment, x.label): len(arm_description(x, template)) for x in reading.arms}
    for row in reading.enrolments:
        length = lengths.get((row.experiment, row.arm), 0)
        if length > LONGEST_DESCRIPTION:
            expected = f"at most {LONGEST_DESCRIPTION} characters in all descriptions of the arm {row.arm} together"
            place, value = reading.place("arm_description", row.place.row), f"{length} characters"
            yield Problem(place, value, expected, "arm_description_long", Severity.ERROR, Effect.ROW_EXCLUDED)


def _is_blinded(experiment: Experiment) -> bool:
    return experiment.masking == Experiment.Masking.BLINDED


def _unquoted(of: str) -> str:
    return f"what is recorded for {of}; this differs from the record"


class Comparison:
    """One sheet beside the record."""

    def __init__(self, reading: SheetReading, known: Known, only: Experiment | None) -> None:
        self.reading, self.known, self.only = reading, known, only
        self.problems: list[Problem] = []
        self.animals = {row.animal: row for row in reading.animals}
        self.experiments = {row.code: row for row in reading.experiments}

    def run(self) -> list[Problem]:
        for row in self.reading.enrolments:
            self._experiment(row)
            self._animal(row)
            self._enrolment(row)
        self._litters()
        self._housings()
        self._arms()
        self._observations()
        self._dispositions()
        return self.problems

    def _error(self, place: Place, value: object, expected: str, rule: str) -> None:
        self.problems.append(Problem(place, shown(value), expected, rule, Severity.ERROR, Effect.ROW_EXCLUDED))

    def _differs(self, name: str, row: int, told: Any, recorded: Any, of: str, quotes: bool = True) -> None:
        """The sheet tells something else than the record; silence (None, empty) is no contradiction."""
        if told not in (None, "") and told != recorded:
            expected = f"{shown(recorded) or 'unknown'}, as recorded for {of}" if quotes else _unquoted(of)
            self._error(self.reading.place(name, row), told, expected, f"recorded_{name}")

    def _experiment(self, row: EnrolmentRow) -> None:
        place, code = self.reading.place("experiment", row.place.row), row.experiment
        recorded, told = self.known.experiments.get(code), self.experiments[code]
        if self.only is not None and code != self.only.code:
            self._error(place, code, f"{self.only.code}, the experiment that this file was sent to", "other_experiment")
        elif code in self.known.not_writable:
            expected = "another code; this code is in use by an experiment in which you may not write"
            self._error(place, code, expected, "experiment_not_writable")
        elif recorded is not None:
            self._told_of_experiment(row, told, recorded)

    def _told_of_experiment(self, row: EnrolmentRow, told: ExperimentRow, recorded: Experiment) -> None:
        of = f"the experiment {told.code}"
        if told.title != told.code:  # else no column told it
            self._differs("title", row.place.row, told.title, recorded.title, of)
        if recorded.started_on is not None:
            self._differs("started_on", row.place.row, told.started_on, recorded.started_on, of)

    def _animal(self, row: EnrolmentRow) -> None:
        recorded = self.known.animal(row.animal)
        if row.animal.lower() in self.known.hidden:
            expected = "another id; this one belongs to an animal of an experiment that is not yours"
            self._error(row.place, row.animal, expected, "animal_not_visible")
        elif recorded is None:
            return
        elif recorded.lab_id != row.animal:
            self._error(row.place, row.animal, f"{recorded.lab_id}, as it is recorded", "recorded_animal")
        else:
            self._told_of_animal(row, self.animals[row.animal], recorded)

    def _told_of_animal(self, row: EnrolmentRow, told: AnimalRow, recorded: Animal) -> None:
        number, of = row.place.row, f"the animal {row.animal}"
        strain = "" if told.strain == UNKNOWN_STRAIN else told.strain
        self._differs("strain", number, strain, recorded.strain.name, of)
        self._differs("sex", number, "" if told.sex == "U" else told.sex, recorded.sex, of)
        self._differs("born_on", number, told.born_on, recorded.born_on, of)
        litter = recorded.litter
        quotes = litter is None or self.known.may_quote(litter)
        self._differs("litter", number, told.litter, litter.code if litter else None, of, quotes)
        if recorded.born_on and not told.born_on and row.day_0 and row.day_0 < recorded.born_on:
            expected = f"a day on or after the recorded birth on {recorded.born_on}"
            self._error(self.reading.place("day_0", number), row.day_0, expected, "before_birth")

    def _enrolment(self, row: EnrolmentRow) -> None:
        recorded = self.known.enrolments.get((row.experiment, row.animal.lower()))
        if recorded is None:
            return
        of = f"{row.animal} in {row.experiment}"
        self._differs("day_0", row.place.row, row.day_0, recorded.day_0, of)
        allocation = getattr(recorded, "allocation", None)
        if allocation is not None:
            arms = {arm.pk: arm.label for arm in self.known.arms.values()}
            quotes = not _is_blinded(recorded.experiment)
            self._differs("arm", row.place.row, row.arm, arms[allocation.arm_id], of, quotes)

    def _litters(self) -> None:
        told = {(row.experiment, row.code): row for row in self.reading.litters}
        for row in self.reading.animals:
            key = (row.experiment, row.litter)
            recorded = self.known.litters.get(key)
            if recorded is not None and key in told:
                of = f"the litter {recorded.code}"
                self._differs("dam", row.place.row, told[key].dam, recorded.dam, of)
                self._differs("born_on", row.place.row, told[key].born_on, recorded.born_on, of)

    def _arms(self) -> None:
        """Only said: the sheet itself may describe one arm in several ways."""
        for row in self.reading.arms:
            recorded = self.known.arms.get((row.experiment, row.label))
            for text in row.descriptions if recorded else ():
                if recorded is not None and recorded.description and text not in recorded.description:
                    of = f"the arm {row.label} of {row.experiment}"
                    blinded = _is_blinded(recorded.experiment)
                    expected = _unquoted(of) if blinded else f"{recorded.description!r}, as recorded for {of}"
                    place = self.reading.place("arm_description", 0)
                    self.problems.append(
                        Problem(place, text, expected, "recorded_arm", Severity.WARNING, Effect.CELL_LEFT_OUT)
                    )

    def _housings(self) -> None:
        lived: dict[str, list[Lived]] = {}
        labels = {pk: key for key, pk in self.known.cages.items()}
        for row in self.reading.housings:
            days = lived.setdefault(row.animal.lower(), list(self._recorded_days(row, labels)))
            cage: Hashable = (row.experiment, row.cage)
            same = [part for part in days if part[2] == cage and part[0] <= row.started_on < part[1]]
            if same:
                self._leaving(row, same[0][1])
                continue
            if self._is_shared(row):
                self._not_writable(row)
                continue
            until = row.ended_on or date.max
            for start, end, _, where in days:
                if row.started_on < end and start < until:
                    expected = f"no other cage from {row.started_on} on; {row.animal} is in {where}"
                    self._error(row.place, row.cage, expected, "housed_elsewhere")
                    break
            where = f"cage {row.cage} of {row.experiment} by row {row.place.row}"
            days.append((row.started_on, until, cage, where))

    def _recorded_days(self, row: HousingRow, labels: dict) -> Iterable[Lived]:
        animal = self.known.animal(row.animal)
        for one in self.known.housings.get(animal.pk, ()) if animal else ():
            name = f"cage {one.cage.label}" if self.known.may_quote(one.cage) else "another cage"
            told = f"{name} from {one.started_on} {f'to {one.ended_on}' if one.ended_on else 'on'}"
            cage = labels.get(one.cage_id, one.cage_id)
            yield one.started_on, one.ended_on or date.max, cage, f"{told}, as recorded"

    def _leaving(self, row: HousingRow, end: date) -> None:
        if row.ended_on and end not in (date.max, row.ended_on):
            expected = f"{row.animal} to leave the cage on {end}, as recorded, not on {row.ended_on}"
            self._error(row.place, row.cage, expected, "recorded_housing")
        elif row.ended_on and end == date.max and self._is_shared(row):
            self._not_writable(row)

    def _is_shared(self, row: HousingRow) -> bool:
        animal = self.known.animal(row.animal)
        return animal is not None and animal.pk in self.known.shared

    def _not_writable(self, row: HousingRow) -> None:
        expected = f"the cage that is recorded; {row.animal} is also in an experiment in which you may not write"
        self._error(row.place, row.cage, expected, "housing_not_writable")

    def _observations(self) -> None:
        day_0 = self.known.days_0(self.reading)
        for row in self.reading.weighings:
            self._observed(row, "body_weight", row.weight_g, day_0[row.experiment, row.animal])
        for score in self.reading.scores:
            self._observed(score, "welfare_score", score.score, day_0[score.experiment, score.animal])

    def _observed(self, row: Any, endpoint: str, value: Any, day_0: date | None) -> None:
        key = (row.experiment, row.animal.lower(), endpoint)
        recorded = self.known.values.get((*key, row.day))
        if recorded is not None:
            if value not in recorded:
                told = " or ".join(sorted(shown(each) for each in recorded))
                expected = f"{told}, as recorded for {row.animal} on {row.day}; correct it there, with a reason"
                self._error(row.place, value, expected, f"recorded_{endpoint}")
            return
        animal = self.known.animal(row.animal)
        if animal is not None and animal.born_on and row.day < animal.born_on:
            expected = f"a day on or after the recorded birth on {animal.born_on}"
            self._error(row.place, row.day, expected, "before_birth")
        study_day = None if day_0 is None else (row.day - day_0).days
        if study_day is not None and not SMALLEST <= study_day <= LARGEST:
            self._error(row.place, row.day, f"a day within {LARGEST} days of day 0", "study_day")
        self._planned(row, key, study_day)

    def _planned(self, row: Any, key: tuple[str, str, str], study_day: int | None) -> None:
        """A planned timepoint takes one value of an animal; its window may reach over several days."""
        timepoint = self.known.timepoints.get(row.experiment, {}).get(study_day) if study_day is not None else None
        if timepoint is None:
            return
        taken = self.known.planned.setdefault((*key, timepoint), row.day)
        if taken != row.day:
            expected = f"one value at this planned timepoint; {taken} lies in its window too"
            self._error(row.place, row.day, expected, "timepoint_taken")

    def _dispositions(self) -> None:
        told = {(row.experiment, row.animal.lower()): row for row in self.reading.dispositions}
        ended: dict[tuple[str, str], date] = {}
        for key, enrolment in self.known.enrolments.items():
            recorded, row = getattr(enrolment, "disposition", None), told.get(key)
            if recorded is None:
                continue
            if row is not None and (row.kind, row.day) != (recorded.kind, recorded.occurred_on):
                expected = f"{recorded.get_kind_display()} on {recorded.occurred_on}, as recorded"
                self._error(row.place, f"{row.word} on {row.day}", expected, "recorded_disposition")
            if recorded.kind not in ALIVE_KINDS:
                ended[key] = recorded.occurred_on
        self._after_end(ended)

    def _after_end(self, ended: dict[tuple[str, str], date]) -> None:
        observed: list[WeighingRow | ScoreRow] = [*self.reading.weighings, *self.reading.scores]
        for row in observed:
            day = ended.get((row.experiment, row.animal.lower()), row.day)
            if row.day > day:
                self._error(row.place, row.day, f"no later day than the recorded end on {day}", "after_end")
