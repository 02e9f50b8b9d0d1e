"""Drawing arms for animals: the system draws the seed, nobody sees it, and the draw can be made again."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments import cohorts
from experiments.models import Allocation, Arm, Enrolment, Experiment, Randomisation
from experiments.rules import randomisation as rule
from experiments.rules import sealed_seed
from experiments.rules.quantities import listed
from experiments.rules.random_stream import new_seed
from labdb.base.access import require
from labdb.base.bulk import bulk_insert
from labdb.base.verbs import verb

WEIGHT_CLASSES = 3


@verb
def randomise(
    *,
    experiment: Experiment,
    method: str,
    by: Any,
    strata: Collection[str] = (),
    ratios: Mapping[Arm, int] | None = None,
    weight_classes: int = WEIGHT_CLASSES,
    animals: Collection[Enrolment] | None = None,
) -> Randomisation:
    """Draw an arm for every enrolled animal that has none, or for ``animals`` (enrolments), all or nobody.

    ``ratios``: arms with their share, else all arms of the experiment alike. Weights are the newest body weights, litter
    and cage those of today. Animals that are excluded from everything, or whose part has ended, are not drawn.

    Raises:
        ValidationError: no animal to draw for; one of ``animals`` is in an arm already, excluded, ended or of another
            experiment (named); a stratum's weight, litter or cage is missing (animals named); an arm of another
            experiment; any other design that the rule refuses.
        PermissionDenied: ``by`` may not design the experiment.
    """
    require(by, "randomise", experiment)
    # Of two people who draw at once the second waits here and finds the animals allocated.
    Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)
    inputs = {
        "method": method,
        "strata": list(strata),
        "weight_classes": weight_classes,
        "arms": _arms(experiment, ratios),
        "animals": _animals(experiment, animals),
    }
    seed = new_seed()
    try:
        design, drawn = cohorts.design_of(inputs)
        allocation = rule.allocate(design, drawn, seed)
    except ValueError as refused:  # also a method or a stratum that is none
        raise ValidationError(str(refused)) from None
    made = Randomisation(
        experiment=experiment,
        method=method,
        strata=list(strata),
        algorithm=f"{allocation.algorithm} {allocation.version}",
        seed=seed,
        seed_sha256=sealed_seed.commitment(seed, design, drawn),
        inputs=inputs,
        balance={**asdict(allocation.balance), "warnings": [asdict(each) for each in allocation.warnings]},
        drawn_by=by,
    )
    made.save()
    _allocate(made, allocation)
    return made


def _allocate(made: Randomisation, allocation: rule.Allocation) -> None:
    names = ("experiment", "enrolment", "arm", "method", "randomisation", "stratum", "block", "allocated_at")
    arms, animals = made.inputs["arms"], made.inputs["animals"]
    rows = [
        (
            made.experiment_id, UUID(animals[place.animal]["enrolment"]), UUID(arms[place.arm]["arm"]),
            Allocation.Method.RANDOMISED, made.pk, place.stratum[:120], place.block, timezone.now(),
        )
        for place in allocation.places
    ]  # fmt: skip
    bulk_insert(Allocation, names, rows)


def _arms(experiment: Experiment, ratios: Mapping[Arm, int] | None) -> dict[str, dict[str, Any]]:
    """Arm and ratio by label."""
    chosen = dict.fromkeys(experiment.arms.all(), 1) if ratios is None else ratios
    foreign = [arm.label for arm in chosen if arm.experiment_id != experiment.pk]
    if foreign:
        raise ValidationError({"ratios": f"Of another experiment: {listed(foreign)}."})
    return {arm.label: {"arm": str(arm.pk), "ratio": ratio} for arm, ratio in chosen.items()}


def _animals(experiment: Experiment, named: Collection[Enrolment] | None) -> dict[str, Any]:
    rows = cohorts.candidates(experiment)
    if named is None:
        found = cohorts.drawn_animals(rows)
        if not found:
            n = experiment.allocations.count()
            told = f"No animal is left to be drawn for: {n} of {experiment.enrolments.count()} are in an arm already."
            raise ValidationError({"animals": told})
        return found
    found = cohorts.drawn_animals(rows.filter(pk__in=[each.pk for each in named]))
    known = {told["enrolment"] for told in found.values()}
    refused = [str(each.animal) for each in named if str(each.pk) not in known]
    if refused:
        told = "In an arm already, excluded, ended, or of another experiment"
        raise ValidationError({"animals": f"{told}: {listed(sorted(refused), len(refused))}."})
    return found
