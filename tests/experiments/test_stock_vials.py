"""Vials from the first to the last, and the ledger that no way of writing brings apart from them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from experiments.actions.stock import (
    NewVial,
    correct_vial,
    discard_vial,
    free_places,
    make_vials,
    move_vial,
    record_viability,
    thaw_vial,
    transfer,
)
from experiments.models import StockMovement, StorageBox, Vial
from labdb.base.bulk import BulkRefused
from tests.experiments.stock_world import FROZEN, THAWED, made, make_stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def stock(scientist, experiment):
    return make_stock(scientist)


@pytest.fixture
def box():
    return made(StorageBox, name="LN2-1", location="tank 1", rows=2, columns=3)


def agrees() -> bool:
    """Whether every vial holds the sum of its movements, asked as a commit asks it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    moved = Vial.objects.annotate(moved=Sum("movements__amount"))
    return all(vial.amount_left == vial.moved for vial in moved)


def test_vials_are_made_in_their_places(stock, box, scientist):
    places = free_places(box, 3)
    new = [NewVial(f"A{n}", Decimal(10), box=box, row=r, column=c) for n, (r, c) in enumerate(places)]
    vials = make_vials(lot=stock.lot, vials=new, by=scientist)
    assert [(v.place, v.state, v.amount_left) for v in vials] == [(p, "stored", 10) for p in ("A1", "A2", "A3")]
    assert free_places(box, 3) == [(2, 1), (2, 2), (2, 3)]
    with pytest.raises(ValidationError, match="has 3 free places from A1 on, not 4"):
        free_places(box, 4)
    make_vials(lot=stock.lot, vials=[NewVial("R1", Decimal(5))], by=scientist, is_received=True)
    kinds = StockMovement.objects.order_by().values_list("kind", "amount").distinct()
    assert set(kinds) == {("made", 10), ("received", 5)} and agrees()


def test_vials_that_cannot_be_made_are_all_named_and_none_is_made(stock, box, scientist):
    make_vials(lot=stock.lot, vials=[NewVial("A", Decimal(1), box=box, row=1, column=1)], by=scientist)
    with pytest.raises(BulkRefused) as refused:
        outside = [
            NewVial("B", Decimal(1), box=box, row=3, column=1),
            NewVial("C", Decimal(1), box=box, row=1, column=4),
        ]
        make_vials(lot=stock.lot, vials=outside, by=scientist)
    assert [(p.row, p.field, p.message) for p in refused.value.problems] == [
        (0, "row", "The box LN2-1 has the rows 1 to 2."),
        (1, "column", "The box LN2-1 has the columns 1 to 3."),
    ]
    with pytest.raises(BulkRefused) as refused:
        taken = [
            NewVial("A", Decimal(1)),
            NewVial("D", Decimal(1), box=box, row=1, column=1),
            NewVial("E", Decimal(0)),
        ]
        make_vials(lot=stock.lot, vials=taken, by=scientist)
    assert {p.row for p in refused.value.problems} == {0, 1, 2}
    assert Vial.objects.count() == 1 and StockMovement.objects.count() == 1


def test_a_vial_is_thawed_once(stock, box, scientist):
    (vial,) = make_vials(
        lot=stock.lot,
        vials=[NewVial("A", Decimal(1), frozen_at=FROZEN, box=box, row=1, column=1)],
        by=scientist,
    )
    thawed = thaw_vial(vial=vial, by=scientist, thawed_at=THAWED, viability_percent=Decimal("69.9"))
    assert thawed.vial.place == "" and thawed.warnings == ["Vial A: 69.9 % viable, below 70 %."]
    with pytest.raises(
        ValidationError, match="thawed or opened at 2026-03-09 08:00 UTC: a vial is thawed or opened once"
    ):
        thaw_vial(vial=vial, by=scientist)


def test_a_time_of_thawing_lies_after_freezing_and_not_ahead(stock, scientist):
    (vial,) = stock.vials(thawed=False)
    with pytest.raises(ValidationError, match="in the future"):
        thaw_vial(vial=vial, by=scientist, thawed_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(IntegrityError, match="vial_thawed_after_frozen"), transaction.atomic():
        thaw_vial(vial=vial, by=scientist, thawed_at=datetime(2025, 1, 1, tzinfo=UTC))


def test_viability_is_counted_once_after_thawing(stock, scientist):
    stored, open_vial = *stock.vials(thawed=False), *stock.vials()
    with pytest.raises(ValidationError, match="is stored, not thawed"):
        record_viability(vial=stored, viability_percent=Decimal(80), by=scientist)
    assert record_viability(vial=open_vial, viability_percent=Decimal(80), by=scientist).warnings == []
    with pytest.raises(ValidationError, match="has 80 % already"):
        record_viability(vial=open_vial, viability_percent=Decimal(90), by=scientist)


def test_what_is_moved_between_vials_leaves_one_and_enters_the_other(stock, scientist):
    first, second = stock.vials(2, amount=10)
    transfer(source=first, target=second, amount=Decimal(4), by=scientist)
    syringe = transfer(source=first, target=NewVial("syringe", Decimal(0)), amount=Decimal(6), by=scientist)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.amount_left, second.amount_left) == ("used", 0, 14)
    assert (syringe.state, syringe.thawed_at, syringe.amount) == ("thawed", first.thawed_at, 6)
    moved = StockMovement.objects.filter(kind="moved_out")
    assert {m.counterpart.vial for m in moved} == {second, syringe}
    assert all(m.counterpart.counterpart == m and m.counterpart.amount == -m.amount for m in moved) and agrees()


