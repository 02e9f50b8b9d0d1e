"""What may be given of the stock, and what is recorded all the same."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from experiments.actions.releasing import lift_recall, recall, reject, release, withdraw_consent
from experiments.actions.stock import consume, dispense, record_dose_given_anyway
from experiments.lineage import reached, upstream
from experiments.models import (
    Alert,
    Dose,
    DoseVial,
    Enrolment,
    Experiment,
    Lot,
    LotSource,
    Recall,
    SafetyTest,
    StockMovement,
    StockUse,
    Vial,
)
from tests.conftest import set_masking
from tests.experiments.stock_world import IV, made, make_stock, procedure_of, takes

pytestmark = pytest.mark.django_db


@pytest.fixture
def stock(scientist, experiment):
    return make_stock(scientist)


@pytest.fixture
def procedure(animals):
    return procedure_of(Enrolment.objects.get(animal=animals[0]))


def told(refused) -> str:
    return " ".join(refused.value.messages)


def test_a_dose_takes_from_its_vials_and_names_what_was_used(stock, procedure, scientist):
    medium = stock.derived("conditioned_medium", "mL")
    vesicles = make_stock(scientist).derived()  # of another donor
    LotSource(lot=vesicles, source_lot=medium).save()
    first, second = stock.vials(2, amount=10, lot=vesicles)
    given = dispense(procedure=procedure, takes=takes(first, second, amount=7), by=scientist, details=IV)
    assert given.dose.amount == 14 and given.dose.product == vesicles.product
    assert {(v.vial, v.amount) for v in given.dose.vials.all()} == {(first, 7), (second, 7)}
    assert set(Vial.objects.filter(lot=vesicles).values_list("amount_left", flat=True)) == {3}
    lots = set(StockUse.objects.filter(lot__isnull=False).values_list("lot__code", flat=True))
    assert {vesicles.code, medium.code, stock.lot.code} < lots and len(lots) == 4
    assert StockUse.objects.filter(batch__isnull=False).count() == 2
    assert StockUse.objects.count() == 6
    moved = StockMovement.objects.filter(kind="dispensed")
    assert {(m.amount, m.experiment, m.dose) for m in moved} == {(-7, procedure.experiment, given.dose)}


def test_what_follows_from_the_vials_is_filled_in(stock, procedure, scientist):
    (vial,) = stock.vials()
    Vial.objects.update(post_thaw_viability_percent=65)
    dose = dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    assert (dose.dose.viability_percent, dose.dose.passage_number, dose.dose.thaw_to_injection_min) == (65, 0, 30)
    assert dose.warnings == ["65 % viable, below 70 %."]
    vial.refresh_from_db()
    assert (vial.state, vial.amount_left) == ("used", 0)


def fail_mycoplasma(stock, scientist):
    made(SafetyTest, batch=stock.batch, kind="mycoplasma", outcome="failed", tested_on=date(2026, 2, 1))


def expire(stock, scientist):
    Lot.objects.filter(pk=stock.lot.pk).update(expires_on=date(2026, 3, 8))


RULES = {
    "the batch is recalled": (lambda s, by: recall(subject=s.batch, reason="leak", by=by), "was recalled .*: leak"),
    "the lot is recalled": (lambda s, by: recall(subject=s.lot, reason="leak", by=by), "was recalled"),
    "the batch is rejected": (lambda s, by: reject(subject=s.batch, statement="cloudy", by=by), "was rejected"),
    "a safety test failed": (fail_mycoplasma, "failed a test on 2026-02-01: Mycoplasma"),
    "it is expired": (expire, "expired on 2026-03-08"),
    "the consent is withdrawn": (
        lambda s, by: withdraw_consent(consent=s.consent, reason="letter", by=by),
        "withdrawn",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_nothing_is_dispensed_against_a_rule(name, stock, procedure, scientist):
    (vial,) = stock.vials()
    happen, expected = RULES[name]
    happen(stock, scientist)
    with pytest.raises(ValidationError, match=expected):
        dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    vial.refresh_from_db()
    assert vial.amount_left == 1_000_000 and not Dose.objects.exists() and not StockUse.objects.exists()


@pytest.mark.parametrize("name", [name for name in RULES if name != "it is expired"])
def test_nor_is_anything_made_of_it(name, stock, procedure, scientist):
    """Expiry of a lot is asked of what is given itself: a medium that ran out may have gone into vesicles before."""
    vesicles = stock.derived()
    (vial,) = stock.vials(lot=vesicles)
    happen, expected = RULES[name]
    happen(stock, scientist)
    with pytest.raises(ValidationError, match=expected):
        dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)


@pytest.mark.parametrize("missing", ["batch", "lot"])
def test_both_the_batch_and_the_lot_are_released_first(missing, procedure, scientist):
    stock = make_stock(scientist, released=False)
    (vial,) = stock.vials()
    release(subject=stock.lot if missing == "batch" else stock.batch, statement="tested", by=scientist)
    with pytest.raises(ValidationError, match="is not released") as refused:
        dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    assert told(refused).startswith("Batch" if missing == "batch" else "Lot")
    release(subject=getattr(stock, missing), statement="tested", by=scientist)
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)


def test_a_published_study_is_bound_by_no_rule_of_stock(procedure, scientist):
    (vial,) = make_stock(scientist, released=False).vials()
    Experiment.objects.update(provenance="registered", reference="doi")
    procedure.experiment.refresh_from_db()
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)


def test_what_was_given_against_a_rule_is_recorded_with_deviation_reason_and_alert(procedure, scientist):
    stock = make_stock(scientist, released=False)
    (vial,) = stock.vials(thawed=False)
    given = record_dose_given_anyway(
        procedure=procedure, takes=takes(vial, amount=400_000), reason="mixed up the racks", by=scientist, details=IV
    )
    procedure.refresh_from_db()
    vial.refresh_from_db()
    assert (vial.state, vial.amount_left) == ("thawed", 600_000) and given.dose.amount == 400_000
    assert "is not released" in procedure.deviation and "not recorded as thawed" in procedure.deviation
    assert procedure.deviation_reason == "mixed up the racks"
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.enrolment, alert.procedure) == ("deviation", procedure.enrolment, procedure)
    assert "mixed up the racks" in alert.message


def test_what_happened_needs_a_reason_a_rule_and_something_in_the_vial(stock, procedure, scientist):
    (vial,) = stock.vials()
    for reason, amount, expected in (
        (" ", 1, "Say why"),
        ("haste", 1, "No rule stands against it"),
    ):
        with pytest.raises(ValidationError, match=expected):
            record_dose_given_anyway(
                procedure=procedure, takes=takes(vial, amount=amount), reason=reason, by=scientist, details=IV
            )
    expire(stock, scientist)
    with pytest.raises(ValidationError, match="holds 1000000 viable cells, not 1000001"):
        record_dose_given_anyway(
            procedure=procedure, takes=takes(vial, amount=1_000_001), reason="haste", by=scientist, details=IV
        )
    assert not Dose.objects.exists() and not Alert.objects.exists()


def test_a_dose_is_of_one_product_and_of_no_more_than_its_amount(stock, procedure, scientist):
    (cells,), (vesicles,) = stock.vials(), stock.vials(lot=stock.derived())
    with pytest.raises(ValidationError, match="of one product"):
        dispense(procedure=procedure, takes=takes(cells, vesicles), by=scientist, details=IV)
    made(Dose, procedure=procedure, product=stock.cells, amount=700, **IV)
    dispense(procedure=procedure, takes=takes(cells, amount=400), by=scientist)
    dispense(procedure=procedure, takes=takes(cells, amount=300), by=scientist)
    with pytest.raises(ValidationError, match="700 of it are dispensed already"):
        dispense(procedure=procedure, takes=takes(cells, amount=1), by=scientist)
    assert DoseVial.objects.get().amount == 700


def test_who_only_assesses_dispenses_nothing(stock, procedure, member):
    (vial,) = stock.vials()
    with pytest.raises(PermissionDenied):
        dispense(procedure=procedure, takes=takes(vial), by=member("assessor", procedure.experiment), details=IV)


def test_a_lot_that_is_made_of_others_consumes_their_vials(stock, scientist):
    (vial,) = stock.vials()
    product = stock.derived().product
    lot = stock.lot_of(product)
    consume(made_lot=lot, takes=takes(vial, amount=400_000), by=scientist)
    consume(made_lot=lot, takes=takes(vial, amount=600_000), by=scientist)
    assert LotSource.objects.get(lot=lot).amount == 1_000_000
    vial.refresh_from_db()
    assert vial.state == "used"
    assert [m.made_lot for m in vial.movements.filter(kind="consumed")] == [lot, lot]
    recall(subject=stock.lot, reason="leak", by=scientist)
    with pytest.raises(ValidationError, match="was recalled"):
        consume(made_lot=lot, takes=takes(vial, amount=1), by=scientist)


def test_lots_are_not_made_of_each_other_in_a_circle(stock, scientist):
    vesicles = stock.derived()
    with pytest.raises(IntegrityError, match="made from what was made from it"), transaction.atomic():
        LotSource(lot=stock.lot, source_lot=vesicles).save()


def test_what_a_lot_was_made_from_stays_once_it_was_given(stock, procedure, scientist):
    vesicles = stock.derived()
    (source,) = LotSource.objects.filter(lot=vesicles)
    assert source.is_draft()
    (vial,) = stock.vials(lot=vesicles)
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    assert not source.is_draft()
    with pytest.raises(IntegrityError, match="stays once it was given"), transaction.atomic():
        LotSource.objects.all().delete()


def test_a_source_that_is_told_later_is_a_use_as_well(stock, procedure, scientist):
    (vial,) = stock.vials()
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    other = make_stock(scientist)
    LotSource(lot=stock.lot, source_lot=other.lot).save()
    assert StockUse.objects.filter(lot=other.lot).exists() and StockUse.objects.filter(batch=other.batch).exists()


# -- release


def test_a_maker_releases_alone_only_where_the_laboratory_allows_it(scientist, experiment, member, settings):
    stock = make_stock(scientist, released=False)
    settings.LABDB_RELEASE_NEEDS_SECOND_PERSON = True
    with_maker = made(Lot, code="own", product=stock.cells, made_on=date(2026, 1, 12), made_by=scientist)
    with pytest.raises(ValidationError, match="second person"):
        release(subject=with_maker, statement="tested", by=scientist)
    other = member("director", experiment)
    assert not release(subject=with_maker, statement="tested", by=other).is_self_released
    settings.LABDB_RELEASE_NEEDS_SECOND_PERSON = False
    decided = release(subject=with_maker, statement="tested", by=scientist)
    assert decided.is_self_released and "self-released" in str(decided)


@pytest.mark.parametrize(
    ("outcome", "day", "expected"),
    [
        ("failed", date(2026, 2, 1), "failed a test on 2026-02-01: Sterility"),
        ("pending", None, "Not decided yet: Sterility"),
    ],
)
def test_tests_come_before_a_release(outcome, day, expected, scientist, experiment):
    stock = make_stock(scientist, released=False)
    made(SafetyTest, batch=stock.batch, kind="sterility", outcome=outcome, tested_on=day)
    with pytest.raises(ValidationError, match=expected):
        release(subject=stock.batch, statement="looks fine", by=scientist)
    SafetyTest.objects.update(outcome="failed", tested_on=date(2026, 2, 1))
    made(SafetyTest, batch=stock.batch, kind="sterility", outcome="passed", tested_on=date(2026, 2, 9))
    release(subject=stock.batch, statement="tested again", by=scientist)


def test_the_laboratory_names_tests_that_must_have_passed(scientist, experiment, settings):
    stock = make_stock(scientist, released=False)
    settings.LABDB_RELEASE_NEEDS_TESTS = ["mycoplasma", "str"]
    made(SafetyTest, batch=stock.batch, kind="mycoplasma", outcome="passed", tested_on=date(2026, 2, 1))
    with pytest.raises(ValidationError, match="before a release: STR profile"):
        release(subject=stock.batch, statement="looks fine", by=scientist)


def test_a_technician_decides_nothing(scientist, experiment, member):
    stock = make_stock(scientist, released=False)
    technician = member("technician", experiment)
    for act in (
        lambda: release(subject=stock.batch, statement="fine", by=technician),
        lambda: reject(subject=stock.lot, statement="bad", by=technician),
        lambda: recall(subject=stock.lot, reason="bad", by=technician),
    ):
        with pytest.raises(PermissionDenied):
            act()


# -- recall


def test_a_recall_names_who_was_reached_over_every_step_and_warns_each_experiment(
    stock, animals, scientist, django_user_model
):
    vesicles = stock.derived()
    for animal, lot in zip(animals[:3], (stock.lot, vesicles, vesicles), strict=True):
        (vial,) = stock.vials(lot=lot)
        procedure = procedure_of(Enrolment.objects.get(animal=animal))
        dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    elsewhere = made(Experiment, code="ELSE", title="another")
    unknown = made(Enrolment, experiment=elsewhere, animal=animals[4])
    other = make_stock(scientist)
    for vial, where in zip((*stock.vials(), *other.vials()), (unknown, unknown), strict=True):
        dose = made(Dose, procedure=procedure_of(where), product=stock.cells, amount=1, **IV)
        made(DoseVial, dose=dose, vial=vial, amount=1)
    found = recall(subject=stock.batch, reason="mycoplasma in the retained sample", by=scientist).reached
    assert [each.lab_id for each in found.animals] == ["M001", "M002", "M003"]
    assert found.n_others == 1
    alerts = {a.experiment.code: (a.message, a.owner) for a in Alert.objects.filter(kind="recall")}
    assert set(alerts) == {"POI-1", "ELSE"} and alerts["POI-1"][1] == scientist
    assert "3 animals got" in alerts["POI-1"][0] and "1 animal got" in alerts["ELSE"][0]
    with pytest.raises(ValidationError, match="recalled already"), transaction.atomic():
        recall(subject=stock.batch, reason="again", by=scientist)
    lifted = lift_recall(recall=Recall.objects.get(), reason="a mix-up in the test laboratory", by=scientist)
    assert lifted.lifted_by == scientist
    with pytest.raises(ValidationError, match="lifted already"):
        lift_recall(recall=lifted, reason="twice", by=scientist)
    recall(subject=stock.batch, reason="after all", by=scientist)


def test_a_masked_person_learns_of_no_animal_not_even_how_many(stock, animals, scientist, member):
    (vial,) = stock.vials()
    procedure = procedure_of(Enrolment.objects.get(animal=animals[0]))
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    set_masking(procedure.experiment, "blinded")
    assessor = member("assessor", procedure.experiment)
    asked = {"batches": [stock.batch.pk], "lots": [stock.lot.pk]}
    assert (reached(assessor, **asked).animals, reached(assessor, **asked).n_others) == ([], 0)
    assert [node.kind for node in upstream([stock.lot.pk], assessor)] == ["donor", "tissuesample"]
    assert len(reached(scientist, **asked).animals) == 1


def test_one_sql_finds_everything_behind_and_everything_reached(stock, animals, scientist, django_assert_num_queries):
    (vial,) = stock.vials(lot=stock.derived())
    dispense(procedure=procedure_of(Enrolment.objects.first()), takes=takes(vial), by=scientist, details=IV)
    with django_assert_num_queries(1):
        nodes = upstream([vial.lot_id], scientist)
    assert [node.kind for node in nodes] == ["donor", "tissuesample", "isolationbatch", "passage", "lot", "lot"]
    assert str(stock.passage) == next(node.label for node in nodes if node.kind == "passage")
    with django_assert_num_queries(1):
        assert len(reached(scientist, batches=[stock.batch.pk]).animals) == 1


def test_a_withdrawn_consent_keeps_the_history_and_bars_new_vials(stock, procedure, scientist):
    (vial,) = stock.vials()
    dispense(procedure=procedure, takes=takes(vial), by=scientist, details=IV)
    withdraw_consent(consent=stock.consent, reason="letter of 2026-03-10", by=scientist)
    assert len(reached(scientist, lots=[stock.lot.pk]).animals) == 1
    with pytest.raises(ValidationError, match="was withdrawn"):
        stock.vials()
    with pytest.raises(ValidationError, match="already"):
        withdraw_consent(consent=stock.consent, reason="again", by=scientist)
    assert Vial.objects.count() == 1
