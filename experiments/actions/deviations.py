"""In what a procedure that was done differs from its plan, or lies outside of a limit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from experiments.actions.licences import animals_under, expiry_told
from experiments.actions.plan_rules import Limits
from experiments.models import Alert, Dose, Experiment, Induction, PlannedProcedure, Procedure, StepKind
from experiments.rules import dosing
from experiments.rules.quantities import plain
from experiments.vocabulary import label

MG_PER_KG = "mg/kg"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One sentence, and the kind of alert that it raises."""

    kind: Alert.Kind
    told: str


def deviations_of(procedure: Procedure, induction: Induction | None, dose: Dose | None) -> list[Deviation]:
    """Everything in which ``procedure`` with its details differs; before or after it is written."""
    planned, found = procedure.planned, []
    if planned is not None:
        found += [*_window(procedure, planned)]
        found += [*_induction(induction, planned)] if induction else []
        found += [*_dose(dose, planned)] if dose else []
    elif _is_unplanned(procedure):
        found.append("It was not planned.")
    found += [*_volume(induction)] if induction else []
    limits = [*_licence(procedure), *(_limit(procedure, induction) if induction else [])]
    return [
        *(Deviation(Alert.Kind.DEVIATION, told) for told in found),
        *(Deviation(Alert.Kind.LIMIT, told) for told in limits),
    ]


def _is_unplanned(procedure: Procedure) -> bool:
    treats = procedure.kind in (StepKind.INDUCTION, StepKind.TRANSPLANTATION)
    return treats and PlannedProcedure.objects.filter(enrolment=procedure.enrolment_id).exists()


def _window(procedure: Procedure, planned: PlannedProcedure) -> Iterator[str]:
    if planned.state == PlannedProcedure.State.CANCELLED:
        yield f"It was cancelled: {planned.cancel_reason}"
    on: date | None = procedure.performed_on
    if on and not planned.earliest_on <= on <= planned.latest_on:
        days = (on - planned.due_on).days
        window = (
            f"{planned.earliest_on} to {planned.latest_on}" if planned.earliest_on < planned.latest_on else "that day"
        )
        far = f"{abs(days)} day{'' if abs(days) == 1 else 's'} {'after' if days > 0 else 'before'}"
        yield f"Done on {on}, {far} {planned.due_on}; the window is {window}."


def _induction(made: Induction, planned: PlannedProcedure) -> Iterator[str]:
    step = planned.step
    yield from _word("agent", made.agent, step.agent)
    yield from _amount(made.amount, made.amount_unit, step.amount, step.amount_unit)
    yield from _word("route", made.route, step.route)


def _dose(made: Dose, planned: PlannedProcedure) -> Iterator[str]:
    step = planned.step
    if step.product_id and made.product_id != step.product_id:
        yield f"{made.product} instead of {step.product}."
    unit, asked, weight = made.product.dose_unit, step.amount, made.weight_g
    if asked is not None and step.amount_unit == f"{unit}/kg":
        asked = None if weight is None else asked * weight / 1000
        yield from _amount(made.amount, unit, asked, unit)
    else:
        yield from _amount(made.amount, unit, asked, step.amount_unit)
    yield from _word("route", made.route, step.route)
    yield from _off(made.volume_ul, step.volume_ul, "µL")


def _word(vocabulary: str, given: str, asked: str) -> Iterator[str]:
    if asked and given != asked:
        yield f"{vocabulary.capitalize()} {label(vocabulary, given)} instead of {label(vocabulary, asked)}."


def _amount(given: Decimal, unit: str, asked: Decimal | None, asked_unit: str) -> Iterator[str]:
    if asked is None:
        return
    if unit != asked_unit:
        yield f"{plain(given)} {unit} instead of {plain(asked)} {asked_unit}."
    else:
        yield from _off(given, asked, unit)


def _off(given: Decimal | None, asked: Decimal | None, unit: str) -> Iterator[str]:
    """Off by more than the part that a volume may be off."""
    if given is None or not asked:
        return
    off = dosing.deviation_percent(planned=asked, actual=given)
    if abs(off) > dosing.LARGEST_DEVIATION_PERCENT:
        yield f"{plain(given)} {unit} instead of {plain(asked)} {unit} ({off:+.1f} %)."


def _volume(made: Induction) -> Iterator[str]:
    if made.planned_ml and made.given_ml is not None:
        finding = dosing.deviation_finding(planned_ml=made.planned_ml, actual_ml=made.given_ml)
        if finding:
            yield finding.message


def _limit(procedure: Procedure, made: Induction) -> Iterator[str]:
    """The dose as it was named, and the one that reached the animal."""
    limits, species = Limits(), procedure.enrolment.animal.strain.species
    told = limits.refusal(species, made.agent, made.amount, made.amount_unit)
    reached = _given_mg_per_kg(made)
    if told is None and reached is not None:
        told = limits.refusal(species, made.agent, reached, MG_PER_KG)
    if told is not None:
        yield told


def _given_mg_per_kg(made: Induction) -> Decimal | None:
    mg = made.given_mg
    if mg is None and made.given_ml is not None and made.concentration_mg_per_ml is not None:
        mg = made.given_ml * made.concentration_mg_per_ml
    if mg is None or not made.weight_g or made.amount_unit != MG_PER_KG:
        return None
    return round(dosing.per_kg(mg, made.weight_g), 2)


def _licence(procedure: Procedure) -> Iterator[str]:
    experiment, licence = procedure.experiment, procedure.experiment.licence
    if experiment.provenance == Experiment.Provenance.REGISTERED:
        return
    if licence is None:
        if settings.LABDB_LICENCE_POLICY == "required":
            yield f"{experiment} names no licence."
        return
    told = expiry_told(licence, procedure.performed_on) if procedure.performed_on else None
    if told:
        yield f"{told}; this was done on {procedure.performed_on}."
    under = animals_under(licence)
    if procedure.enrolment.animal_id not in under and len(under) >= licence.animals_allowed:
        yield f"The licence {licence} allows {licence.animals_allowed} animals; {len(under)} count already."
