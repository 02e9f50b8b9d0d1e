"""Cohorts by verb: who is drawn for which arm, who is left out, and in whom POI is confirmed."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction

from experiments import cohorts, flow, outcomes
from experiments.actions.exclusions import exclude, revoke_exclusion
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.plans import lock_plan, new_plan_version
from experiments.actions.poi import confirm_poi, lock_poi_criteria, new_poi_criteria_version
from experiments.actions.randomisation import randomise
from experiments.models import (
    Allocation,
    AnalysisPlan,
    Animal,
    Arm,
    DataChange,
    EligibilityCriterion,
    Endpoint,
    Enrolment,
    Exclusion,
    Litter,
    PlannedComparison,
    PlannedEndpoint,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
    Strain,
)
from labdb.base.trail.models import TrailEntry
from tests.conftest import set_masking

pytestmark = pytest.mark.django_db
DAY_0 = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def weigh(experiment, animals, by, grams=(), key="body_weight", day=0):
    rows = [
        NewObservation(
            endpoint=Endpoint.objects.get(key=key).pk,
            animal=animal.pk,
            observed_at=DAY_0 + timedelta(days=day),
            timepoint=experiment.timepoints.get(study_day=day).pk,
            number=Decimal(number),
        )
        for animal, number in zip(animals, grams, strict=True)
    ]
    record_observations(experiment=experiment, observations=rows, by=by)


@pytest.fixture
def waiting(experiment, scientist):
    """Twelve enrolled and weighed animals of four litters, in no arm yet."""
    strain = Strain(name="C57BL/6J", species="mouse")
    strain.save()
    litters = [Litter(experiment=experiment, code=f"L{number}") for number in range(4)]
    made = []
    for litter in litters:
        litter.save()
    for number in range(12):
        animal = Animal(
            lab_id=f"W{number:02}", strain=strain, sex="F", litter=litters[number % 4], born_on="2026-01-05"
        )
        animal.save()
        Enrolment(experiment=experiment, animal=animal, day_0=DAY_0.date()).save()
        made.append(animal)
    weigh(experiment, made, scientist, [f"{18 + number / 4}" for number in range(12)])
    return made


def draw(experiment, by, **asked):
    return randomise(
        experiment=experiment, by=by, **{"method": "stratified", "strata": ["weight"], "weight_classes": 3, **asked}
    )


def test_a_draw_allocates_every_waiting_animal_and_is_made_again_from_its_seed(experiment, waiting, scientist):
    made = draw(experiment, scientist)
    rows = Allocation.objects.filter(randomisation=made)
    assert rows.count() == 12
    assert {row.method for row in rows} == {"randomised"}
    assert sorted({row.stratum for row in rows}) == [f"weight class {n}" for n in (1, 2, 3)]
    for stratum in (1, 2, 3):
        assert [rows.filter(stratum=f"weight class {stratum}", arm=arm).count() for arm in experiment.arms.all()] == [
            2,
            2,
        ]
    assert re.fullmatch("[0-9a-f]{32}", made.seed)
    assert [arm["n"] for arm in made.balance["arms"]] == [6, 6]
    assert cohorts.reproduce(Randomisation.objects.get(pk=made.pk))


def test_a_draw_that_was_changed_by_hand_is_not_reproduced(experiment, waiting, scientist):
    made = draw(experiment, scientist)
    row = Allocation.objects.filter(randomisation=made).first()
    other = experiment.arms.exclude(pk=row.arm_id).get()
    Allocation.objects.filter(pk=row.pk).update(arm=other)
    assert not cohorts.reproduce(made)
    Allocation.objects.filter(pk=row.pk).update(arm=row.arm_id)
    assert cohorts.reproduce(made)
    assert not cohorts.reproduce(
        Randomisation(pk=made.pk, seed="0" * 32, seed_sha256=made.seed_sha256, inputs=made.inputs)
    )


def test_animals_without_a_weight_are_named_and_nobody_is_drawn(experiment, waiting, scientist):
    late = Animal(lab_id="LATE", strain=waiting[0].strain, sex="F")
    late.save()
    Enrolment(experiment=experiment, animal=late).save()
    with pytest.raises(ValidationError, match="missing for animal LATE"):
        draw(experiment, scientist)
    assert not Allocation.objects.exists()
    assert not Randomisation.objects.exists()
    assert draw(experiment, scientist, method="block", strata=[]).allocations.count() == 13


def test_a_second_draw_and_named_animals_in_an_arm_are_refused(experiment, waiting, scientist):
    draw(experiment, scientist)
    with pytest.raises(ValidationError, match="No animal is left to be drawn for: 12 of 12"):
        draw(experiment, scientist)
    with pytest.raises(ValidationError, match=r"In an arm already.*W00"):
        draw(experiment, scientist, animals=[waiting[0].enrolments.get()])


def test_excluded_animals_are_not_drawn_for(experiment, waiting, scientist):
    out = exclude(
        enrolment=waiting[3].enrolments.get(), stage="before_allocation", reason="no cycles", is_prespecified=True,
        by=scientist,
    )  # fmt: skip
    assert out.is_decided_blinded  # there was no arm to know of
    assert draw(experiment, scientist, method="simple", strata=[]).allocations.count() == 11
    assert not Allocation.objects.filter(enrolment=out.enrolment).exists()
    assert flow.flow(experiment, with_arms=False)["total"]["n_not_eligible"] == 1


@pytest.mark.parametrize("role", ["technician", "assessor", "analyst", "auditor"])
def test_who_does_not_design_draws_nothing(role, experiment, waiting, member):
    with pytest.raises(PermissionDenied):
        draw(experiment, member(role, experiment))
    assert not Randomisation.objects.exists()


def test_the_seed_does_not_stand_in_the_trail(experiment, waiting, scientist):
    made = draw(experiment, scientist)
    entries = TrailEntry.objects.filter(row_id=str(made.pk))
    assert entries.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM labdb_trailentry t WHERE t::text LIKE %s", [f"%{made.seed}%"])
        assert cursor.fetchone() == (0,)


def test_unknown_methods_strata_and_foreign_arms_are_refused(experiment, waiting, scientist, member):
    with pytest.raises(ValidationError, match="dice"):
        draw(experiment, scientist, method="dice")
    with pytest.raises(ValidationError, match="moon"):
        draw(experiment, scientist, strata=["moon"])
    other = type(experiment)(code="POI-9", title="other", masking="open_label")
    other.save()
    arm = Arm(experiment=other, label="elsewhere")
    arm.save()
    with pytest.raises(ValidationError, match="Of another experiment: elsewhere"):
        draw(experiment, scientist, ratios={arm: 1})


# -- exclusions


def n_values(experiment, key="body_weight"):
    _, inputs = outcomes.read_inputs(experiment)
    return sum(len(g.units()) for each in inputs if each.endpoint.key == key for g in each.groups)


def leave_out(animal, by, **more):
    asked = {"stage": "during_follow_up", "reason": "bitten", "is_prespecified": False, **more}
    return exclude(enrolment=animal.enrolments.get(), by=by, **asked)


def test_an_excluded_animal_is_counted_apart_and_makes_summaries_stale(experiment, animals, scientist):
    weigh(experiment, animals, scientist, ["20", "21", "22", "23", "24", "25"])
    weigh(experiment, animals, scientist, ["4", "5", "6", "7", "8", "9"], key="e2")
    e2 = Endpoint.objects.get(key="e2")
    DataChange.objects.all().delete()
    out = leave_out(animals[0], scientist)
    assert DataChange.objects.filter(experiment=experiment, endpoint=None).exists()
    DataChange.objects.all().delete()
    leave_out(animals[1], scientist, endpoint=e2, stage="analysis")
    assert DataChange.objects.get().endpoint_id == e2.pk
    assert (n_values(experiment), n_values(experiment, "e2")) == (5, 4)
    counted = flow.excluded_by_endpoint(experiment.pk)
    assert flow.n_excluded(counted, e2.pk) == 2
    assert flow.n_excluded(counted, Endpoint.objects.get(key="body_weight").pk) == 1
    DataChange.objects.all().delete()
    revoked = revoke_exclusion(exclusion=out, reason="another animal was meant", by=scientist)
    assert (revoked.revoked_by, DataChange.objects.exists()) == (scientist, True)
    assert (n_values(experiment), n_values(experiment, "e2")) == (6, 5)
    with pytest.raises(ValidationError, match="revoked before"):
        revoke_exclusion(exclusion=out, reason="again", by=scientist)


def test_an_exclusion_stands_once_with_a_reason_at_a_stage_that_fits(experiment, animals, scientist, member):
    with pytest.raises(ValidationError, match="cannot be blank"):
        leave_out(animals[0], scientist, reason=" ")
    with pytest.raises(ValidationError, match="in an arm already"):
        leave_out(animals[0], scientist, stage="before_allocation")
    assert not leave_out(animals[0], scientist).is_decided_blinded
    with pytest.raises(ValidationError, match="already excluded"):
        leave_out(animals[0], scientist)
    with pytest.raises(PermissionDenied):
        leave_out(animals[1], member("technician", experiment))


def test_the_masked_see_no_exclusion_of_a_blinded_experiment(experiment, animals, scientist, member):
    made = leave_out(animals[0], scientist, stage="induction_failure")
    set_masking(experiment, "blinded")
    assert not Exclusion.objects.visible_to(member("assessor", experiment)).exists()
    assert Exclusion.objects.visible_to(scientist).get() == made


def test_the_flow_counts_every_animal(experiment, animals, scientist):
    weigh(experiment, animals, scientist, ["20", "21", "22", "23", "24", "25"])
    leave_out(animals[0], scientist, stage="induction_failure")
    leave_out(animals[1], scientist)
    told = flow.flow(experiment, with_arms=True)
    assert told["total"] == {
        "n_enrolled": 6, "n_not_eligible": 0, "n_allocated": 6, "n_induction_failed": 1, "n_excluded": 1, "n_died": 0,
        "n_humane_endpoint": 0, "n_analysed": 4,
    }  # fmt: skip
    assert [(arm["label"], arm["n_induction_failed"], arm["n_analysed"]) for arm in told["arms"]] == [
        ("POI + PBS", 1, 2),
        ("POI + MSC", 0, 2),
    ]
    assert flow.flow(experiment, with_arms=False)["arms"] == []


# -- eligibility


def test_eligibility_tells_each_criterion_with_its_sentence(experiment, waiting, scientist):
    EligibilityCriterion(experiment=experiment, kind="age_days", lowest=42).save()
    EligibilityCriterion(experiment=experiment, kind="weight_g", lowest=18, highest=20).save()
    EligibilityCriterion(experiment=experiment, kind="regular_cycles", lowest=2).save()
    EligibilityCriterion(experiment=experiment, kind="sex", text="F").save()
    found = cohorts.eligibility_of(experiment)
    first, last = found[0], found[-1]
    assert (first.animal, first.is_eligible, last.is_eligible) == ("W00", None, False)
    assert [(a.state, a.sentence) for a in first.assessments] == [
        ("met", "56 d old at induction; 42 or more d are wanted."),
        ("not_assessable", "No estrous stage was read."),
        ("met", "The sex is female; female is wanted."),
        ("met", "18 g; 18 to 20 g are wanted."),
    ]


# -- POI


@pytest.fixture
def criteria(experiment):
    made = PoiCriteria(experiment=experiment, required=1)
    made.save()
    day_7 = experiment.timepoints.get(study_day=7)
    fsh = Endpoint.objects.get(key="fsh")
    PoiCriterion(criteria=made, rule="above_control_sd", endpoint=fsh, timepoint=day_7, threshold=2).save()
    return made


def measure_fsh(experiment, animals, scientist):
    Arm.objects.filter(label="POI + PBS").update(kind="normal_control")
    weigh(experiment, animals, scientist, ["5", "40", "6", "5", "7", "6.5"], key="fsh", day=7)


def test_poi_is_confirmed_by_locked_criteria_only(experiment, animals, scientist, criteria):
    measure_fsh(experiment, animals, scientist)
    with pytest.raises(ValidationError, match="no locked criteria"):
        confirm_poi(experiment=experiment, by=scientist)
    lock_poi_criteria(criteria=criteria, by=scientist)
    made = confirm_poi(experiment=experiment, by=scientist)
    assert [(str(row.enrolment.animal), row.verdict) for row in made] == [
        ("M002", "confirmed"),
        ("M004", "not_confirmed"),
        ("M006", "not_confirmed"),
    ]
    told = made[0].findings["criteria"][0]
    assert told["state"] == "met"
    assert "40 is above 8.000 (n = 3, mean 6.000, SD 1.000)" in told["sentence"]


def test_locked_criteria_stay_and_another_version_copies_them(experiment, scientist, criteria):
    with pytest.raises(ValidationError, match="not locked"):
        new_poi_criteria_version(criteria=criteria, by=scientist)
    lock_poi_criteria(criteria=criteria, by=scientist)
    with pytest.raises(ValidationError, match="locked"):
        PoiCriterion.objects.get().save()
    for change in (
        lambda: PoiCriteria.objects.filter(pk=criteria.pk).update(required=2),
        lambda: criteria.criteria.update(threshold=1),
        lambda: criteria.criteria.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
            change()
    later = new_poi_criteria_version(criteria=criteria, by=scientist)
    assert (later.version, later.locked_at, later.criteria.count()) == (2, None, 1)


def test_criteria_that_cannot_be_met_are_not_locked(experiment, scientist, criteria):
    PoiCriteria.objects.filter(pk=criteria.pk).update(required=3)
    with pytest.raises(ValidationError, match="3 criteria must be met, but there are 1"):
        lock_poi_criteria(criteria=criteria, by=scientist)


# -- the plan


@pytest.fixture
def plan(experiment):
    made = AnalysisPlan(
        experiment=experiment, primary_endpoint=Endpoint.objects.get(key="e2"), scale="log", method="welch",
        multiplicity="holm", exclusion_rules="induction failures",
    )  # fmt: skip
    made.save()
    return made


def complete(plan):
    msc, pbs = plan.experiment.arms.get(label="POI + MSC"), plan.experiment.arms.get(label="POI + PBS")
    PlannedComparison(plan=plan, arm=msc, reference=pbs).save()
    PlannedEndpoint(experiment=plan.experiment, endpoint=plan.primary_endpoint).save()


def test_a_plan_is_locked_when_it_compares_and_its_primary_endpoint_is_planned(plan, scientist, member):
    with pytest.raises(ValidationError, match="compares nothing"):
        lock_plan(plan=plan, by=scientist)
    complete(plan)
    PlannedEndpoint.objects.all().delete()
    with pytest.raises(ValidationError, match="does not plan to measure Estradiol"):
        lock_plan(plan=plan, by=scientist)
    PlannedEndpoint(experiment=plan.experiment, endpoint=plan.primary_endpoint).save()
    with pytest.raises(PermissionDenied):
        lock_plan(plan=plan, by=member("technician", plan.experiment))
    assert lock_plan(plan=plan, by=scientist).locked_by == scientist
    with pytest.raises(ValidationError, match="locked already"):
        lock_plan(plan=plan, by=scientist)


def test_the_database_keeps_a_locked_plan_and_its_comparisons(plan, scientist):
    complete(plan)
    lock_plan(plan=plan, by=scientist)
    row = plan.comparisons.get()
    for change in (
        lambda: AnalysisPlan.objects.filter(pk=plan.pk).update(alpha="0.1"),
        lambda: AnalysisPlan.objects.filter(pk=plan.pk).update(locked_at=None),
        lambda: plan.comparisons.update(is_primary=False),
        lambda: plan.comparisons.all().delete(),
        lambda: PlannedComparison.objects.bulk_create(
            [PlannedComparison(plan=plan, arm=row.reference, reference=row.arm)]
        ),
    ):
        with pytest.raises(IntegrityError, match="This plan is locked; make a new version"), transaction.atomic():
            change()


def test_another_version_copies_the_plan_and_says_what_changes(plan, scientist):
    complete(plan)
    with pytest.raises(ValidationError, match="not locked"):
        new_plan_version(plan=plan, change_note="a rank test", by=scientist)
    lock_plan(plan=plan, by=scientist)
    with pytest.raises(ValidationError, match="what is different"):
        new_plan_version(plan=plan, change_note=" ", by=scientist)
    later = new_plan_version(plan=plan, change_note="a rank test", by=scientist)
    assert (later.version, later.locked_at, later.comparisons.count(), later.method) == (2, None, 1, "welch")
