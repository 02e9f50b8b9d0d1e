"""What enters and leaves vials: conditional updates, and the line of the ledger that goes with each."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Value, When

from experiments.models import StockMovement, Vial

State = Vial.State
EXACT = Context(prec=100)  # Decimal's own context keeps 28 digits


@dataclass(frozen=True)
class Take:
    """How much is taken from a vial, in the product's dose unit."""

    vial: Vial
    amount: Decimal


def amounts_by_vial(takes: Iterable[Take]) -> dict[uuid.UUID, Decimal]:
    """The amount from each vial, in the order of their keys: who takes from several holds them in this order.

    Raises:
        ValidationError: nothing is taken, or an amount that is not above 0.
    """
    found: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
    for take in takes:
        if not take.amount.is_finite() or take.amount <= 0:
            raise ValidationError({"vials": f"Vial {take.vial}: {take.amount} is not above 0."})
        found[take.vial.pk] = EXACT.add(found[take.vial.pk], take.amount)
    if not found:
        raise ValidationError({"vials": "Name at least one vial and how much is taken from it."})
    return dict(sorted(found.items()))


def take(amounts: Mapping[uuid.UUID, Decimal]) -> None:
    """Take from vials that are thawed or opened, one conditional UPDATE each; one that is emptied is used up.

    Raises:
        ValidationError: a vial does not hold that much any more, or is not open. Then nothing of the verb happens.
    """
    for key, amount in amounts.items():
        enough = Vial.objects.filter(pk=key, state=State.THAWED, amount_left__gte=amount)
        if not enough.update(amount_left=F("amount_left") - amount, **_left_empty(amount)):
            raise ValidationError({"vials": _why_not(key, amount)})


def _left_empty(amount: Decimal) -> dict[str, Any]:
    is_emptied = {"amount_left": amount}  # judged before the update
    values: dict[str, Any] = {"state": Case(When(**is_emptied, then=Value(State.USED)), default=F("state"))}
    for name in ("box", "row", "column"):
        values[name] = Case(When(**is_emptied, then=Value(None)), default=F(name))
    return values


def _why_not(key: uuid.UUID, amount: Decimal) -> str:
    vial = Vial.objects.select_related("lot__product").get(pk=key)
    if vial.state == State.STORED:
        return f"Vial {vial} is not thawed or opened yet."
    if vial.state == State.DISCARDED:
        return f"Vial {vial} was discarded."
    unit = vial.lot.product.dose_unit
    return f"Vial {vial} holds {plain(vial.amount_left)} {unit}, not {plain(amount)}."


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with every digit."""
    found = Decimal(0)
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def plain(number: Decimal) -> str:
    """Without exponent and closing zeros."""
    return f"{number.normalize():f}"


def record(vial: uuid.UUID, kind: str, amount: Decimal, by: Any, **told: Any) -> StockMovement:
    """One line of the ledger, not yet written."""
    return StockMovement(vial_id=vial, kind=kind, amount=amount, moved_by=by, **told)


def write(movements: list[StockMovement]) -> None:
    """Write lines of the ledger whose every value a verb made."""
    StockMovement.objects.bulk_create(movements)
