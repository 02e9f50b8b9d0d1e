"""Vials from the first to the last: made or received, thawed, moved, transferred, counted, discarded."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from experiments.actions.reasons import given_reason
from experiments.actions.stock.ledger import Take, amounts_by_vial, plain, record, take, total, write
from experiments.actions.stock.rules import Ground, hold_behind, objections, refuse
from experiments.models import Lot, StockMovement, StorageBox, Vial
from labdb.base.access import require
from labdb.base.bulk import BulkRefused, RowProblem, bulk_insert
from labdb.base.verbs import verb

LOW_VIABILITY_PERCENT = 70  # DOMAIN: a vial below is warned of
State, Kind = Vial.State, StockMovement.Kind


@dataclass(slots=True)
class NewVial:
    """A vial to be made. ``amount`` is in the product's dose unit; a place is a box with row and column, from 1."""

    code: str
    amount: Decimal
    volume_ul: Decimal | None = None
    cryoprotectant: str = ""
    frozen_at: datetime | None = None
    box: StorageBox | None = None
    row: int | None = None
    column: int | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Handled:
    """The vial as it stands now, and what a person should know of it."""

    vial: Vial
    warnings: list[str]


NAMES = ("id", "code", "amount", "volume_ul", "cryoprotectant", "frozen_at", "row", "column")


@verb
def make_vials(
    *, lot: Lot, vials: Sequence[NewVial], by: Any, is_received: bool = False, moved_at: datetime | None = None
) -> list[Vial]:
    """Put new vials of ``lot`` into the stock: filled here, or received from somebody else.

    Raises:
        BulkRefused: one or more are invalid; each is named with field, value and what was expected.
        ValidationError: none is given; the lot was rejected or recalled, or a donor's consent was withdrawn.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "add", Vial(lot=lot))
    if not vials:
        raise ValidationError({"vials": "Name at least one vial."})
    moment = past(moved_at)
    behind = hold_behind([lot])
    bars = (Ground.REJECTED, Ground.RECALLED, Ground.WITHDRAWN)
    refuse(objections([lot], timezone.localdate(moment), by, behind), bars)
    _insert(lot, vials, State.STORED)
    kind = Kind.RECEIVED if is_received else Kind.MADE
    write([record(each.id, kind, each.amount, by, moved_at=moment) for each in vials])
    return list(Vial.objects.filter(pk__in=[each.id for each in vials]).order_by("code"))


def _insert(lot: Lot, vials: Sequence[NewVial], state: str, thawed_at: datetime | None = None) -> None:
    problems = [
        RowProblem(index, name, getattr(each, name), told)
        for index, each in enumerate(vials)
        for name, told in _misplaced(each)
    ]
    if problems:
        raise BulkRefused(problems)
    fixed = (lot.pk, state, thawed_at)
    rows = [(*(getattr(each, name) for name in NAMES), each.box and each.box.pk, each.amount, *fixed) for each in vials]
    bulk_insert(Vial, (*NAMES, "box", "amount_left", "lot", "state", "thawed_at"), rows)


def _misplaced(vial: NewVial) -> Iterable[tuple[str, str]]:
    if vial.box is None:
        return
    for name, size in (("row", vial.box.rows), ("column", vial.box.columns)):
        place = getattr(vial, name)
        if place is None or not 1 <= place <= size:
            yield name, f"The box {vial.box} has the {name}s 1 to {size}."


def free_places(box: StorageBox, n: int, row: int = 1, column: int = 1) -> list[tuple[int, int]]:
    """The first ``n`` free places of ``box`` from one on, along its rows.

    Raises:
        ValidationError: the box has not that many.
    """
    taken = set(Vial.objects.filter(box=box).values_list("row", "column"))
    places = [(r, c) for r in range(1, box.rows + 1) for c in range(1, box.columns + 1)]
    free = [place for place in places if place >= (row, column) and place not in taken]
    if len(free) < n:
        told = f"The box {box} has {len(free)} free places from {chr(64 + row)}{column} on, not {n}."
        raise ValidationError({"box": told})
    return free[:n]


@verb
def thaw_vial(
    *,
    vial: Vial,
    by: Any,
    thawed_at: datetime | None = None,
    viability_percent: Decimal | None = None,
    keeps_place: bool = False,
) -> Handled:
    """Thaw or open a vial, once. It leaves its place unless it ``keeps_place`` (an opened bottle in the fridge).

    Raises:
        ValidationError: it was thawed before, or by somebody else meanwhile; a time before freezing or in the future.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", vial)
    place: dict[str, Any] = {} if keeps_place else {"box": None, "row": None, "column": None}
    values = {
        "state": State.THAWED,
        "thawed_at": past(thawed_at, "thawed_at"),
        "post_thaw_viability_percent": viability_percent,
    }
    if not Vial.objects.filter(pk=vial.pk, state=State.STORED).update(**values, **place):
        vial.refresh_from_db()
        when = f" at {vial.thawed_at:%Y-%m-%d %H:%M} UTC" if vial.thawed_at else ""
        raise ValidationError(
            f"Vial {vial} is {vial.get_state_display().lower()}{when}: a vial is thawed or opened once."
        )
    return _handled(vial)


