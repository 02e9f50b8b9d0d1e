"""What was done is always recorded; what differs is computed, needs a reason and raises an alert."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from experiments.actions import due
from experiments.actions.medications import give_medication, omit_medication
from experiments.actions.planning import cancel_planned, plan_procedures
from experiments.actions.procedures import record_procedure
from experiments.actions.proposals import propose
from experiments.models import Alert, Enrolment, Lot, Medication, PlannedProcedure, Procedure, Vial
from tests.experiments.protocol_rows import DAY_0, followed, issued, licence, weigh

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(experiment, animals, scientist):
    """Finds the planned procedure of the first animal."""
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    return lambda step, repeat=1: PlannedProcedure.objects.get(
        enrolment__animal=animals[0], step__name=step, repeat=repeat
    )


def test_mg_and_ml_are_proposed_from_the_latest_weight(plan, experiment, animals, scientist):
    weigh(animals[0], experiment, "25.0", 1, scientist)
    weigh(animals[0], experiment, "20.8", 2, scientist)
    told = propose(plan("induction"), on=DAY_0)
    # 120 mg/kg · 20.8 g / 1000 = 2.496 mg; in 10 mg/mL 0.2496 mL, to the syringe's 0.01 mL: 0.25 mL
    assert (told.weight_g, told.weighed_on, told.mg, told.ml) == (
        Decimal("20.8"),
        DAY_0,
        Decimal("2.496"),
        Decimal("0.25"),
    )
    assert (told.mg_in_ml, told.problems, told.warnings) == (Decimal("2.5"), [], [])
    later = propose(plan("induction", 2), on=DAY_0 + timedelta(7))
    assert later.warnings == ["The weight is of 2026-03-02, not of the day."]
    assert propose(plan("induction"), on=date(2026, 2, 20)).problems == ["No body weight is recorded."]


def test_cells_and_their_volume_are_proposed_from_the_vial(plan, experiment, animals, scientist):
    weigh(animals[0], experiment, 20, 2, scientist)
    planned = plan("cells")
    planned.step.volume_ul = None
    lot = Lot(code="LOT-1", product=planned.step.product, made_on=DAY_0)
    lot.save()
    vial = Vial(lot=lot, code="V1", amount=5 * 10**6, amount_left=5 * 10**6, volume_ul=500)
    told = propose(planned, on=DAY_0, vial=vial)
    assert told.problems == ["The viability of vial V1 after the thaw is not recorded."]
    vial.post_thaw_viability_percent = Decimal(80)
    told = propose(planned, on=DAY_0, vial=vial)
    # 10^7 cells/mL, 80 % of them viable: 10^6 viable cells are in 0.125 mL, to the syringe's step 0.13 mL
    assert (told.amount, told.amount_per_kg, told.ml) == (Decimal(10**6), Decimal(5 * 10**7), Decimal("0.13"))
    assert told.problems == []


def test_what_was_done_as_planned_is_recorded_with_its_details(plan, experiment, animals, scientist):
    weigh(animals[0], experiment, "20.8", 2, scientist)
    made = record_procedure(
        planned=plan("induction"), performed_on=DAY_0, induction={"given_ml": Decimal("0.25")}, by=scientist
    )
    row = made.induction
    assert (row.agent, row.amount, row.planned_ml, row.given_ml) == (
        "cyclophosphamide",
        120,
        Decimal("0.25"),
        Decimal("0.25"),
    )
    assert (made.deviation, made.name, made.kind, made.planned.state) == ("", "induction", "induction", "planned")
    assert plan("induction").state == "done"
    assert not Alert.objects.exists()
    with pytest.raises(ValidationError, match="is recorded already"):
        record_procedure(planned=plan("induction"), performed_on=DAY_0, by=scientist)


OUTSIDE = "is outside the limits of one dose for a mouse: 1 to 300 mg/kg."
LATE = "Done on 2026-03-04, 2 days after 2026-03-02; the window is that day."
OFF = "0.27 mL was given and 0.25 mL planned: +8.00 % where ± 5 % is allowed."
DEVIATIONS = [
    ({"given_ml": Decimal("0.27")}, {}, "deviation", [OFF]),
    (
        {"agent": "busulfan", "amount": Decimal(30)},
        {},
        "deviation",
        ["Agent busulfan instead of cyclophosphamide.", "30 mg/kg instead of 120 mg/kg (-75.0 %)."],
    ),
    ({"route": "intravenous"}, {}, "deviation", ["Route intravenous instead of intraperitoneal."]),
    ({}, {"performed_on": DAY_0 + timedelta(2)}, "deviation", [LATE]),
    (
        {"amount": Decimal(310), "planned_ml": None},
        {},
        "limit",
        ["310 mg/kg instead of 120 mg/kg (+158.3 %).", f"Cyclophosphamide 310 mg/kg {OUTSIDE}"],
    ),
    ({"given_mg": Decimal(7)}, {}, "limit", [f"Cyclophosphamide 336.54 mg/kg {OUTSIDE}"]),
]


@pytest.mark.parametrize(("induction", "fields", "kind", "told"), DEVIATIONS)
def test_what_differs_needs_a_reason_and_raises_an_alert(
    plan, experiment, animals, scientist, induction, fields, kind, told
):
    weigh(animals[0], experiment, "20.8", 2, scientist)
    asked = {"planned": plan("induction"), "performed_on": DAY_0, "induction": induction, "by": scientist, **fields}
    with pytest.raises(ValidationError) as refused:
        record_procedure(**asked)
    line = " ".join(told)
    assert refused.value.message_dict == {
        "deviation_reason": [f"It differs from what is planned or allowed: {line} Say why."]
    }
    assert not Procedure.objects.exists()
    assert not Alert.objects.exists()
    made = record_procedure(**asked, deviation_reason="syringe slipped")
    assert (made.deviation, made.deviation_reason) == ("\n".join(told), "syringe slipped")
    alert = Alert.objects.get(kind=kind)
    assert (alert.owner, alert.procedure, alert.enrolment.animal) == (scientist, made, animals[0])
    assert alert.message.startswith("M001, induction: ")


def test_after_the_licence_expired_what_was_done_is_recorded_all_the_same(plan, experiment, animals, scientist):
    licence(experiment, expires_on=date(2026, 3, 1), animals_allowed=6)
    with pytest.raises(ValidationError, match=r"The licence L-1 expired on 2026-03-01; this was done on 2026-03-02."):
        record_procedure(planned=plan("induction"), performed_on=DAY_0, by=scientist)
    made = record_procedure(
        planned=plan("induction"), performed_on=DAY_0, deviation_reason="renewal is on its way", by=scientist,
        induction={"weight_g": Decimal(20)},
    )  # fmt: skip
    assert Alert.objects.get().kind == "limit"
    assert made.induction.weight_g == 20


def test_one_animal_more_than_the_licence_allows(experiment, animals, scientist):
    licence(experiment, animals_allowed=1)
    first, second = (Enrolment.objects.get(animal=animal) for animal in animals[:2])
    record_procedure(enrolment=first, name="bleed", kind="sampling", performed_on=DAY_0, by=scientist)
    record_procedure(enrolment=first, name="bleed again", kind="sampling", performed_on=DAY_0, by=scientist)
    with pytest.raises(ValidationError, match=r"The licence L-1 allows 1 animals; 1 count already."):
        record_procedure(enrolment=second, name="bleed", kind="sampling", performed_on=DAY_0, by=scientist)


def test_a_dose_that_nobody_planned_is_a_deviation(plan, experiment, animals, scientist):
    enrolment = Enrolment.objects.get(animal=animals[0])
    asked = {"enrolment": enrolment, "kind": "induction", "name": "extra", "performed_on": DAY_0, "by": scientist}
    details = {"agent": "busulfan", "amount": Decimal(12), "route": "intraperitoneal"}
    with pytest.raises(ValidationError, match=r"It was not planned."):
        record_procedure(**asked, induction=details)
    cancelled = cancel_planned(planned=plan("induction"), reason="not needed", by=scientist)
    with pytest.raises(ValidationError, match="It was cancelled: not needed"):
        record_procedure(planned=cancelled, performed_on=DAY_0, by=scientist)


def test_what_is_still_to_come_is_no_fact(plan, scientist):
    later = timezone.localdate() + timedelta(7)
    with pytest.raises(ValidationError, match=r"is still to come; what is to be done is planned."):
        record_procedure(planned=plan("induction"), performed_on=later, by=scientist)


def test_only_who_records_records(plan, experiment, member):
    with pytest.raises(PermissionDenied):
        record_procedure(planned=plan("induction"), performed_on=DAY_0, by=member("analyst", experiment))


AT = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)


def test_anaesthesia_and_analgesia_have_their_own_deadlines(plan, experiment, animals, scientist):
    made = record_procedure(planned=plan("cells"), performed_at=AT, by=scientist)
    assert (made.dose.amount, made.dose.volume_ul, made.dose.route) == (10**6, 100, "intravenous")
    rows = list(made.medications.order_by("due_at", "kind"))
    hours = [(row.kind, (row.due_at - AT).total_seconds() / 3600) for row in rows]
    assert hours == [("anaesthesia", 0), ("analgesia", 0), ("analgesia", 8), ("analgesia", 16), ("analgesia", 24)]
    now = AT + timedelta(hours=9)
    assert due.overdue_medications(now).count() == 3
    give_medication(medication=rows[0], by=scientist)
    with pytest.raises(ValidationError, match="It was given before, at "):
        give_medication(medication=rows[0], by=scientist)
    with pytest.raises(ValidationError, match=r"Say why it is left out."):
        omit_medication(medication=rows[1], reason="", by=scientist)
    omit_medication(medication=rows[1], reason="asleep", by=scientist)
    assert due.overdue_medications(now).count() == 1
    assert Alert.objects.get().message == "M001, cells: Analgesia with buprenorphine was left out: asleep"


def test_what_was_given_in_time_is_recorded_at_once(plan, scientist):
    made = record_procedure(planned=plan("cells"), performed_at=AT, medications_given=True, by=scientist)
    assert not Medication.objects.filter(procedure=made, given_at=None).exists()


def test_overdue_and_due_are_told_apart(plan, experiment, animals, scientist):
    on_day_0 = due.overdue_planned(DAY_0).count(), due.due_planned(DAY_0).count()
    a_day_later = due.overdue_planned(DAY_0 + timedelta(1)).count(), due.due_planned(DAY_0 + timedelta(1)).count()
    assert (on_day_0, a_day_later) == ((0, 6), (6, 6))
    record_procedure(planned=plan("induction"), performed_on=DAY_0, by=scientist)
    assert due.overdue_planned(DAY_0 + timedelta(1)).count() == 5
