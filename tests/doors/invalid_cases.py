"""One table of invalid rows for every door: the admin, REST and the importers run through it.

A case names the model, a payload made from a ``World`` (fields of the model; a related row is the instance itself), the
field that is to blame and a part of the message. ``VALID`` holds one valid payload a model; a case's payload is that with
its changes, so that nothing but the case can be what is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import models

from experiments.models import (
    Allocation,
    Animal,
    Arm,
    Cage,
    Disposition,
    Endpoint,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Membership,
    Observation,
    Procedure,
    ReportSchedule,
    Specimen,
    Strain,
    Timepoint,
)

WITHOUT_FIELD = "__all__"


@dataclass
class World:
    """Rows that the cases refer to; ``other`` is a second experiment of the same person."""

    person: Any
    experiment: Experiment
    other: Experiment
    other_arm: Arm
    other_timepoint: Timepoint
    other_enrolment: Enrolment
    animals: list[Animal]
    enrolments: list[Enrolment]
    free_enrolment: Enrolment  # of ``experiment``, without allocation and disposition
    stranger: Animal  # not enrolled in ``experiment``
    cage: Cage
    litter: Litter
    timepoint: Timepoint
    endpoint: Endpoint

    @property
    def arms(self) -> list[Arm]:
        return list(self.experiment.arms.all())


def _saved(row: models.Model) -> Any:
    row.save()
    return row


def make_world(person: Any, experiment: Experiment, animals: list[Animal]) -> World:
    """The world around the fixtures ``scientist``, ``experiment`` and ``animals``."""
    other = _saved(Experiment(code="POI-2", title="another", masking="open_label"))
    _saved(Membership(experiment=other, user=person, role=Membership.Role.DIRECTOR))
    stranger = _saved(Animal(lab_id="X001", strain=animals[0].strain, sex="F", born_on=date(2026, 1, 5)))
    ninth = _saved(Animal(lab_id="M009", strain=animals[0].strain, sex="F", born_on=date(2026, 1, 5)))
    cage = _saved(Cage(experiment=experiment, label="C1"))
    _saved(Housing(animal=animals[0], cage=cage, started_on=date(2026, 2, 20), ended_on=date(2026, 3, 20)))
    return World(
        person=person,
        experiment=experiment,
        other=other,
        other_arm=_saved(Arm(experiment=other, label="sham")),
        other_timepoint=_saved(Timepoint(experiment=other, label="week 1", study_day=7)),
        other_enrolment=_saved(Enrolment(experiment=other, animal=stranger)),
        animals=animals,
        enrolments=list(experiment.enrolments.order_by("animal__lab_id")),
        free_enrolment=_saved(Enrolment(experiment=experiment, animal=ninth, day_0=date(2026, 3, 2))),
        stranger=stranger,
        cage=cage,
        litter=_saved(Litter(experiment=experiment, code="L1")),
        timepoint=experiment.timepoints.get(study_day=7),
        endpoint=Endpoint.objects.get(key="body_weight"),
    )


Payload = dict[str, Any]
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)

VALID: dict[type[models.Model], Callable[[World], Payload]] = {
    Experiment: lambda w: {"code": "POI-3", "title": "a third", "masking": "open_label"},
    Arm: lambda w: {"experiment": w.experiment, "label": "normal", "kind": "normal_control", "position": 0},
    Timepoint: lambda w: {"experiment": w.experiment, "label": "week 3", "study_day": 21},
    Strain: lambda w: {"name": "BALB/cJ", "species": "mouse"},
    Litter: lambda w: {"experiment": w.experiment, "code": "L2"},
    Cage: lambda w: {"experiment": w.experiment, "label": "C2"},
    Animal: lambda w: {"lab_id": "M100", "strain": w.animals[0].strain, "sex": "F"},
    Housing: lambda w: {"animal": w.animals[0], "cage": w.cage, "started_on": date(2026, 3, 20)},
    Enrolment: lambda w: {"experiment": w.experiment, "animal": w.stranger, "day_0": date(2026, 3, 2)},
    Allocation: lambda w: {"experiment": w.experiment, "enrolment": w.free_enrolment, "arm": w.arms[0]},
    Disposition: lambda w: {
        "experiment": w.experiment,
        "enrolment": w.free_enrolment,
        "kind": "found_dead",
        "occurred_on": date(2026, 3, 9),
    },
    Procedure: lambda w: {
        "experiment": w.experiment,
        "enrolment": w.enrolments[0],
        "name": "induction",
        "description": "CTX 120 mg/kg",
    },
    Endpoint: lambda w: {"key": "heart_weight", "name": "Heart weight", "unit": "mg"},
    Specimen: lambda w: {"experiment": w.experiment, "animal": w.animals[0], "code": "S1", "collected_at": AT},
    Observation: lambda w: {
        "experiment": w.experiment,
        "endpoint": w.endpoint,
        "animal": w.animals[0],
        "timepoint": w.timepoint,
        "observed_at": AT,
        "value": Decimal("21.4"),
    },
    ReportSchedule: lambda w: {
        "experiment": w.experiment,
        "cadence": "weekly",
        "weekday": 0,
        "at_time": time(7),
        "time_zone": "Europe/Zurich",
    },
}


@dataclass(frozen=True)
class Case:
    """An invalid row. ``field`` is ``__all__`` where no single field is to blame.

    ``in_a_file``: where a file, which names rows by what is printed on them, cannot say the same.
    """

    name: str
    model: type[models.Model]
    changes: Callable[[World], Payload]
    field: str
    message: str
    in_a_file: tuple[str, str] | None = None

    def payload(self, world: World) -> Payload:
        return {**VALID[self.model](world), **self.changes(world)}


CASES = [
    # a broken CHECK of the table
    Case("an arm is its own kind of unknown", Arm, lambda w: {"kind": "mystery"}, "kind", "not a valid choice"),
    Case("an experiment without a code", Experiment, lambda w: {"code": ""}, "code", "blank"),
    Case(
        "housing ends before it starts", Housing, lambda w: {"ended_on": date(2026, 3, 19)}, "ended_on", "after the day"
    ),
    Case(
        "a weekly report without weekday", ReportSchedule, lambda w: {"weekday": None}, "weekday", "needs its weekday"
    ),
    Case(
        "a monthly report on day 31",
        ReportSchedule,
        lambda w: {"cadence": "monthly", "day_of_month": 31},
        "day_of_month",
        "from 1 to 28",
    ),
    # uniqueness
    Case("an experiment's code twice", Experiment, lambda w: {"code": "POI-1"}, "code", "already exists"),
    Case("an arm's label twice", Arm, lambda w: {"label": w.arms[0].label}, WITHOUT_FIELD, "already has an arm"),
    Case("a study day twice", Timepoint, lambda w: {"study_day": 7}, WITHOUT_FIELD, "already plans"),
    Case("a strain twice", Strain, lambda w: {"name": "C57BL/6J"}, WITHOUT_FIELD, "already recorded"),
    Case("a cage's label twice", Cage, lambda w: {"label": "C1"}, WITHOUT_FIELD, "already a cage"),
    Case("a litter's code twice", Litter, lambda w: {"code": "L1"}, WITHOUT_FIELD, "already a litter"),
    Case("an animal's id twice", Animal, lambda w: {"lab_id": "M001"}, "lab_id", "already exists"),
    Case("an animal enrolled twice", Enrolment, lambda w: {"animal": w.animals[0]}, WITHOUT_FIELD, "already enrolled"),
    Case(
        "an animal allocated twice",
        Allocation,
        lambda w: {"enrolment": w.enrolments[0]},
        "enrolment",
        "already exists",
    ),
    Case("an endpoint's key twice", Endpoint, lambda w: {"key": "body_weight"}, "key", "already exists"),
    # an exclusion: two cages at once
    Case(
        "two cages at once",
        Housing,
        lambda w: {"started_on": date(2026, 3, 19)},
        WITHOUT_FIELD,
        "already housed",
    ),
    # rows of another experiment (composite foreign keys)
    Case(
        "a reference arm of another experiment",
        Arm,
        lambda w: {"reference": w.other_arm},
        "reference",
        "another experiment",
        in_a_file=("reference", "There is no arm “sham” in POI-1."),
    ),
    Case(
        "an arm of another experiment",
        Allocation,
        lambda w: {"arm": w.other_arm},
        "arm",
        "another experiment",
        in_a_file=("arm", "There is no arm “sham” in POI-1."),
    ),
    Case(
        "an enrolment of another experiment",
        Disposition,
        lambda w: {"enrolment": w.other_enrolment},
        "enrolment",
        "another experiment",
        in_a_file=("enrolment", "The animal “X001” is not enrolled in POI-1."),
    ),
    Case(
        "a procedure on another experiment's animal",
        Procedure,
        lambda w: {"enrolment": w.other_enrolment},
        "enrolment",
        "another experiment",
        in_a_file=("enrolment", "The animal “X001” is not enrolled in POI-1."),
    ),
    Case("a specimen of a stranger", Specimen, lambda w: {"animal": w.stranger}, "animal", "not enrolled"),
    Case(
        "a specimen at another experiment's timepoint",
        Specimen,
        lambda w: {"timepoint": w.other_timepoint},
        "timepoint",
        "another experiment",
        in_a_file=("timepoint", "There is no timepoint “week 1” in POI-1."),
    ),
    # clean() over related rows
    Case(
        "housed before birth",
        Housing,
        lambda w: {"started_on": date(2025, 12, 1), "ended_on": date(2025, 12, 2)},
        "started_on",
        "was born on",
    ),
    Case("day 0 before birth", Enrolment, lambda w: {"day_0": date(2025, 12, 1)}, "day_0", "was born on"),
    Case("no such time zone", ReportSchedule, lambda w: {"time_zone": "Mars/Olympus"}, "time_zone", "not a time zone"),
    # types, ranges, texts
    Case("text too long", Arm, lambda w: {"label": "x" * 121}, "label", "120"),
    Case(
        "a NUL in a text",
        Arm,
        lambda w: {"label": "a\0b"},
        "label",
        "ull characters",
        in_a_file=(WITHOUT_FIELD, "text"),  # no text file then
    ),
    Case("a study day out of range", Timepoint, lambda w: {"study_day": 10**9}, "study_day", "less than or equal"),
    Case("a key that is no slug", Endpoint, lambda w: {"key": "uterus weight"}, "key", "letters, numbers"),
    Case(
        "a bound with too many digits",
        Endpoint,
        lambda w: {"plausible_low": Decimal("1." + "1" * 60)},
        "plausible_low",
        "40",
    ),
    # observations, which are written through their verb
    Case("no subject", Observation, lambda w: {"animal": None}, "animal", "exactly one animal"),
    Case("two subjects", Observation, lambda w: {"cage": w.cage}, "animal", "exactly one animal"),
    Case("no value", Observation, lambda w: {"value": None}, "value", "Give a value"),
    Case("an observation of a stranger", Observation, lambda w: {"animal": w.stranger}, "animal", "not enrolled"),
    Case(
        "an observation at another experiment's timepoint",
        Observation,
        lambda w: {"timepoint": w.other_timepoint},
        "timepoint",
        "another experiment",
        in_a_file=("timepoint", "There is no timepoint “week 1” in POI-1."),
    ),
    Case(
        "a stage that is none",
        Observation,
        lambda w: {"endpoint": Endpoint.objects.get(key="estrous_stage"), "value": None, "category": "X"},
        "category",
        "expected one of P, E, M, D",
    ),
    Case("a unit of another quantity", Observation, lambda w: {"unit": "mL"}, "unit", "cannot be converted"),
]
