"""Entries of the trail are seen by whoever sees their rows, now or, where they are gone, in their experiment."""

import pytest
from django.db import transaction

from experiments.models import Allocation, Animal, Arm, Enrolment, Experiment, Membership, Strain, Timepoint
from labdb.base.models import User
from labdb.base.trail.models import TrailEntry
from tests.contracts.rows import make_rows
from tests.contracts.trail_paths import declared_tables

pytestmark = pytest.mark.django_db


def user(name, **fields):
    return User.objects.create_user(name, is_staff=True, **fields)


def seen(person, model, entries=TrailEntry.objects):
    rows = entries.filter(table_name=model._meta.db_table).visible_to(person)
    return set(rows.values_list("row_id", flat=True))


def keys(rows):
    return {str(row.pk) for row in rows}


@pytest.fixture
def blinded(experiment):
    """Another experiment, blinded, with an animal in an arm and a timepoint that is gone."""
    made = Experiment(code="B", title="Blinded", masking="blinded")
    made.save()
    arm = Arm(experiment=made, label="A", kind="vehicle", position=1)
    arm.save()
    animal = Animal(lab_id="B1", strain=Strain.objects.first())
    animal.save()
    enrolment = Enrolment(experiment=made, animal=animal)
    enrolment.save()
    Allocation(experiment=made, enrolment=enrolment, arm=arm).save()
    point = Timepoint(experiment=made, label="gone", study_day=99)
    point.save()
    Timepoint.objects.filter(pk=point.pk).delete()
    return made


def test_members_see_their_experiment_masked_where_they_are(experiment, animals, blinded, scientist):
    director, assessor, outsider, administrator = user("d"), user("a"), user("o"), user("s", is_superuser=True)
    for person, role in ((director, "director"), (assessor, "assessor")):
        Membership(experiment=blinded, user=person, role=role).save()
    both, mine, theirs = keys(Experiment.objects.all()), {str(experiment.pk)}, {str(blinded.pk)}
    assert seen(scientist, Experiment) == mine
    assert seen(director, Experiment) == seen(assessor, Experiment) == theirs
    assert seen(outsider, Experiment) == set()
    assert seen(administrator, Experiment) == both
    hidden = keys(Allocation.objects.filter(experiment=blinded))
    assert seen(director, Allocation) == hidden
    assert seen(assessor, Allocation) == seen(outsider, Allocation) == set()
    assert hidden.isdisjoint(seen(administrator, Allocation))
    assert "B1" not in str(list(TrailEntry.objects.visible_to(scientist).values_list("new", flat=True)))


def test_rows_that_reach_their_experiment_over_others(experiment, animals, blinded, scientist):
    assert seen(scientist, Animal) == keys(animals)
    assert seen(scientist, Strain) == keys(Strain.objects.all())


def test_deleted_rows_are_seen_in_their_experiment(experiment, animals, blinded, scientist):
    director = user("d")
    Membership(experiment=blinded, user=director, role="director").save()
    gone = TrailEntry.objects.filter(statement__action="D", table_name="experiments_timepoint")
    assert [entry.old["label"] for entry in gone.visible_to(director)] == ["gone"]
    assert not gone.visible_to(scientist).exists()


def test_a_membership_that_has_ended_shows_nothing(experiment, animals, scientist):
    from django.utils import timezone

    Membership.objects.filter(user=scientist).update(ended_at=timezone.now())
    assert seen(scientist, Experiment) == set()
    assert not TrailEntry.objects.visible_to(user("inactive", is_active=False)).exists()


def test_the_trail_of_an_experiment_has_all_of_it_and_nothing_of_another(experiment, animals, blinded):
    entries = TrailEntry.objects.of_experiment(experiment)
    found = {(entry.table_name, entry.row_id) for entry in entries}
    tables = {table for table, _ in found}
    assert {f"experiments_{name}" for name in ("experiment", "arm", "animal", "enrolment", "allocation")} <= tables
    assert {pk for table, pk in found if table == "experiments_animal"} == keys(animals)
    assert {pk for table, pk in found if table == "experiments_experiment"} == {str(experiment.pk)}


def test_every_table_of_an_experiment_names_it(experiment, animals):
    """Written with the entry, so that a page of an experiment is one index away; not where rows may be of several."""
    from django.apps import apps

    several = {"experiments_animal", "experiments_housing"}
    for model in apps.get_models():
        path = getattr(model, "experiment_path", None)
        paths = (path,) if isinstance(path, str) else path or ()
        reaches = any(p and not p.startswith("@") and not p.endswith("__isnull") for p in paths)
        optional = any(p.startswith("@") or p.endswith("__isnull") for p in paths)
        if reaches and not optional and model._meta.db_table not in several | {"experiments_experiment"}:
            with transaction.atomic():  # rows of one model would be others' related rows, of another experiment
                row = make_rows(model, 1, {})[0]
                entry = TrailEntry.objects.of_row(model, row.pk).last()
                transaction.set_rollback(True)
            assert entry.experiment_id is not None, model
    assert len(declared_tables()) > 50
