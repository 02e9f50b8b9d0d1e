"""A fertility trial and the values that follow from it: saved and published in one transaction."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from experiments.actions.observations import (
    NewObservation,
    noon,
    planned_timepoints,
    record_observations,
    successor_of,
)
from experiments.models import Endpoint, FertilityTrial, Observation
from experiments.rules.fertility import Trial, endpoints
from experiments.rules.quantities import RuleError
from labdb.base.access import require
from labdb.base.verbs import verb

ENDPOINTS = (
    "vaginal_plug", "pregnancy", "implantations", "fetuses_live", "fetuses_dead", "fetuses_resorbed", "litter_size",
    "pups_male", "pups_female", "time_to_litter_days", "fecundity",
)  # fmt: skip
CHANGED = "The fertility trial was changed."


@dataclass(frozen=True)
class Value:
    """What is published of one endpoint, on the local day on which it was known."""

    number: Decimal | None
    category: str | None
    day: date


@verb
def record_fertility(*, trial: FertilityTrial, by: Any, reason: str = "") -> FertilityTrial:
    """Save ``trial``, a new one or a changed one, and publish what follows from it as observations of the female.

    Values that change supersede the earlier ones with the reason; one that no longer follows is closed.

    Raises:
        ValidationError: a rule of the trial is broken, or another observation stands where one would be published.
        PermissionDenied: ``by`` may not record in the experiment.
    """
    require(by, "add" if trial._state.adding else "change", trial)
    before = FertilityTrial.objects.select_for_update(no_key=True).filter(pk=trial.pk).first()
    trial.save()
    published = _published(before) if before else {}
    values = values_of(trial)
    days = planned_timepoints(trial.enrolment.experiment)
    new = []
    for key, pk in Endpoint.objects.filter(key__in=ENDPOINTS).values_list("key", "pk"):
        old, value = published.get(key), values.get(key)
        if value is None and old is not None:
            Observation.objects.filter(pk=old.pk).update(is_current=False)
        elif value is not None and old is None:
            new.append(_observation(trial, pk, value, days, published))
        elif value is not None and old is not None:
            _supersede(old, trial, value, days, reason.strip() or CHANGED, by)
    record_observations(experiment=trial.enrolment.experiment, observations=new, by=by)
    return trial


def values_of(trial: FertilityTrial) -> dict[str, Value]:
    """What is published of ``trial`` by endpoint; what is missing is left out.

    A female that was not mated has neither pregnancy nor fecundity; one that was not pregnant has a fecundity of 0 and no
    litter size. Raises ValidationError with every rule that the trial breaks.
    """
    try:
        found = endpoints(_rules_of(trial))
    except RuleError as error:
        raise ValidationError(str(error)) from None
    is_pregnant = found.pregnancy == 1
    numbers = {
        "implantations": found.implantations,
        "fetuses_live": found.live,
        "fetuses_dead": trial.dead_fetuses if is_pregnant else None,
        "fetuses_resorbed": trial.resorptions if is_pregnant else None,
        "litter_size": found.litter_size,
        "pups_male": trial.pups_male,
        "pups_female": trial.pups_female,
        "time_to_litter_days": found.time_to_litter_days,
        "fecundity": found.fecundity,
    }
    ended = trial.born_on or trial.separated_on or trial.plug_on or trial.paired_on
    values = {key: Value(Decimal(n), None, ended) for key, n in numbers.items() if n is not None}
    if found.pregnancy is not None:
        values["pregnancy"] = Value(None, "yes" if is_pregnant else "no", ended)
    if trial.plug_on:
        values["vaginal_plug"] = Value(None, "yes", trial.plug_on)
    return values


def _rules_of(trial: FertilityTrial) -> Trial:
    return Trial(
        mated=trial.is_mated,
        plug=True if trial.plug_on else None,
        pregnant=trial.is_pregnant,
        corpora_lutea=trial.corpora_lutea,
        implantations=trial.implantations,
        live=trial.live_fetuses,
        dead=trial.dead_fetuses,
        resorbed=trial.resorptions,
        males=trial.pups_male,
        females=trial.pups_female,
        total_born=trial.pups_total,
        paired_on=trial.paired_on,
        littered_on=trial.born_on,
    )


def _place(trial: FertilityTrial) -> str:
    """Where the values come from, once for each trial of a female."""
    return f"fertility trial of {trial.paired_on}"


def _published(trial: FertilityTrial) -> dict[str, Observation]:
    """What is current of ``trial`` as it stood, by endpoint."""
    rows = Observation.objects.filter(
        experiment=trial.enrolment.experiment_id,
        animal=trial.enrolment.animal_id,
        endpoint__key__in=ENDPOINTS,
        source_place=_place(trial),
        is_current=True,
    )
    return {row.endpoint.key: row for row in rows.select_related("endpoint")}


def _ordinal(trial: FertilityTrial, published: dict[str, Observation]) -> int | None:
    """Tells the later trials of a female apart from her first."""
    for known in published.values():
        return known.ordinal
    earlier = FertilityTrial.objects.filter(enrolment=trial.enrolment_id, paired_on__lt=trial.paired_on).count()
    return earlier + 1 if earlier else None


def _timepoint(trial: FertilityTrial, day: date, days: dict[int, Any]) -> Any:
    day_0 = trial.enrolment.day_0
    return None if day_0 is None else days.get((day - day_0).days)


def _observation(
    trial: FertilityTrial, endpoint: Any, value: Value, days: dict[int, Any], published: dict[str, Observation]
) -> NewObservation:
    return NewObservation(
        endpoint=endpoint,
        observed_at=noon(value.day),
        is_time_known=False,
        animal=trial.enrolment.animal_id,
        timepoint=_timepoint(trial, value.day, days),
        number=value.number,
        category=value.category,
        ordinal=_ordinal(trial, published),
        source_place=_place(trial),
    )


def _supersede(
    old: Observation, trial: FertilityTrial, value: Value, days: dict[int, Any], reason: str, by: Any
) -> None:
    """Replace ``old`` where anything of it is different now."""
    changed = {
        "value": value.number,
        "entered_value": value.number,
        "category": value.category,
        "observed_at": noon(value.day),
        "timepoint_id": _timepoint(trial, value.day, days),
        "source_place": _place(trial),
    }
    if all(getattr(old, name) == now for name, now in changed.items()):
        return
    newer = successor_of(old, reason, by)
    for name, now in changed.items():
        setattr(newer, name, now)
    newer.save()
