"""What a planned procedure amounts to for this animal on this day: mg and mL from its weight, cells from the vial."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from experiments.models import Enrolment, Observation, PlannedProcedure, ProtocolStep, Vial
from experiments.rules import dosing
from experiments.rules.quantities import RuleError, plain

BODY_WEIGHT = "body_weight"
FINE_ROUTES = ("intraovarian", "intrabursal")  # given with a microsyringe
FINE_STEP_ML = Decimal("0.001")
SHORT_ROUTES = {"intravenous": "iv", "intraperitoneal": "ip", "intraovarian": "intraovarian"}
ML_PER_UL = Decimal("0.001")


@dataclass(slots=True)
class Proposal:
    """What to give. None stands for what cannot be said; ``problems`` says why, ``warnings`` block nothing.

    ``mg`` is the dose for the weight, ``ml`` what the syringe is filled to and ``mg_in_ml`` what that holds. ``amount``
    of a product stands in its dose unit, for the animal; ``amount_per_kg`` follows from the weight.
    """

    on: date
    weight_g: Decimal | None = None
    weighed_on: date | None = None
    agent: str = ""
    amount: Decimal | None = None
    amount_unit: str = ""
    amount_per_kg: Decimal | None = None
    route: str = ""
    site: str = ""
    concentration_mg_per_ml: Decimal | None = None
    mg: Decimal | None = None
    ml: Decimal | None = None
    mg_in_ml: Decimal | None = None
    viability_percent: Decimal | None = None
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def propose(planned: PlannedProcedure, *, on: date, vial: Vial | None = None) -> Proposal:
    """What ``planned`` amounts to on the day ``on``, from the latest body weight up to then and, of cells, the vial."""
    step = planned.step
    told = Proposal(on, route=step.route, site=step.site, agent=step.agent, amount=step.amount)
    told.amount_unit, told.concentration_mg_per_ml = step.amount_unit, step.concentration_mg_per_ml
    told.weight_g, told.weighed_on = latest_weight(planned.enrolment, on)
    if told.weight_g is None:
        told.problems.append("No body weight is recorded.")
    elif told.weighed_on != on:
        told.warnings.append(f"The weight is of {told.weighed_on}, not of the day.")
    if step.agent and step.amount_unit == "mg/kg":
        _drug(told)
    elif step.product_id:
        _product(told, step, vial)
    _warn(told, planned.enrolment)
    return told


def latest_weight(enrolment: Enrolment, on: date) -> tuple[Decimal | None, date | None]:
    """The last body weight in g up to the end of the local day ``on``, and its day."""
    end = datetime.combine(on + timedelta(days=1), time(), tzinfo=ZoneInfo(settings.TIME_ZONE))
    rows = Observation.objects.filter(
        animal=enrolment.animal_id, experiment=enrolment.experiment_id, endpoint__key=BODY_WEIGHT, is_current=True
    )
    found = rows.filter(value__gt=0, observed_at__lt=end).order_by("-observed_at").values_list("value", "observed_at")
    for value, at in found[:1]:
        return value, at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    return None, None


def planned_drug(step_amount: Decimal, weight_g: Decimal, mg_per_ml: Decimal) -> dosing.PlannedVolume:
    """mg and mL of a dose in mg/kg. Raises RuleError where the syringe cannot measure it."""
    return dosing.planned_volume(mg_per_kg=step_amount, weight_g=weight_g, mg_per_ml=mg_per_ml)


def _drug(told: Proposal) -> None:
    if told.amount is None or told.weight_g is None:
        return
    if told.concentration_mg_per_ml is None:
        told.mg = (told.amount * told.weight_g / 1000).normalize()
        told.problems.append("The protocol names no concentration, so there is no volume.")
        return
    try:
        volume = planned_drug(told.amount, told.weight_g, told.concentration_mg_per_ml)
    except RuleError as error:
        told.problems.append(str(error))
        return
    told.mg, told.ml, told.mg_in_ml = volume.mg, volume.ml, volume.mg_in_ml


def _product(told: Proposal, step: ProtocolStep, vial: Vial | None) -> None:
    """The volume that the protocol names; where it names none, the one of the vial that holds the amount."""
    assert step.product is not None
    unit = step.product.dose_unit
    is_per_kg = step.amount_unit == f"{unit}/kg"
    if is_per_kg and told.amount is not None:
        told.amount_per_kg = told.amount
        told.amount = None if told.weight_g is None else told.amount * told.weight_g / 1000
    elif told.amount is not None and told.weight_g is not None:
        told.amount_per_kg = dosing.per_kg(told.amount, told.weight_g)
    told.amount_unit = unit if is_per_kg else step.amount_unit
    told.viability_percent = vial.post_thaw_viability_percent if vial else None
    if step.volume_ul is not None:
        told.ml = step.volume_ul * ML_PER_UL
    elif vial and told.amount is not None:
        _from_vial(told, vial, told.amount)


def _from_vial(told: Proposal, vial: Vial, amount: Decimal) -> None:
    """mL of the vial's contents that hold ``amount``; cells are counted as viable ones after the thaw."""
    is_cells = vial.lot.product.dose_unit == "viable cells"
    if not vial.volume_ul:
        told.problems.append(f"The volume of vial {vial} is not recorded.")
    elif amount > vial.amount_left:
        told.problems.append(
            f"Vial {vial} holds {plain(vial.amount_left)} {told.amount_unit}; {plain(amount)} are asked for."
        )
    elif is_cells and vial.post_thaw_viability_percent is None:
        told.problems.append(f"The viability of vial {vial} after the thaw is not recorded.")
    else:
        viability = vial.post_thaw_viability_percent if is_cells else Decimal(100)
        step = FINE_STEP_ML if told.route in FINE_ROUTES else dosing.SYRINGE_STEP_ML
        try:
            told.ml = dosing.volume_for_viable_cells_ml(
                viable_cells=int(amount),
                cells_per_ml=vial.amount / (vial.volume_ul * ML_PER_UL),
                viability_percent=viability or Decimal(0),
                step_ml=step,
            )
        except RuleError as error:
            told.problems.append(str(error))


