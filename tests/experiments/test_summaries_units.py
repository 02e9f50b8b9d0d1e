"""What a summary takes for one experimental unit, and that its digest tells the values and nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from experiments import outcomes
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Animal, Endpoint, Litter, Observation, Specimen

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def record(experiment, scientist, values):
    """``values``: (animal, number, qualifier, specimen or None), body weights of day 7."""
    timepoint = experiment.timepoints.get(study_day=7).pk
    weight = Endpoint.objects.get(key="body_weight").pk
    rows = [
        NewObservation(
            endpoint=weight,
            animal=animal.pk,
            observed_at=AT,
            timepoint=timepoint,
            number=Decimal(number),
            qualifier=qualifier,
            specimen=specimen,
        )
        for animal, number, qualifier, specimen in values
    ]
    record_observations(experiment=experiment, observations=rows, by=scientist)


def specimens(experiment, animal, number):
    made = [
        Specimen(experiment=experiment, animal=animal, code=f"{animal.lab_id}-{n}", collected_at=AT - timedelta(days=1))
        for n in range(number)
    ]
    for specimen in made:
        specimen.save()
    return [specimen.pk for specimen in made]


def digest(experiment):
    _, [inputs] = outcomes.read_inputs(experiment)
    return inputs.sha256


def test_the_mean_of_specimens_is_exact(experiment, animals, scientist):
    start = Decimal("1e30")
    numbers = [start + Decimal("0.1"), start + Decimal("0.2"), start + Decimal("0.6")]
    drawn = specimens(experiment, animals[0], 3)
    values = [(animals[0], number, "=", specimen) for number, specimen in zip(numbers, drawn, strict=True)]
    record(experiment, scientist, values)
    [point] = outcomes.points(experiment)
    assert point.number == start + Decimal("0.3")
    assert (point.unit, point.qualifier) == (animals[0].pk, "=")


def test_litter_mates_are_one_unit_and_an_animal_of_no_known_litter_is_its_own(experiment, animals, scientist):
    litter = Litter(experiment=experiment, code="L1")
    litter.save()
    Animal.objects.filter(pk__in=[animals[0].pk, animals[2].pk]).update(litter=litter)
    experiment.experimental_unit = "litter"
    experiment.save()
    values = [(animal, number, "=", None) for animal, number in zip(animals[0:5:2], ["20", "23", "25"], strict=True)]
    record(experiment, scientist, values)
    found = {point.unit: point.number for point in outcomes.points(experiment)}
    assert found == {litter.pk: Decimal("21.5"), animals[4].pk: Decimal(25)}


def test_points_stand_in_the_order_of_arm_and_unit(experiment, animals, scientist):
    record(experiment, scientist, [(animal, "20.5", "=", None) for animal in animals])
    points = outcomes.points(experiment)
    places = [(str(point.arm), str(point.unit)) for point in points]
    assert places == sorted(places)
    assert {point.unit for point in points} == {animal.pk for animal in animals}


def test_a_unit_with_bounds_of_both_sides_is_shown_as_unknown(experiment, animals, scientist):
    low, high = specimens(experiment, animals[0], 2)
    record(experiment, scientist, [(animals[0], "10", "<", low), (animals[0], "50", ">", high)])
    [point] = outcomes.points(experiment)
    assert point.qualifier == outcomes.UNKNOWN


def test_the_digest_does_not_depend_on_the_order_in_which_rows_lie(experiment, animals, scientist):
    drawn = specimens(experiment, animals[0], 2)
    values = [(animal, f"2{n}.5", "=", None) for n, animal in enumerate(animals[1:])]
    values += [(animals[0], "20.5", "=", drawn[0]), (animals[0], "20.25", "=", drawn[1])]
    record(experiment, scientist, values)
    before, sample = digest(experiment), outcomes.points(experiment)
    for row in Observation.objects.order_by("-value"):  # a row that is rewritten moves to the table's end
        Observation.objects.filter(pk=row.pk).update(source_place="Sheet1!A1")
    assert digest(experiment) == before
    assert outcomes.points(experiment) == sample


@pytest.mark.parametrize("change", [{"value": "20.4"}, {"value": None, "limit": "20.5", "qualifier": "<"}])
def test_the_digest_tells_every_value_and_qualifier(experiment, animals, scientist, change):
    record(experiment, scientist, [(animal, "20.5", "=", None) for animal in animals])
    before = digest(experiment)
    Observation.objects.filter(animal=animals[3]).update(**change)
    assert digest(experiment) != before


def test_the_digest_tells_which_animal_has_which_value(experiment, animals, scientist):
    record(experiment, scientist, [(animals[0], "20.5", "=", None), (animals[2], "21.5", "=", None)])
    before = digest(experiment)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE experiments_observation SET value = 42 - value")
    assert digest(experiment) != before
