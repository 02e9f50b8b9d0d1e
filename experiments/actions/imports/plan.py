"""Which rows of a sheet are new to the record, and how many it holds already."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from experiments.actions.imports.known import Known
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

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows to be written, by table. ``already`` counts those that the record holds equally."""

    experiments: list[ExperimentRow]
    strains: list[StrainRow]
    cages: list[CageRow]
    litters: list[LitterRow]
    arms: list[ArmRow]
    animals: list[AnimalRow]
    enrolments: list[EnrolmentRow]
    allocations: list[EnrolmentRow]
    housings: list[HousingRow]
    housings_ended: list[tuple[UUID, date]]
    timepoints: list[tuple[str, int]]
    weighings: list[WeighingRow]
    scores: list[ScoreRow]
    dispositions: list[DispositionRow]
    procedures: list[TreatmentRow]
    already: dict[str, int]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many rows of each table are new, and how many are already there."""
        new = {part.name: len(getattr(self, part.name)) for part in fields(self) if part.name != "already"}
        return {"new": new, "already": self.already}


def make_plan(reading: SheetReading, known: Known) -> Plan:
    """What of ``reading`` is to be written. It must not contradict the record."""
    already: Counter[str] = Counter()

    def new(name: str, rows: Iterable[Row], is_known: Any) -> list[Row]:
        kept = []
        for row in rows:
            if is_known(row):
                already[name] += 1
            else:
                kept.append(row)
        return kept

    housings, ended = _housings(reading, known, already)
    return Plan(
        experiments=new("experiments", reading.experiments, lambda r: r.code in known.experiments),
        strains=new("strains", reading.strains, lambda r: (r.species, r.name) in known.strains),
        cages=new("cages", reading.cages, lambda r: (r.experiment, r.label) in known.cages),
        litters=new("litters", reading.litters, lambda r: (r.experiment, r.code) in known.litters),
        arms=new("arms", reading.arms, lambda r: (r.experiment, r.label) in known.arms),
        animals=new("animals", reading.animals, lambda r: known.animal(r.animal)),
        enrolments=new("enrolments", reading.enrolments, lambda r: _enrolment(known, r)),
        allocations=new(
            "allocations", (r for r in reading.enrolments if r.arm), lambda r: _has(known, r, "allocation")
        ),
        housings=housings,
        housings_ended=ended,
        timepoints=_timepoints(reading, known),
        weighings=new("weighings", reading.weighings, lambda r: _observed(known, r, "body_weight")),
        scores=new("scores", reading.scores, lambda r: _observed(known, r, "welfare_score")),
        dispositions=new("dispositions", reading.dispositions, lambda r: _has(known, r, "disposition")),
        procedures=new("procedures", reading.treatments, lambda r: _done(known, r)),
        already=dict(already),
    )


def _enrolment(known: Known, row: Any) -> Any:
    return known.enrolments.get((row.experiment, row.animal.lower()))


def _has(known: Known, row: Any, name: str) -> bool:
    return getattr(_enrolment(known, row), name, None) is not None


def _observed(known: Known, row: Any, endpoint: str) -> bool:
    return (row.experiment, row.animal.lower(), endpoint, row.day) in known.values


def _done(known: Known, row: TreatmentRow) -> bool:
    enrolment = _enrolment(known, row)
    return enrolment is not None and (enrolment.pk, row.name, row.text, row.day) in known.procedures


def _timepoints(reading: SheetReading, known: Known) -> list[tuple[str, int]]:
    """Study days of the sheet that no planned timepoint's window reaches."""
    day_0 = known.days_0(reading)
    days: dict[tuple[str, int], None] = {}
    observed: list[WeighingRow | ScoreRow] = [*reading.weighings, *reading.scores]
    for row in observed:
        start = day_0[row.experiment, row.animal]
        if start is not None:
            days[row.experiment, (row.day - start).days] = None
    return sorted(key for key in days if key[1] not in known.timepoints.get(key[0], {}))


def _housings(reading: SheetReading, known: Known, already: Counter) -> tuple[list[HousingRow], list]:
    """New stays in a cage, and recorded ones that the sheet ends."""
    new, ended = [], []
    for row in reading.housings:
        animal, cage = known.animal(row.animal), known.cages.get((row.experiment, row.cage))
        same = [
            one
            for one in (known.housings.get(animal.pk, ()) if animal else ())
            if one.cage_id == cage and one.started_on <= row.started_on < (one.ended_on or date.max)
        ]
        if not same:
            new.append(row)
        elif row.ended_on and not same[0].ended_on:
            ended.append((same[0].pk, row.ended_on))
        else:
            already["housings"] += 1
    return new, ended