def _warn(told: Proposal, enrolment: Enrolment) -> None:
    limits = dosing.VOLUME_LIMITS.get(enrolment.animal.strain.species)
    if told.ml is None or limits is None or told.route not in SHORT_ROUTES:
        return
    is_cells = told.amount is not None and told.amount_unit == "viable cells"
    found = dosing.volume_findings(
        route=SHORT_ROUTES[told.route],
        volume_ml=told.ml,
        weight_g=told.weight_g,
        viable_cells=int(told.amount) if is_cells and told.amount is not None else None,
        limits=limits,
    )
    told.warnings += [finding.message for finding in found]


def details_of(step: ProtocolStep, proposal: Proposal) -> dict[str, Any]:
    """Fields of the Induction or Dose that ``step`` plans, as proposed; empty for another kind of step."""
    if step.kind == "induction" and step.agent and step.amount is not None:
        return {
            "induction_model": step.induction_model, "agent": step.agent, "amount": step.amount,
            "amount_unit": step.amount_unit, "weight_g": proposal.weight_g, "route": step.route, "site": step.site,
            "concentration_mg_per_ml": step.concentration_mg_per_ml, "planned_ml": proposal.ml,
        }  # fmt: skip
    if step.product_id and proposal.amount is not None:
        return {
            "product": step.product, "amount": proposal.amount, "route": step.route, "site": step.site,
            "vehicle": step.vehicle, "weight_g": proposal.weight_g, "volume_ul": None if proposal.ml is None
            else proposal.ml * 1000, "viability_percent": proposal.viability_percent,
        }  # fmt: skip
    return {}
