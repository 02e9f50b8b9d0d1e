"""Plans: derived from protocols and day 0, added once, refused where a rule is broken, moved with a reason."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from experiments.actions.planning import assign_planned, cancel_planned, plan_procedures, replan_procedures
from experiments.actions.procedures import record_procedure
from experiments.models import Allocation, Animal, DoseLimit, Enrolment, PlannedProcedure
from tests.experiments.protocol_rows import DAY_0, draft, followed, issued, licence

pytestmark = pytest.mark.django_db


def planned_days(animal):
    rows = PlannedProcedure.objects.filter(enrolment__animal=animal).order_by("due_on")
    return [(row.step.name, row.repeat, (row.due_on - DAY_0).days) for row in rows]


def test_each_animal_gets_the_steps_of_its_arm_from_its_day_0(experiment, animals, scientist):
    followed(issued(scientist), experiment, arms=[experiment.arms.get(label="POI + MSC")])
    outcome = plan_procedures(experiment=experiment, by=scientist)
    assert (outcome.added, PlannedProcedure.objects.count()) == (9, 9)
    assert planned_days(animals[1]) == [("induction", 1, 0), ("induction", 2, 7), ("cells", 1, 14)]
    assert planned_days(animals[0]) == []
    cells = PlannedProcedure.objects.filter(step__name="cells").first()
    assert (cells.earliest_on, cells.latest_on) == (DAY_0 + timedelta(13), DAY_0 + timedelta(16))


def test_planning_again_adds_only_what_is_missing(experiment, animals, scientist):
    followed(issued(scientist), experiment)
    some = Enrolment.objects.filter(animal__in=animals[:2])
    assert plan_procedures(experiment=experiment, by=scientist, enrolments=some).added == 6
    again = plan_procedures(experiment=experiment, by=scientist)
    assert (again.added, again.unchanged) == (12, 6)
    last = plan_procedures(experiment=experiment, by=scientist)
    assert (last.added, last.unchanged, last.changes, last.surplus) == (0, 18, [], [])


def test_the_shift_of_an_arm_moves_what_counts_from_day_0(experiment, animals, scientist):
    followed(issued(scientist), experiment, shift_days=3)
    plan_procedures(experiment=experiment, by=scientist)
    assert planned_days(animals[0]) == [("induction", 1, 3), ("induction", 2, 10), ("cells", 1, 17)]


def test_who_has_no_day_0_or_arm_or_has_left_is_counted_only(experiment, animals, scientist):
    from experiments.models import Disposition

    followed(issued(scientist), experiment)
    first, second, third = (Enrolment.objects.get(animal=animal) for animal in animals[:3])
    Enrolment.objects.filter(pk=first.pk).update(day_0=None)
    Allocation.objects.filter(enrolment=second).delete()
    Disposition(experiment=experiment, enrolment=third, kind="found_dead", occurred_on=DAY_0).save()
    outcome = plan_procedures(experiment=experiment, by=scientist)
    assert (outcome.without_day_0, outcome.unallocated, outcome.ended, outcome.added) == (1, 1, 1, 9)


def test_a_changed_day_0_is_told_and_moved_with_a_reason(experiment, animals, scientist):
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    Enrolment.objects.filter(animal=animals[0]).update(day_0=DAY_0 + timedelta(1))
    told = plan_procedures(experiment=experiment, by=scientist)
    assert next((c.was_due_on, c.due_on) for c in told.changes) == (DAY_0, DAY_0 + timedelta(1))
    assert planned_days(animals[0])[0] == ("induction", 1, 0)
    with pytest.raises(ValidationError, match=r"Say why the plan changes."):
        replan_procedures(experiment=experiment, reason="", by=scientist)
    done = replan_procedures(experiment=experiment, reason="day 0 was a day later", by=scientist)
    assert len(done.changes) == 3
    assert planned_days(animals[0]) == [("induction", 1, 1), ("induction", 2, 8), ("cells", 1, 15)]
    again = replan_procedures(experiment=experiment, reason="once more", by=scientist)
    assert (again.added, again.changes, again.surplus) == (0, [], [])


def test_what_another_arm_does_not_ask_for_is_cancelled_by_replanning(experiment, animals, scientist):
    followed(issued(scientist), experiment, arms=[experiment.arms.get(label="POI + MSC")])
    plan_procedures(experiment=experiment, by=scientist)
    Allocation.objects.filter(enrolment__animal=animals[1]).update(arm=experiment.arms.get(label="POI + PBS"))
    told = plan_procedures(experiment=experiment, by=scientist)
    assert len(told.surplus) == 3
    replan_procedures(experiment=experiment, reason="another arm", by=scientist)
    rows = PlannedProcedure.objects.filter(enrolment__animal=animals[1])
    assert {(row.state, row.cancel_reason) for row in rows} == {("cancelled", "another arm")}


def test_what_follows_a_dose_counts_from_the_day_it_was_given(experiment, animals, scientist):
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    last = PlannedProcedure.objects.get(enrolment__animal=animals[0], step__name="induction", repeat=2)
    record_procedure(planned=last, performed_on=DAY_0 + timedelta(9), deviation_reason="drug came late", by=scientist)
    assert [c.due_on for c in plan_procedures(experiment=experiment, by=scientist).changes] == [DAY_0 + timedelta(16)]


OUTSIDE = "is outside the limits of one dose for a mouse:"


@pytest.mark.parametrize(
    ("induction", "told"),
    [
        ({"amount": Decimal(301)}, f"Cyclophosphamide 301 mg/kg {OUTSIDE} 1 to 300 mg/kg."),
        ({"agent": "busulfan", "amount": Decimal("0.5")}, f"Busulfan 0.5 mg/kg {OUTSIDE} 1 to 50 mg/kg."),
        ({"agent": "cisplatin", "amount": Decimal("10.1")}, f"Cisplatin 10.1 mg/kg {OUTSIDE} 0.5 to 10 mg/kg."),
        ({"agent": "doxorubicin", "amount": Decimal(16)}, f"Doxorubicin 16 mg/kg {OUTSIDE} 0.5 to 15 mg/kg."),
        (
            {"amount_unit": "g/kg", "amount": Decimal("0.5")},
            "Cyclophosphamide 0.5 g/kg: its limit for a mouse stands in mg/kg, not in g/kg.",
        ),
    ],
)
def test_a_dose_beyond_its_limit_is_not_planned(experiment, animals, scientist, induction, told):
    followed(issued(scientist, **induction), experiment)
    with pytest.raises(ValidationError) as refused:
        plan_procedures(experiment=experiment, by=scientist)
    assert refused.value.messages == [f"induction: {told}"]
    assert not PlannedProcedure.objects.exists()


def test_the_limit_itself_is_planned_and_the_laboratory_sets_its_own(experiment, animals, scientist):
    followed(issued(scientist, amount=Decimal(300)), experiment)
    assert plan_procedures(experiment=experiment, by=scientist).added == 18
    DoseLimit.objects.filter(agent="cyclophosphamide").update(highest=100)
    PlannedProcedure.objects.all().delete()
    with pytest.raises(ValidationError, match="1 to 100 mg/kg"):
        plan_procedures(experiment=experiment, by=scientist)


def test_nothing_is_planned_after_the_licence_has_expired(experiment, animals, scientist):
    licence(experiment, expires_on=DAY_0 + timedelta(10))
    followed(issued(scientist), experiment)
    with pytest.raises(ValidationError) as refused:
        plan_procedures(experiment=experiment, by=scientist)
    assert refused.value.messages[0].startswith(
        "The licence L-1 expired on 2026-03-12; planned after or before it: cells of M001"
    )


def test_more_animals_than_the_licence_allows_are_not_planned(experiment, animals, scientist):
    from experiments.models import Experiment

    permit = licence(experiment, animals_allowed=8)
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    other = Experiment(code="POI-2", title="another", masking="open_label", licence=permit)
    other.save()
    from experiments.models import Arm, Membership

    Membership(experiment=other, user=scientist, role="director").save()
    arm = Arm(experiment=other, label="POI")
    arm.save()
    for number in range(3):
        animal = Animal(lab_id=f"N{number}", strain=animals[0].strain)
        animal.save()
        enrolment = Enrolment(experiment=other, animal=animal, day_0=DAY_0)
        enrolment.save()
        Allocation(experiment=other, enrolment=enrolment, arm=arm).save()
    followed(issued(scientist, name="another protocol"), other)
    with pytest.raises(ValidationError) as refused:
        plan_procedures(experiment=other, by=scientist)
    assert refused.value.messages == [
        "The licence L-1 allows 8 animals; 6 count already and 3 more were to be planned."
    ]
    two = Enrolment.objects.filter(experiment=other)[:2]
    assert plan_procedures(experiment=other, by=scientist, enrolments=two).added == 6


def test_a_laboratory_that_asks_for_a_licence_plans_nothing_without_one(experiment, animals, scientist, settings):
    settings.LABDB_LICENCE_POLICY = "required"
    followed(issued(scientist), experiment)
    with pytest.raises(ValidationError, match=r"POI-1 names no licence, and procedures are planned under one."):
        plan_procedures(experiment=experiment, by=scientist)


def test_a_draft_is_not_planned(experiment, animals, scientist):
    followed(draft(), experiment)
    with pytest.raises(ValidationError, match=r"CTX, then cells v1 is not issued; its steps may still change."):
        plan_procedures(experiment=experiment, by=scientist)


def test_a_planned_procedure_is_cancelled_once_and_with_a_reason(experiment, animals, scientist):
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    row = PlannedProcedure.objects.first()
    with pytest.raises(ValidationError, match=r"Say why it is cancelled."):
        cancel_planned(planned=row, reason="", by=scientist)
    assert cancel_planned(planned=row, reason="no drug left", by=scientist).state == "cancelled"
    with pytest.raises(ValidationError, match=r"It is cancelled already."):
        cancel_planned(planned=row, reason="again", by=scientist)
    assert plan_procedures(experiment=experiment, by=scientist).added == 0


def test_who_is_to_do_it_records_procedures(experiment, animals, scientist, member):
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    row, technician = PlannedProcedure.objects.first(), member("technician", experiment)
    assert assign_planned(planned=row, person=technician, by=scientist).assigned_to == technician
    analyst = member("analyst", experiment, "ann")
    with pytest.raises(ValidationError, match=r"ann does not record procedures of POI-1."):
        assign_planned(planned=row, person=analyst, by=scientist)
    with pytest.raises(PermissionDenied):
        plan_procedures(experiment=experiment, by=technician)
