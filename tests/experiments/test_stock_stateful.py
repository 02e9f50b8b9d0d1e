"""Whatever a laboratory does with its stock, in whatever order: what is recorded is what a plain dictionary says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from experiments.actions.releasing import lift_recall, recall, release
from experiments.actions.stock import (
    NewVial,
    consume,
    correct_vial,
    discard_vial,
    dispense,
    make_vials,
    thaw_vial,
    transfer,
)
from experiments.models import DoseVial, Enrolment, Lot, Passage, Procedure, Recall, StockMovement, Vial
from tests.experiments.stock_world import IV, made, make_stock, procedure_of, takes

AMOUNTS = st.integers(1, 12)
START = datetime(2026, 1, 12, 9, tzinfo=UTC)
WORLD: dict[str, Any] = {}


class Laboratory(RuleBasedStateMachine):
    """Rules call verbs and expect what the dictionaries say; every vial is one of them."""

    lots = Bundle("lots")
    vials = Bundle("vials")

    @initialize(target=lots)
    def isolate(self):
        self.savepoint = transaction.savepoint()
        self.by, self.enrolments = WORLD["by"], WORLD["enrolments"]
        self.stock = make_stock(self.by)
        self.n = 0
        self.passage = self.stock.passage
        self.known: dict[Any, SimpleNamespace] = {}  # vial: its lot, state and what is left
        self.sources: dict[Any, set] = {self.stock.lot.pk: set()}
        self.recalled: dict[Any, Recall] = {}
        self.given: dict[Any, set] = {}  # lot: animals
        return self.stock.lot

    def name(self, what: str) -> str:
        self.n += 1
        return f"{what}-{self.stock.lot.code}-{self.n}"

    def behind(self, lot: Any) -> set:
        found, waiting = set(), [lot]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self.sources[each]
        return found

    def is_barred(self, lot: Any) -> bool:
        return any(each in self.recalled for each in self.behind(lot)) or "batch" in self.recalled

    def attempt(self, is_allowed: bool, act: Any) -> Any:
        """Do ``act``, which is refused exactly where the dictionaries say so."""
        try:
            with transaction.atomic():
                done = act()
        except ValidationError:
            assert not is_allowed
            return None
        assert is_allowed
        return done

    @rule(target=lots)
    def passage_and_harvest(self):
        start = self.passage.harvested_at
        self.passage = made(
            Passage, batch=self.stock.batch, number=self.passage.number + 1, previous=self.passage,
            seeded_at=start, harvested_at=start + timedelta(days=4),
        )  # fmt: skip
        lot = made(Lot, code=self.name("L"), product=self.stock.cells, passage=self.passage, made_on=START.date())
        is_allowed = "batch" not in self.recalled
        self.attempt(is_allowed, lambda: release(subject=lot, statement="tested", by=self.by))
        if not is_allowed:
            lot.delete()
            return multiple()
        self.sources[lot.pk] = set()
        return lot

    @rule(target=vials, lot=lots, amount=AMOUNTS, is_received=st.booleans())
    def freeze_or_receive(self, lot, amount, is_received):
        new = [NewVial(self.name("V"), Decimal(amount))]
        done = self.attempt(
            not self.is_barred(lot.pk),
            lambda: make_vials(lot=lot, vials=new, by=self.by, is_received=is_received),
        )
        if done is None:
            return multiple()
        self.known[done[0].pk] = SimpleNamespace(lot=lot.pk, state="stored", left=amount)
        return done[0]

    @rule(vial=vials)
    def thaw(self, vial):
        known = self.known[vial.pk]
        if self.attempt(known.state == "stored", lambda: thaw_vial(vial=vial, by=self.by)):
            known.state = "thawed"

    @rule(vial=vials, amount=AMOUNTS)
    def give(self, vial, amount):
        known = self.known[vial.pk]
        enrolment = self.enrolments[self.n % len(self.enrolments)]
        is_allowed = known.state == "thawed" and known.left >= amount and not self.is_barred(known.lot)
        procedure = procedure_of(enrolment, performed_at=None)
        if self.attempt(
            is_allowed,
            lambda: dispense(procedure=procedure, takes=takes(vial, amount=amount), by=self.by, details=IV),
        ):
            self.leave(known, amount)
            self.given.setdefault(known.lot, set()).add(enrolment.animal_id)

    def leave(self, known: SimpleNamespace, amount: int) -> None:
        known.left -= amount
        if not known.left:
            known.state = "used"

    @rule(target=lots, vial=vials, amount=AMOUNTS)
    def make_of_it(self, vial, amount):
        known = self.known[vial.pk]
        lot = made(Lot, code=self.name("M"), product=self.stock.cells, made_on=START.date())
        is_allowed = known.state == "thawed" and known.left >= amount and not self.is_barred(known.lot)

        def act():
            consume(made_lot=lot, takes=takes(vial, amount=amount), by=self.by)
            return release(subject=lot, statement="tested", by=self.by)

        if not self.attempt(is_allowed, act):
            lot.delete()
            return multiple()
        self.leave(known, amount)
        self.sources[lot.pk] = {known.lot}
        return lot

    @rule(source=vials, into_vial=vials, amount=AMOUNTS)
    def pour(self, source, into_vial, amount):
        out, into = self.known[source.pk], self.known[into_vial.pk]
        is_open = out.state == into.state == "thawed" and out.lot == into.lot and source.pk != into_vial.pk
        is_allowed = is_open and out.left >= amount
        if self.attempt(
            is_allowed, lambda: transfer(source=source, target=into_vial, amount=Decimal(amount), by=self.by)
        ):
            self.leave(out, amount)
            into.left += amount

    @rule(vial=vials)
    def discard(self, vial):
        known = self.known[vial.pk]
        if self.attempt(known.state in ("stored", "thawed"), lambda: discard_vial(vial=vial, reason="x", by=self.by)):
            known.state, known.left = "discarded", 0

    @rule(vial=vials, counted=st.integers(0, 12))
    def count(self, vial, counted):
        known = self.known[vial.pk]
        is_allowed = known.state != "discarded" and counted != known.left and (counted > 0 or known.state != "stored")
        if self.attempt(is_allowed, lambda: correct_vial(vial=vial, counted=Decimal(counted), reason="x", by=self.by)):
            known.left = counted
            if known.state != "stored":
                known.state = "thawed" if counted else "used"

    @rule(lot=lots, of_batch=st.booleans())
    def recall_or_lift(self, lot, of_batch):
        key, subject = ("batch", self.stock.batch) if of_batch else (lot.pk, lot)
        if key in self.recalled:
            lift_recall(recall=self.recalled.pop(key), reason="x", by=self.by)
            return
        done = recall(subject=subject, reason="x", by=self.by)
        self.recalled[key] = done.recall
        concerned = [each for each in self.sources if of_batch or lot.pk in self.behind(each)]
        expected = {animal for each in concerned for animal in self.given.get(each, ())}
        assert {each.animal for each in done.reached.animals} == expected

    @invariant()
    def the_record_says_the_same(self):
        if not getattr(self, "known", None):
            return
        stored = Vial.objects.filter(pk__in=self.known).values_list("pk", "state", "amount_left")
        assert {key: (state, left) for key, state, left in stored} == {
            key: (each.state, each.left) for key, each in self.known.items()
        }
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a commit would ask the ledger now
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Laboratory,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"), [(30, 20), pytest.param(500, 50, marks=pytest.mark.stress)], ids=["short", "long"]
)
def test_the_stock_agrees_with_a_dictionary(examples, steps, scientist, animals):
    WORLD.update(by=scientist, enrolments=list(Enrolment.objects.select_related("experiment")))
    run(examples, steps)
    assert StockMovement.objects.count() == DoseVial.objects.count() == Procedure.objects.count() == 0
