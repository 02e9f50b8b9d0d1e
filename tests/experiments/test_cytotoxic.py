"""Cages are marked for the days after chemotherapy, for who may know of it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from experiments.actions.cytotoxic import with_cytotoxic_until
from experiments.actions.procedures import record_procedure
from experiments.models import Animal, Cage, Enrolment, Housing
from tests.conftest import set_masking

pytestmark = pytest.mark.django_db


@pytest.fixture
def cages(experiment, animals):
    """A and B; the first animal moves from A to B tomorrow, the second stays in B."""
    today = timezone.localdate()
    made = [Cage(experiment=experiment, label=label) for label in "AB"]
    for cage in made:
        cage.save()
    Animal.objects.update(born_on=today - timedelta(90))
    Housing(animal=animals[0], cage=made[0], started_on=today - timedelta(9), ended_on=today - timedelta(1)).save()
    Housing(animal=animals[0], cage=made[1], started_on=today - timedelta(1)).save()
    return made


def give(animal, days_ago, by, **fields):
    enrolment = Enrolment.objects.get(animal=animal)
    details = {"agent": "cyclophosphamide", "amount": Decimal(120), "route": "intraperitoneal", **fields}
    on = timezone.localdate() - timedelta(days_ago)
    return record_procedure(enrolment=enrolment, kind="induction", name="x", performed_on=on, induction=details, by=by)


def until(user):
    return [row.cytotoxic_until for row in with_cytotoxic_until(Cage.objects.order_by("label"), user)]


def test_a_cage_is_marked_for_three_days_and_so_is_the_one_it_moves_to(experiment, animals, cages, scientist):
    today = timezone.localdate()
    assert until(scientist) == [None, None]
    give(animals[0], 2, scientist)
    assert until(scientist) == [today + timedelta(1), today + timedelta(1)]
    give(animals[0], 0, scientist)  # in B by now
    assert until(scientist) == [today + timedelta(1), today + timedelta(3)]


def test_older_doses_and_other_drugs_mark_nothing(experiment, animals, cages, scientist):
    give(animals[0], 4, scientist)
    give(animals[0], 0, scientist, agent="d_galactose", induction_model="d_galactose")
    assert until(scientist) == [None, None]


def test_the_laboratory_says_for_how_long(experiment, animals, cages, scientist, settings):
    settings.LABDB_CYTOTOXIC_DAYS = 7
    give(animals[0], 4, scientist)
    assert until(scientist)[0] == timezone.localdate() + timedelta(3)


def test_masked_persons_see_no_mark(experiment, animals, cages, scientist, member):
    give(animals[0], 0, scientist)
    set_masking(experiment, "blinded")
    assessor = member("assessor", experiment)
    assert until(assessor) == [None, None]
    assert until(scientist)[1] is not None
