"""Two people at once: a licence is not filled twice, a plan is made once, no step is written under a version that is issued."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from experiments.actions.planning import plan_procedures
from experiments.actions.procedures import record_procedure
from experiments.actions.protocols import issue_version
from experiments.models import (
    Allocation,
    Animal,
    Arm,
    Enrolment,
    Experiment,
    Membership,
    PlannedProcedure,
    Procedure,
    ProtocolStep,
)
from tests.assays.test_races import at_once
from tests.experiments.protocol_rows import DAY_0, draft, followed, issued, licence


def test_a_licence_is_not_filled_twice(committed_db, experiment, animals, scientist):
    permit = licence(experiment, animals_allowed=6)
    version = followed(issued(scientist), experiment)
    other = Experiment(code="POI-2", title="another", masking="open_label", licence=permit)
    other.save()
    Membership(experiment=other, user=scientist, role="director").save()
    arm = Arm(experiment=other, label="POI")
    arm.save()
    for number in range(6):
        animal = Animal(lab_id=f"N{number}", strain=animals[0].strain)
        animal.save()
        enrolment = Enrolment(experiment=other, animal=animal, day_0=DAY_0)
        enrolment.save()
        Allocation(experiment=other, enrolment=enrolment, arm=arm).save()
    followed(version, other)
    for _ in range(5):
        outcomes = at_once(
            lambda: plan_procedures(experiment=experiment, by=scientist),
            lambda: plan_procedures(experiment=other, by=scientist),
        )
        assert sum(isinstance(each, ValidationError) for each in outcomes) == 1
        assert PlannedProcedure.objects.count() == 18
        PlannedProcedure.objects.all().delete()


def test_the_same_plan_made_at_once_is_made_once(committed_db, experiment, animals, scientist):
    followed(issued(scientist), experiment)
    outcomes = at_once(*[lambda: plan_procedures(experiment=experiment, by=scientist)] * 4)
    assert sorted(each.added for each in outcomes) == [0, 0, 0, 18]


def test_a_planned_procedure_is_recorded_once(committed_db, experiment, animals, scientist):
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    row = PlannedProcedure.objects.filter(step__name="induction").first()
    outcomes = at_once(*[lambda: record_procedure(planned=row, performed_on=row.due_on, by=scientist)] * 4)
    assert sum(isinstance(each, Procedure) for each in outcomes) == 1
    assert Procedure.objects.count() == 1


def test_no_step_slips_in_while_its_version_is_issued(committed_db, experiment, scientist):
    for attempt in range(5):
        version = draft(name=f"protocol {attempt}")

        def add(version=version):
            try:
                with transaction.atomic():
                    ProtocolStep.objects.bulk_create([ProtocolStep(version=version, name="late", kind="other")])
            except IntegrityError as error:
                return error
            return "added"

        outcomes = at_once(add, lambda version=version: issue_version(version=version, by=scientist))
        version.refresh_from_db()
        is_added = version.steps.filter(name="late").exists()
        assert is_added == ("added" in outcomes)
        if is_added:  # then it was written before the version was issued, by the clock of the database
            assert not any(isinstance(each, IntegrityError) for each in outcomes)
        assert version.issued_at
