"""From vials into a dose: refused where a rule stands against it, unless it is told that it happened all the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Sum
from django.utils import timezone

from experiments.actions.reasons import given_reason
from experiments.actions.stock.ledger import Take, amounts_by_vial, plain, record, take, total, write
from experiments.actions.stock.rules import hold_behind, objections, refuse
from experiments.actions.stock.vials import LOW_VIABILITY_PERCENT, past
from experiments.models import Alert, Dose, DoseVial, Experiment, Procedure, StockMovement, Vial
from labdb.base.access import require
from labdb.base.verbs import verb

LATE_MIN = 120  # DOMAIN: thaw to injection; later is warned of


@dataclass(frozen=True)
class Given:
    """The dose, what a person should know of it, and what of it was against a rule."""

    dose: Dose
    warnings: list[str] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)


@verb
def dispense(
    *, procedure: Procedure, takes: Sequence[Take], by: Any, details: Mapping[str, Any] | None = None
) -> Given:
    """Take from vials what an animal is given in ``procedure``: all of it, or nothing.

    ``details`` are further fields of the dose (route, site, volume …). Where a dose of the procedure exists already, this
    is taken for it, up to its amount. Viability, passage and minutes since thawing follow from the vials where they are
    not told.

    Raises:
        ValidationError: a rule of the stock stands against it (experiments of the laboratory's own only), a vial is not
            open or holds less, vials of several products.
        PermissionDenied: ``by`` does not record in the experiment.
    """
    require(by, "dispense", procedure)
    amounts, vials = _asked(takes)
    on = _day(procedure)
    behind = hold_behind([vial.lot for vial in vials])
    if procedure.experiment.provenance == Experiment.Provenance.OWN:
        refuse(objections([vial.lot for vial in vials], on, by, behind))
    return _give(procedure, amounts, vials, by, details or {})


@verb
def record_dose_given_anyway(
    *,
    procedure: Procedure,
    takes: Sequence[Take],
    reason: str,
    by: Any,
    details: Mapping[str, Any] | None = None,
) -> Given:
    """Record that an animal got something although a rule stood against it: a fact is never refused.

    The procedure tells the deviation with its reason, and an alert is raised. A vial that was not told to be thawed was
    opened by then. No vial gives more than it holds: count and correct it first.

    Raises:
        ValidationError: no reason; no rule stands against it (then it is dispensed); not enough is left.
        PermissionDenied: ``by`` does not record in the experiment.
    """
    require(by, "dispense", procedure)
    why = given_reason(reason, "Say why it was given all the same.")
    amounts, vials = _asked(takes)
    lots = [vial.lot for vial in vials]
    behind = hold_behind(lots)
    told = [each.told for each in objections(lots, _day(procedure), by, behind)] + _opened(procedure, vials)
    if not told:
        raise ValidationError("No rule stands against it: dispense it.")
    given = _give(procedure, amounts, vials, by, details or {})
    _tell_deviation(procedure, told, why)
    return Given(given.dose, given.warnings, told)


def _asked(takes: Sequence[Take]) -> tuple[dict[Any, Decimal], list[Vial]]:
    amounts = amounts_by_vial(takes)
    found = Vial.objects.select_related("lot__product", "lot__passage").filter(pk__in=amounts)
    vials = sorted(found, key=lambda vial: vial.pk)
    products = sorted({vial.lot.product.name for vial in vials})
    if len(products) > 1:
        raise ValidationError({"vials": f"A dose is of one product, not of {' and '.join(products)}."})
    return amounts, vials


def _day(procedure: Procedure) -> Any:
    if procedure.performed_at:
        return timezone.localdate(procedure.performed_at)
    return procedure.performed_on or timezone.localdate()


def _opened(procedure: Procedure, vials: Sequence[Vial]) -> list[str]:
    """Open those of ``vials`` that were not recorded as thawed; what is to be told of them."""
    told = []
    for vial in vials:
        now = past(procedure.performed_at, "performed_at")
        if Vial.objects.filter(pk=vial.pk, state=Vial.State.STORED).update(state=Vial.State.THAWED, thawed_at=now):
            told.append(f"Vial {vial} was not recorded as thawed or opened before.")
    return told


def _give(
    procedure: Procedure, amounts: Mapping[Any, Decimal], vials: Sequence[Vial], by: Any, details: Mapping[str, Any]
) -> Given:
    take(amounts)
    dose = _dose(procedure, vials, total(amounts.values()), details)
    now = timezone.now()
    told: dict[str, Any] = {"dose": dose, "experiment_id": procedure.experiment_id, "moved_at": now}
    kind = StockMovement.Kind.DISPENSED
    write([record(key, kind, amount.copy_negate(), by, **told) for key, amount in amounts.items()])
    for key, amount in amounts.items():
        if not DoseVial.objects.filter(dose=dose, vial=key).update(amount=F("amount") + amount):
            DoseVial(dose=dose, vial_id=key, amount=amount).save()
    return Given(dose, _warnings(dose, vials))


def _dose(procedure: Procedure, vials: Sequence[Vial], amount: Decimal, details: Mapping[str, Any]) -> Dose:
    held = Procedure.objects.select_for_update(of=("self",), no_key=True).get(pk=procedure.pk)
    product = vials[0].lot.product
    dose = Dose.objects.filter(procedure=held).first()
    if dose is None:
        dose = Dose(procedure=held, product=product, amount=amount, **{**_proposed(procedure, vials), **details})
        dose.save()
        return dose
    if details:
        raise ValidationError({"details": f"The dose is recorded already, with its {', '.join(sorted(details))}."})
    if dose.product_id != product.pk:
        raise ValidationError({"vials": f"The dose is of {dose.product}, these vials are of {product}."})
    before = dose.vials.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    if total([before, amount]) > dose.amount:
        told = f"The dose is {plain(dose.amount)} {product.dose_unit}, {plain(before)} of it are dispensed already."
        raise ValidationError({"vials": told})
    return dose


def _proposed(procedure: Procedure, vials: Sequence[Vial]) -> dict[str, Any]:
    """What follows from the vials: the lowest viability, the passage where all are of one, minutes since thawing."""
    fresh = Vial.objects.filter(pk__in=[vial.pk for vial in vials])
    counted = [v.post_thaw_viability_percent for v in fresh if v.post_thaw_viability_percent is not None]
    passages = {vial.lot.passage.number if vial.lot.passage else None for vial in vials}
    thawed = [vial.thawed_at for vial in fresh if vial.thawed_at]
    return {
        "viability_percent": min(counted, default=None),
        "passage_number": passages.pop() if len(passages) == 1 else None,
        "thaw_to_injection_min": _minutes(min(thawed, default=None), procedure.performed_at),
    }


def _minutes(start: datetime | None, end: datetime | None) -> Decimal | None:
    if start is None or end is None or end < start:
        return None
    return (Decimal((end - start).total_seconds()) / 60).quantize(Decimal("0.1"))


def _warnings(dose: Dose, vials: Sequence[Vial]) -> list[str]:
    told = []
    if dose.viability_percent is not None and dose.viability_percent < LOW_VIABILITY_PERCENT:
        told.append(f"{plain(dose.viability_percent)} % viable, below {LOW_VIABILITY_PERCENT} %.")
    if dose.thaw_to_injection_min is not None and dose.thaw_to_injection_min > LATE_MIN:
        told.append(f"{plain(dose.thaw_to_injection_min)} min from thawing to injection, more than {LATE_MIN}.")
    return told


def _tell_deviation(procedure: Procedure, told: Sequence[str], why: str) -> None:
    held = Procedure.objects.select_related("enrolment").get(pk=procedure.pk)
    held.deviation = "\n".join([held.deviation, *told]).strip()
    reasons = [held.deviation_reason, why] if held.deviation_reason and held.deviation_reason != why else [why]
    held.deviation_reason = "; ".join(reasons)[:500]
    held.save(update_fields=["deviation", "deviation_reason"])
    message = f"Given although: {' '.join(told)} Why: {why}"
    Alert(
        experiment=held.experiment,
        enrolment=held.enrolment,
        procedure=held,
        kind=Alert.Kind.DEVIATION,
        message=message if len(message) <= 500 else f"{message[:499]}…",
    ).save()
