"""From vials into another lot: vesicles from a medium, a gel from cells."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from experiments.actions.stock.ledger import Take, amounts_by_vial, record, take, total, write
from experiments.actions.stock.rules import WHILE_MAKING, hold_behind, objections, refuse
from experiments.actions.stock.vials import past
from experiments.models import Lot, LotSource, StockMovement, Vial
from labdb.base.access import require
from labdb.base.verbs import verb


@verb
def consume(*, made_lot: Lot, takes: Sequence[Take], by: Any, moved_at: datetime | None = None) -> None:
    """Use up what vials of other lots hold in making ``made_lot``; it is told from then on what it was made from.

    Raises:
        ValidationError: a vial is not open or holds less; what it is of was rejected, failed, expired, was recalled, or its
            donor's consent was withdrawn; the vial's lot was itself made from ``made_lot``.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", made_lot)
    amounts, moment = amounts_by_vial(takes), past(moved_at)
    vials = list(Vial.objects.select_related("lot").filter(pk__in=amounts))
    lots = [vial.lot for vial in vials]
    behind = hold_behind(lots)
    refuse(objections(lots, timezone.localdate(moment), by, behind), WHILE_MAKING)
    _name_sources(made_lot, vials, amounts)
    take(amounts)
    told: dict[str, Any] = {"made_lot": made_lot, "moved_at": moment}
    write(
        [record(key, StockMovement.Kind.CONSUMED, amount.copy_negate(), by, **told) for key, amount in amounts.items()]
    )


def _name_sources(made_lot: Lot, vials: Sequence[Vial], amounts: Mapping[Any, Decimal]) -> None:
    for lot in sorted({vial.lot_id for vial in vials}):
        amount = total(amounts[vial.pk] for vial in vials if vial.lot_id == lot)
        known = LotSource.objects.filter(lot=made_lot, source_lot=lot)
        if not known.update(amount=Coalesce(F("amount"), Value(Decimal(0))) + amount):
            LotSource(lot=made_lot, source_lot_id=lot, amount=amount).save()
