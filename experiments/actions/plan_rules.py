"""What a plan is refused for: a dose beyond its limit, a licence that does not hold, more animals than it allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from experiments.actions.licences import animals_under, expiry_told
from experiments.models import DoseLimit, Enrolment, Experiment, Licence, ProtocolStep
from experiments.rules.quantities import listed, plain
from experiments.vocabulary import label


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that is to stand on an animal's plan on a day."""

    enrolment: Enrolment
    step: ProtocolStep
    due_on: date


class Limits:
    """The laboratory's limits of doses, read once."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], list[DoseLimit]] = {}
        for limit in DoseLimit.objects.all():
            self._of.setdefault((limit.species, limit.agent), []).append(limit)

    def refusal(self, species: str, agent: str, amount: Decimal, unit: str) -> str | None:
        """The sentence that says how ``amount`` lies outside of its limit; None within it or where there is none."""
        limits = self._of.get((species, agent), [])
        if not limits:
            return None
        name, given = label("agent", agent).capitalize(), f"{plain(amount)} {unit}"
        limit = next((each for each in limits if each.unit == unit), None)
        if limit is None:
            units = listed([each.unit for each in limits])
            return f"{name} {given}: its limit for a {label('species', species)} stands in {units}, not in {unit}."
        if limit.lowest <= amount <= limit.highest:
            return None
        allowed = f"{plain(limit.lowest)} to {plain(limit.highest)} {unit}"
        return f"{name} {given} is outside the limits of one dose for a {label('species', species)}: {allowed}."


def plan_refusals(experiment: Experiment, asked: Sequence[Asked]) -> list[str]:
    """Why ``asked`` may not be planned, a sentence a reason; empty where it may.

    The licence's row is held until the transaction ends, so that two plans do not fill the same place.
    """
    return [*_dose_refusals(asked), *_licence_refusals(experiment, asked)] if asked else []


def _dose_refusals(asked: Iterable[Asked]) -> list[str]:
    limits = Limits()
    steps = {(one.enrolment.animal.strain.species, one.step.pk): one.step for one in asked}
    told = [
        f"{step}: {line}"
        for (species, _), step in steps.items()
        if step.agent and step.amount and (line := limits.refusal(species, step.agent, step.amount, step.amount_unit))
    ]
    return list(dict.fromkeys(told))


def _licence_refusals(experiment: Experiment, asked: Sequence[Asked]) -> list[str]:
    if experiment.provenance == Experiment.Provenance.REGISTERED:  # it was done elsewhere, under a licence of others
        return []
    if experiment.licence_id is None:
        is_asked = settings.LABDB_LICENCE_POLICY == "required"
        return [f"{experiment} names no licence, and procedures are planned under one."] if is_asked else []
    licence = Licence.objects.select_for_update(of=("self",), no_key=True).get(pk=experiment.licence_id)
    return [*_expired(licence, asked), *_too_many(licence, asked)]


def _expired(licence: Licence, asked: Sequence[Asked]) -> list[str]:
    late: dict[str, list[Asked]] = {}
    for one in asked:
        if told := expiry_told(licence, one.due_on):
            late.setdefault(told, []).append(one)
    return [
        f"{told}; planned after or before it: {listed([_when(one) for one in some])}." for told, some in late.items()
    ]


def _when(one: Asked) -> str:
    return f"{one.step} of {one.enrolment.animal} on {one.due_on}"


def _too_many(licence: Licence, asked: Sequence[Asked]) -> list[str]:
    under = animals_under(licence)
    more: set[Any] = {one.enrolment.animal_id for one in asked} - under
    if not more or len(under) + len(more) <= licence.animals_allowed:
        return []
    counted = f"{len(under)} count already and {len(more)} more were to be planned"
    return [f"The licence {licence} allows {licence.animals_allowed} animals; {counted}."]