@verb
def record_viability(*, vial: Vial, viability_percent: Decimal, by: Any) -> Handled:
    """The viability that was counted after thawing; it is recorded once.

    Raises:
        ValidationError: the vial is not thawed, or has a viability already.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", vial)
    open_vials = Vial.objects.filter(pk=vial.pk, state=State.THAWED, post_thaw_viability_percent=None)
    if not open_vials.update(post_thaw_viability_percent=viability_percent):
        vial.refresh_from_db()
        known = vial.post_thaw_viability_percent
        told = (
            f"has {plain(known)} % already"
            if known is not None
            else f"is {vial.get_state_display().lower()}, not thawed"
        )
        raise ValidationError({"viability_percent": f"Vial {vial} {told}."})
    return _handled(vial)


def _handled(vial: Vial) -> Handled:
    vial.refresh_from_db()
    percent = vial.post_thaw_viability_percent
    if percent is None or percent >= LOW_VIABILITY_PERCENT:
        return Handled(vial, [])
    return Handled(vial, [f"Vial {vial}: {plain(percent)} % viable, below {LOW_VIABILITY_PERCENT} %."])


@verb
def move_vial(
    *, vial: Vial, box: StorageBox | None, by: Any, row: int | None = None, column: int | None = None
) -> Vial:
    """Put a vial to another place, or out of its box. Its amount stays, so the ledger has no line of it.

    Raises:
        ValidationError: the place is taken or outside of the box; the vial is used up or discarded.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", vial)
    held = Vial.objects.select_for_update(no_key=True).get(pk=vial.pk)
    held.box, held.row, held.column = box, row, column
    held.save(update_fields=["box", "row", "column"])
    return held


