"""What the record already holds of the things that a sheet names, in a fixed number of queries."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from experiments.actions.observations import planned_timepoints
from experiments.models import (
    Animal,
    Arm,
    Cage,
    Endpoint,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Observation,
    Procedure,
    Strain,
)
from experiments.sheets.reading import SheetReading
from labdb.base.access import may

Key = tuple[str, str]  # an experiment's code, and a label or an animal's id in it
Moment = tuple[str, str, str, date]  # experiment, animal, endpoint's key, local day


@dataclass
class Known:
    """The record beside one sheet, as far as ``by`` may see it. Animals are found by their id in any spelling of
    capitals; ``hidden`` holds the ids, in small letters, of those of experiments that are not theirs.

    ``experiments`` and all that hangs on them are those in which ``by`` may write; of the others that the sheet names
    only the codes are known (``not_writable``). ``shared`` are animals whose housing is not theirs alone to write.
    """

    by: Any
    endpoints: dict[str, uuid.UUID]
    experiments: dict[str, Experiment]
    not_writable: set[str]
    strains: dict[Key, uuid.UUID]
    animals: Mapping[str, Animal]
    hidden: set[str]
    seen: set[uuid.UUID] = field(default_factory=set)
    shared: set[uuid.UUID] = field(default_factory=set)
    cages: dict[Key, uuid.UUID] = field(default_factory=dict)
    litters: dict[Key, Litter] = field(default_factory=dict)
    arms: dict[Key, Arm] = field(default_factory=dict)
    enrolments: dict[Key, Enrolment] = field(default_factory=dict)
    housings: dict[uuid.UUID, list[Housing]] = field(default_factory=dict)
    timepoints: dict[str, dict[int, uuid.UUID]] = field(default_factory=dict)
    values: dict[Moment, set[Decimal | None]] = field(default_factory=dict)
    planned: dict[tuple[str, str, str, uuid.UUID], date] = field(default_factory=dict)
    procedures: set[tuple] = field(default_factory=set)

    def animal(self, lab_id: str) -> Animal | None:
        return self.animals.get(lab_id.lower())

    def may_quote(self, row: Cage | Litter) -> bool:
        """Whether a message may name ``row``: it is everyone's, or of an experiment that ``by`` sees."""
        return row.experiment_id is None or row.experiment_id in self.seen

    def days_0(self, reading: SheetReading) -> dict[Key, date | None]:
        """Day 0 of every enrolment of the sheet: the sheet's, else the recorded one."""
        found = {}
        for row in reading.enrolments:
            recorded = self.enrolments.get((row.experiment, row.animal.lower()))
            found[row.experiment, row.animal] = row.day_0 or (recorded.day_0 if recorded else None)
        return found


ENDPOINTS = ("body_weight", "welfare_score")


def look_up(reading: SheetReading, by: Any) -> Known:
    """What the record holds of what ``reading`` names."""
    codes = [row.code for row in reading.experiments]
    in_use = {row.code: row for row in Experiment.objects.filter(code__in=codes)}
    experiments = {code: row for code, row in in_use.items() if may(by, "add", Enrolment(experiment=row))}
    named = {row.animal for row in reading.animals}
    wanted = {name.lower() for name in named}
    spelled = Animal.objects.annotate(folded=Lower("lab_id")).filter(Q(folded__in=wanted) | Q(lab_id__in=named))
    visible = spelled.visible_to(by).select_related("strain", "litter")
    animals = {row.lab_id.lower(): row for row in visible}
    known = Known(
        by=by,
        endpoints=dict(Endpoint.objects.filter(key__in=ENDPOINTS).values_list("key", "id")),
        experiments=experiments,
        not_writable=in_use.keys() - experiments.keys(),
        strains={(s, n): pk for s, n, pk in Strain.objects.values_list("species", "name", "id")},
        animals=animals,
        hidden={lab_id.lower() for lab_id in spelled.values_list("lab_id", flat=True)} - animals.keys(),
        seen=set(Experiment.objects.visible_to(by).values_list("pk", flat=True)),
    )
    if experiments:
        _add_experiments(known)
    if animals:
        _add_animals(known, [row.pk for row in animals.values()])
    return known


def _by_label(rows: QuerySet, name: str) -> dict[Key, Any]:
    return {(row.experiment.code, getattr(row, name)): row for row in rows.select_related("experiment")}


def _add_experiments(known: Known) -> None:
    mine = {"experiment__in": [row.pk for row in known.experiments.values()]}
    known.cages = {key: row.pk for key, row in _by_label(Cage.objects.filter(**mine), "label").items()}
    known.litters = _by_label(Litter.objects.filter(**mine), "code")
    known.arms = _by_label(Arm.objects.filter(**mine), "label")
    known.timepoints = {code: planned_timepoints(row) for code, row in known.experiments.items()}


def _add_animals(known: Known, keys: list[uuid.UUID]) -> None:
    mine = {"experiment__in": [row.pk for row in known.experiments.values()], "animal__in": keys}
    enrolments = Enrolment.objects.filter(**mine).select_related("experiment", "animal", "allocation", "disposition")
    known.enrolments = {(row.experiment.code, row.animal.lab_id.lower()): row for row in enrolments}
    known.shared = _shared(known, keys)
    known.housings = _grouped(Housing.objects.filter(animal__in=keys).select_related("cage"))
    done = Procedure.objects.filter(enrolment__in=[row.pk for row in known.enrolments.values()])
    known.procedures = set(done.values_list("enrolment", "name", "description", "performed_on"))
    _add_observations(known, mine)


def _shared(known: Known, keys: list[uuid.UUID]) -> set[uuid.UUID]:
    """Animals that are also in other experiments, where ``by`` may not write their housing."""
    mine = [row.pk for row in known.experiments.values()]
    elsewhere = Enrolment.objects.filter(animal__in=keys).exclude(experiment__in=mine).values("animal")
    animals = Animal.objects.filter(pk__in=elsewhere).prefetch_related("enrolments__experiment")
    return {row.pk for row in animals if not may(known.by, "add", Housing(animal=row))}


def _grouped(rows: Iterable[Housing]) -> dict[uuid.UUID, list[Housing]]:
    found: dict[uuid.UUID, list[Housing]] = defaultdict(list)
    for row in rows:
        found[row.animal_id].append(row)
    return found


def _add_observations(known: Known, mine: dict[str, Any]) -> None:
    """Also superseded ones: a value that was imported and then corrected has been imported."""
    rows = Observation.objects.filter(**mine, endpoint__in=known.endpoints.values()).values_list(
        "experiment__code", "animal__lab_id", "endpoint__key", "observed_at", "value", "timepoint", "is_current"
    )
    known.values = defaultdict(set)
    for code, lab_id, endpoint, instant, value, timepoint, is_current in rows:
        day = timezone.localtime(instant).date()
        animal = lab_id.lower()
        known.values[code, animal, endpoint, day].add(value)
        if is_current and timepoint:
            known.planned[code, animal, endpoint, timepoint] = day