def test_nothing_is_frozen_again_nor_mixed_with_another_lot(stock, scientist):
    (source,), (stored,) = stock.vials(amount=10), stock.vials(thawed=False)
    (other,) = stock.vials(lot=stock.derived())
    for target, told in ((stored, "nothing is frozen again"), (other, "of another lot"), (source, "from itself")):
        with pytest.raises(ValidationError, match=told):
            transfer(source=source, target=target, amount=Decimal(1), by=scientist)
    with pytest.raises(ValidationError, match="holds 10 viable cells, not 11"):
        transfer(source=source, target=NewVial("n", Decimal(0)), amount=Decimal(11), by=scientist)
    assert agrees() and not Vial.objects.filter(code="n").exists()


def test_a_vial_moves_to_a_free_place(stock, box, scientist):
    first, second = stock.vials(2, thawed=False)
    move_vial(vial=first, box=box, row=1, column=1, by=scientist)
    with pytest.raises(ValidationError, match="Another vial stands at this place"):
        move_vial(vial=second, box=box, row=1, column=1, by=scientist)
    with pytest.raises(ValidationError, match="has 2 rows and 3 columns"):
        move_vial(vial=second, box=box, row=3, column=1, by=scientist)
    assert move_vial(vial=first, box=None, by=scientist).place == ""
    assert StockMovement.objects.count() == 2


def test_discarding_and_correcting_tell_why(stock, scientist):
    first, second = stock.vials(2, amount=10)
    with pytest.raises(ValidationError, match="Say why"):
        discard_vial(vial=first, reason=" ", by=scientist)
    assert discard_vial(vial=first, reason="cracked", by=scientist).amount_left == 0
    for again in (
        lambda: discard_vial(vial=first, reason="twice", by=scientist),
        lambda: correct_vial(vial=first, counted=Decimal(1), reason="found", by=scientist),
    ):
        with pytest.raises(ValidationError, match="discarded"):
            again()
    assert correct_vial(vial=second, counted=Decimal(7), reason="counted", by=scientist).amount_left == 7
    assert correct_vial(vial=second, counted=Decimal(0), reason="empty", by=scientist).state == "used"
    assert correct_vial(vial=second, counted=Decimal("0.5"), reason="a rest", by=scientist).state == "thawed"
    assert list(second.movements.order_by("pk").values_list("amount", flat=True).order_by("amount")) == [
        Decimal(x) for x in ("-7", "-3", "0.5", "10")
    ]
    assert agrees()


def test_no_digit_of_an_amount_is_lost(stock, scientist):
    big, counted = Decimal("1000000000000000000000000000001"), Decimal("0.0000001")
    (vial,) = make_vials(lot=stock.lot, vials=[NewVial("big", big)], by=scientist)
    thaw_vial(vial=vial, by=scientist)
    correct_vial(vial=vial, counted=counted, reason="counted", by=scientist)
    assert agrees() and vial.movements.get(kind="corrected").amount == Decimal(
        "-1000000000000000000000000000000.9999999"
    )


# -- the database's own words

APART = {
    "an update past the ledger": "UPDATE experiments_vial SET amount_left = amount_left - 1",
    "a movement past the vial": (
        "INSERT INTO experiments_stockmovement (id, vial_id, kind, amount, moved_at, moved_by_id, reason)"
        " SELECT gen_random_uuid(), v.id, 'corrected', -1, now(), u.id, 'x' FROM experiments_vial v, labdb_user u LIMIT 1"
    ),
    "a vial from nowhere": (
        "INSERT INTO experiments_vial (id, lot_id, code, amount, amount_left, cryoprotectant, state)"
        " SELECT gen_random_uuid(), lot_id, 'x', 5, 5, '', 'stored' FROM experiments_vial LIMIT 1"
    ),
}


@pytest.mark.parametrize("name", APART)
def test_vial_and_ledger_are_not_brought_apart(name, stock):
    stock.vials(amount=10)
    told = r"Vial .* is said to hold .*, but its movements sum up to"
    with pytest.raises(IntegrityError, match=told), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(APART[name])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'nothing happened'", "DELETE FROM {}"])
def test_a_movement_stays_as_it_was_recorded(statement, stock):
    stock.vials()
    with pytest.raises(IntegrityError, match="stays as it was recorded"), transaction.atomic():
        connection.cursor().execute(statement.format("experiments_stockmovement"))