@verb
def transfer(*, source: Vial, target: Vial | NewVial, amount: Decimal, by: Any) -> Vial:
    """Take ``amount`` out of an open vial into another open one of the lot, or into a new one (an aliquot, a syringe).

    A new one counts as thawed when its source was: nothing is frozen again. Returns the target.

    Raises:
        ValidationError: not that much is left; one of them is not open; they are not of one lot.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", source)
    amounts = amounts_by_vial([Take(source, amount)])
    lot, key = source.lot, target.pk if isinstance(target, Vial) else target.id
    if isinstance(target, Vial):
        _check_target(source, target)
        if target.pk < source.pk:  # both are held in the order of their keys
            _fill(target, amount)
        take(amounts)
        if target.pk > source.pk:
            _fill(target, amount)
    else:
        take(amounts)
        target.amount = amount
        thawed_at = Vial.objects.values_list("thawed_at", flat=True).get(pk=source.pk)
        _insert(lot, [target], State.THAWED, thawed_at)
    out, into = record(source.pk, Kind.MOVED_OUT, amount.copy_negate(), by), record(key, Kind.MOVED_IN, amount, by)
    out.counterpart, into.counterpart = into, out
    write([out, into])
    source.refresh_from_db()
    return Vial.objects.get(pk=key)


def _check_target(source: Vial, target: Vial) -> None:
    if target.pk == source.pk:
        raise ValidationError({"target": "A vial is not filled from itself."})
    if target.lot_id != source.lot_id:
        told = f"Vial {target} is of another lot; what goes into another lot is consumed in making it."
        raise ValidationError({"target": told})


def _fill(target: Vial, amount: Decimal) -> None:
    if not Vial.objects.filter(pk=target.pk, state=State.THAWED).update(amount_left=F("amount_left") + amount):
        target.refresh_from_db()
        told = f"Vial {target} is {target.get_state_display().lower()}: only an open vial is filled, nothing is frozen again."
        raise ValidationError({"target": told})


@verb
def discard_vial(*, vial: Vial, reason: str, by: Any) -> Vial:
    """Throw a vial away with what is left in it.

    Raises:
        ValidationError: no reason; it is used up or discarded already.
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", vial)
    told = given_reason(reason, "Say why the vial is discarded.")
    held = Vial.objects.select_for_update(no_key=True).get(pk=vial.pk)
    if held.state not in (State.STORED, State.THAWED):
        raise ValidationError(f"Vial {held} is {held.get_state_display().lower()} already.")
    write([record(held.pk, Kind.DISCARDED, held.amount_left.copy_negate(), by, reason=told)])
    _set(held, Decimal(0), State.DISCARDED)
    return held


@verb
def correct_vial(*, vial: Vial, counted: Decimal, reason: str, by: Any) -> Vial:
    """Have the ledger agree with what was counted in a vial, in the product's dose unit.

    Raises:
        ValidationError: no reason; the count is negative or no other than what is recorded; the vial was discarded, or
            is empty without ever having been opened (it is discarded then).
        PermissionDenied: ``by`` may not keep the stock.
    """
    require(by, "change", vial)
    told = given_reason(reason, "Say what was counted, and how.")
    held = Vial.objects.select_for_update(no_key=True).get(pk=vial.pk)
    _check_count(held, counted)
    write([record(held.pk, Kind.CORRECTED, total([counted, held.amount_left.copy_negate()]), by, reason=told)])
    is_open = held.state in (State.THAWED, State.USED)
    _set(held, counted, (State.THAWED if counted else State.USED) if is_open else held.state)
    return held


def _check_count(vial: Vial, counted: Decimal) -> None:
    if not counted.is_finite() or counted < 0:
        raise ValidationError({"counted": f"{counted} is not a count of 0 or more."})
    if vial.state == State.DISCARDED:
        raise ValidationError(f"Vial {vial} was discarded.")
    if counted == vial.amount_left:
        raise ValidationError({"counted": f"Vial {vial} is recorded to hold {plain(counted)}; nothing is corrected."})
    if not counted and vial.state == State.STORED:
        raise ValidationError({"counted": f"Vial {vial} was never opened; if it is empty, discard it."})


def _set(vial: Vial, amount_left: Decimal, state: str) -> None:
    vial.amount_left, vial.state = amount_left, state
    if not amount_left:
        vial.box = vial.row = vial.column = None
    vial.save(update_fields=["amount_left", "state", "box", "row", "column"])


def past(given: datetime | None, name: str = "moved_at") -> datetime:
    """The instant ``given``, or now. Raises ValidationError where it is in the future."""
    now = timezone.now()
    if given is not None and given > now:
        raise ValidationError({name: f"{given.isoformat()} is in the future."})
    return given or now
