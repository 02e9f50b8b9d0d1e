"""A plan into the record: one COPY a table, observations one COPY an experiment, parents before children."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from experiments.actions.imports.conflicts import arm_description
from experiments.actions.imports.known import Known
from experiments.actions.imports.plan import Plan
from experiments.actions.jobs import Progress
from experiments.actions.observations import NewObservation, noon, planned_timepoints, record_observations
from experiments.models import (
    Allocation,
    Animal,
    Arm,
    Cage,
    Disposition,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Membership,
    Procedure,
    SourceFile,
    Strain,
    Timepoint,
)
from experiments.sheets.problems import Place
from experiments.sheets.reading import ScoreRow, SheetReading, WeighingRow
from experiments.sheets.template import AnimalSheetTemplate, ArmRole
from labdb.base.access import require
from labdb.base.bulk import BulkRefused, bulk_insert

LONGEST_PLACE = 120


class Writer:
    """Writes one plan. ``known`` grows by what is written, so that children find their parents' keys."""

    def __init__(self, reading: SheetReading, plan: Plan, known: Known, file: SourceFile, progress: Progress) -> None:
        self.reading, self.plan, self.known, self.file, self.progress = reading, plan, known, file, progress
        self.experiments = {code: row.pk for code, row in known.experiments.items()}
        self.arms = {key: row.pk for key, row in known.arms.items()}
        self.litters = {key: row.pk for key, row in known.litters.items()}
        self.animals = {row.lab_id: row.pk for row in known.animals.values()}
        self.enrolments = {key: row.pk for key, row in known.enrolments.items()}

    def write(self, template: AnimalSheetTemplate) -> None:
        """All of it, in the caller's transaction.

        Raises:
            ValidationError: the database refuses a row; the message names its place.
            PermissionDenied: the person may not open experiments, or not write to one.
        """
        self._open_experiments(template.masking)
        for code, pk in self.experiments.items():
            require(self.known.by, "add", Enrolment(experiment=Experiment(pk=pk, code=code)))
        self._add_places()
        self._add_arms(template)
        self._add_animals()
        self._add_histories()
        self._add_timepoints()
        self._add_observations()

    def _insert(self, model: type[models.Model], names: str, rows: Iterable[Sequence], places: Iterable = ()) -> None:
        try:
            bulk_insert(model, names.split(), list(rows))
        except BulkRefused as refused:
            raise _placed(refused, model, [str(place) for place in places]) from refused

    def _open_experiments(self, masking: str) -> None:
        opened = self.plan.experiments
        if opened:
            require(self.known.by, "add", Experiment)
        self.experiments |= {row.code: uuid.uuid4() for row in opened}
        now = timezone.now()
        names = "id code title started_on masking created_at"
        rows = [(self.experiments[x.code], x.code, x.title, x.started_on, masking, now) for x in opened]
        self._insert(Experiment, names, rows, (x.code for x in opened))
        role = Membership.Role.DIRECTOR
        self._insert(Membership, "experiment user role", [(row[0], self.known.by.pk, role) for row in rows])
        for told in self.reading.experiments:
            recorded = self.known.experiments.get(told.code)
            if recorded is not None and told.started_on and recorded.started_on is None:
                Experiment.objects.filter(pk=recorded.pk).update(started_on=told.started_on)

    def _add_places(self) -> None:
        """Strains, cages and litters."""
        plan, of, known = self.plan, self.experiments, self.known
        known.strains |= {(row.species, row.name): uuid.uuid4() for row in plan.strains}
        strains = [(known.strains[row.species, row.name], row.species, row.name) for row in plan.strains]
        self._insert(Strain, "id species name", strains, (row.name for row in plan.strains))
        known.cages |= {(row.experiment, row.label): uuid.uuid4() for row in plan.cages}
        cages = [(known.cages[row.experiment, row.label], of[row.experiment], row.label) for row in plan.cages]
        self._insert(Cage, "id experiment label", cages, (f"cage {row.label}" for row in plan.cages))
        self.litters |= {(row.experiment, row.code): uuid.uuid4() for row in plan.litters}
        litters = [
            (self.litters[x.experiment, x.code], of[x.experiment], x.code, x.dam, x.born_on) for x in plan.litters
        ]
        self._insert(Litter, "id experiment code dam born_on", litters, (f"litter {row.code}" for row in plan.litters))

    def _add_arms(self, template: AnimalSheetTemplate) -> None:
        new = self.plan.arms
        self.arms |= {(row.experiment, row.label): uuid.uuid4() for row in new}
        counted: dict[str, int] = defaultdict(int)
        for experiment, _ in self.known.arms:
            counted[experiment] += 1
        rows, references = [], []
        for row in new:
            counted[row.experiment] += 1
            role, key = template.arms.get(row.label, ArmRole()), self.arms[row.experiment, row.label]
            position = role.position or counted[row.experiment]
            rows.append(
                (key, self.experiments[row.experiment], row.label, arm_description(row, template), role.kind, position)
            )
            reference = self.arms.get((row.experiment, role.reference))
            if reference is not None:
                references.append(Arm(pk=key, reference_id=reference))
        self._insert(Arm, "id experiment label description kind position", rows, (f"arm {x.label}" for x in new))
        Arm.objects.bulk_update(references, ["reference"])  # a COPY cannot name rows that are not there yet

    def _add_animals(self) -> None:
        plan, of, now = self.plan, self.experiments, timezone.now()
        species = {row.name: row.species for row in self.reading.strains}
        strains = self.known.strains
        self.animals |= {row.animal: uuid.uuid4() for row in plan.animals}
        animals = [
            (self.animals[x.animal], x.animal, strains[species[x.strain], x.strain], x.sex, x.born_on,
             self.litters[x.experiment, x.litter] if x.litter else None)
            for x in plan.animals
        ]  # fmt: skip
        self._insert(Animal, "id lab_id strain sex born_on litter", animals, (row.place for row in plan.animals))
        self.enrolments |= {(row.experiment, row.animal.lower()): uuid.uuid4() for row in plan.enrolments}
        enrolments = [(self._enrolment(x), of[x.experiment], self.animals[x.animal], x.day_0) for x in plan.enrolments]
        self._insert(Enrolment, "id experiment animal day_0", enrolments, (row.place for row in plan.enrolments))
        method = Allocation.Method.RECORDED
        allocations = [
            (of[x.experiment], self._enrolment(x), self.arms[x.experiment, x.arm], method, now)
            for x in plan.allocations
        ]
        names = "experiment enrolment arm method allocated_at"
        self._insert(Allocation, names, allocations, (row.place for row in plan.allocations))

    def _enrolment(self, row: Any) -> uuid.UUID:
        return self.enrolments[row.experiment, row.animal.lower()]

    def _add_histories(self) -> None:
        """Where each animal lived, what was done to it, and how it ended."""
        plan, of = self.plan, self.experiments
        housings = [
            (self.animals[x.animal], self.known.cages[x.experiment, x.cage], x.started_on, x.ended_on)
            for x in plan.housings
        ]
        self._insert(Housing, "animal cage started_on ended_on", housings, (row.place for row in plan.housings))
        ended = [Housing(pk=pk, ended_on=day) for pk, day in plan.housings_ended]
        Housing.objects.bulk_update(ended, ["ended_on"])
        done = [(of[x.experiment], self._enrolment(x), x.name, x.text, x.day) for x in plan.procedures]
        names = "experiment enrolment name description performed_on"
        self._insert(Procedure, names, done, (row.place for row in plan.procedures))
        ends = [(of[x.experiment], self._enrolment(x), x.kind, x.day, x.word) for x in plan.dispositions]
        names = "experiment enrolment kind occurred_on note"
        self._insert(Disposition, names, ends, (row.place for row in plan.dispositions))

    def _add_timepoints(self) -> None:
        rows = [(self.experiments[code], f"day {day}", day) for code, day in self.plan.timepoints]
        places = [f"{code}, timepoint of study day {day}" for code, day in self.plan.timepoints]
        self._insert(Timepoint, "experiment label study_day", rows, places)

    def _add_observations(self) -> None:
        by_experiment: dict[str, list[NewObservation]] = defaultdict(list)
        planned = {code: planned_timepoints(Experiment(pk=pk)) for code, pk in self.experiments.items()}
        day_0 = self.known.days_0(self.reading)
        weighings: list[tuple[WeighingRow | ScoreRow, str, Decimal, str]]
        weighings = [(row, "body_weight", row.value, row.unit) for row in self.plan.weighings]
        scores: list[tuple[WeighingRow | ScoreRow, str, Decimal, str]]
        scores = [(row, "welfare_score", row.score, "") for row in self.plan.scores]
        for row, endpoint, number, unit in [*weighings, *scores]:
            start = day_0[row.experiment, row.animal]
            timepoint = planned[row.experiment][(row.day - start).days] if start is not None else None
            new = NewObservation(self.known.endpoints[endpoint], noon(row.day), self.animals[row.animal])
            new.timepoint, new.number, new.unit, new.is_time_known = timepoint, number, unit, False
            new.source_file, new.source_place = self.file.pk, _cell(row.place)
            by_experiment[row.experiment].append(new)
        done, total = 0, len(weighings) + len(scores)
        for code, observations in by_experiment.items():
            experiment = self.known.experiments.get(code) or Experiment(pk=self.experiments[code], code=code)
            try:
                record_observations(experiment=experiment, observations=observations, by=self.known.by)
            except BulkRefused as refused:
                raise _placed(refused, NewObservation, [new.source_place for new in observations]) from refused
            done += len(observations)
            self.progress(done, total, "recording observations")


def _cell(place: Place) -> str:
    return str(Place(place.sheet, place.row, place.column))[-LONGEST_PLACE:]


def _placed(refused: BulkRefused, model: Any, places: list[str]) -> ValidationError:
    """The same refusal, told by the places of the sheet."""
    name = getattr(getattr(model, "_meta", None), "verbose_name", "observation")
    return ValidationError(
        [
            f"{places[p.row] if p.row < len(places) else f'row {p.row + 1}'}: {name}, {p.field}: {p.message}"
            for p in refused.problems
        ]
    )
