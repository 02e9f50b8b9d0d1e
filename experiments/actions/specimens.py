"""Specimens that were mixed up: their results move to the animal that they were taken from, with the reason."""

from typing import Any

from django.core.exceptions import ValidationError

from experiments.actions.observations import successor_of
from experiments.models import Animal, Enrolment, Observation, Specimen
from labdb.base.access import require
from labdb.base.verbs import verb

NAMED = 10  # rows that a refusal tells one by one


@verb
def reassign_specimen(*, specimen: Specimen, animal: Animal, reason: str, by: Any) -> list[Observation]:
    """Say that ``specimen`` was taken from ``animal``, and move its current results there; the earlier rows stay, closed.

    Raises:
        ValidationError: no reason; the animal is the same, or not enrolled; a result would stand where one stands already.
        PermissionDenied: ``by`` may not change specimens or observations of the experiment.
    """
    held = _held([specimen], reason, by)[specimen.pk]
    _refuse_animal(held, animal)
    moved = _move(held, animal, _results(held), reason, by)
    specimen.refresh_from_db()
    return moved


@verb
def swap_specimens(*, specimen: Specimen, other: Specimen, reason: str, by: Any) -> list[Observation]:
    """Say that two specimens were taken for each other: each takes the other's animal, with its results.

    Raises:
        ValidationError: as ``reassign_specimen``, or the specimens are of two experiments.
        PermissionDenied: ``by`` may not change specimens or observations of the experiment.
    """
    if specimen.experiment_id != other.experiment_id:
        raise ValidationError({"other": f"{other} is a specimen of another experiment."})
    held = _held([specimen, other], reason, by)
    if specimen.pk == other.pk or held[specimen.pk].animal_id == held[other.pk].animal_id:
        raise ValidationError({"other": f"{other} was taken from the same animal."})
    first, second = held[specimen.pk], held[other.pk]
    results = {row.pk: _results(row) for row in (first, second)}
    animals = first.animal, second.animal
    moved = _move(first, animals[1], results[first.pk], reason, by)
    moved += _move(second, animals[0], results[second.pk], reason, by)
    for row in (specimen, other):
        row.refresh_from_db()
    return moved


def _held(specimens: list[Specimen], reason: str, by: Any) -> dict[Any, Specimen]:
    """The rows, held in the order of their keys, so that two swaps do not wait for each other."""
    if not reason.strip():
        raise ValidationError({"reason": "Say how it is known that the specimens were mixed up."})
    for specimen in specimens:
        require(by, "change", specimen)
    require(by, "change", Observation(experiment=specimens[0].experiment))
    rows = Specimen.objects.select_for_update(of=("self",), no_key=True).select_related("animal", "experiment")
    return {row.pk: row for row in rows.filter(pk__in=[each.pk for each in specimens]).order_by("pk")}


def _refuse_animal(specimen: Specimen, animal: Animal) -> None:
    if animal.pk == specimen.animal_id:
        raise ValidationError({"animal": f"{specimen} is recorded as taken from {animal} already."})
    if not Enrolment.objects.filter(experiment=specimen.experiment_id, animal=animal).exists():
        raise ValidationError({"animal": f"{animal} is not enrolled in {specimen.experiment}."})


def _results(specimen: Specimen) -> list[Observation]:
    rows = Observation.objects.filter(specimen=specimen, is_current=True).select_for_update(of=("self",), no_key=True)
    return list(rows.select_related("endpoint", "timepoint").order_by("pk"))


def _move(specimen: Specimen, animal: Animal, results: list[Observation], reason: str, by: Any) -> list[Observation]:
    _refuse_doubles(specimen, animal, results)
    # the animal of a specimen is fixed for people; a swap is this verb's to mend
    Specimen.objects.filter(pk=specimen.pk).update(animal=animal)
    moved = []
    for row in results:
        newer = successor_of(row, reason, by)
        newer.animal = animal
        newer.save()
        moved.append(newer)
    return moved


def _refuse_doubles(specimen: Specimen, animal: Animal, results: list[Observation]) -> None:
    """Raises ValidationError naming each result that would stand where the animal already has a current one."""
    known = Observation.objects.filter(animal=animal, experiment=specimen.experiment_id, is_current=True)
    there = {_key(row): row for row in known.filter(specimen=specimen).select_related("endpoint")}
    doubles = [there[_key(row)] for row in results if row.animal_id != animal.pk and _key(row) in there]
    if doubles:
        told = "; ".join(f"{row} ({row.observed_at:%Y-%m-%d}, {row.pk})" for row in doubles[:NAMED])
        raise ValidationError({"animal": f"{animal} has current results of {specimen} already: {told}."})


def _key(row: Observation) -> tuple:
    when = row.timepoint_id or row.observed_at
    return row.endpoint_id, when, row.side, row.reader, row.specimen_id, row.ordinal
