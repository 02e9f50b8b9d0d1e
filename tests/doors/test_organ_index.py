"""Ovarian and uterus index are published where organ and body were weighed on one day."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from experiments.actions.observations import NewObservation, correct_observation, record_observations
from experiments.models import Endpoint, Observation
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 9, 9, tzinfo=UTC)


def weigh(world: World, number: int, by, **told) -> None:
    """Weights by endpoint; ``ovary_weight_L`` is that of the left one."""
    new = []
    for name, value in told.items():
        key, _, side = name.partition("_weight_")
        endpoint = Endpoint.objects.get(key=f"{key}_weight" if side else name)
        new.append(
            NewObservation(
                endpoint=endpoint.pk, animal=world.animals[number].pk, observed_at=AT, timepoint=world.timepoint.pk,
                number=Decimal(value), side=side or None,
            )
        )  # fmt: skip
    record_observations(experiment=world.experiment, observations=new, by=by)


def publish(api, world: World):
    return api.post(f"/api/v1/experiments/{world.experiment.pk}/organ-indices")


def test_an_index_needs_both_ovaries_and_the_body(api, scientist, world: World):
    weigh(world, 0, scientist, ovary_weight_L="3.1", ovary_weight_R="2.9", uterus_weight="50", body_weight="20")
    weigh(world, 1, scientist, ovary_weight_L="3.1", body_weight="20")
    weigh(world, 2, scientist, ovary_weight_L="3.1", ovary_weight_R="3.1")
    answer = publish(api, world)
    assert (answer.status_code, answer.json()) == (200, {"recorded": 2, "superseded": 0})
    rows = Observation.objects.filter(endpoint__key__endswith="_index").select_related("endpoint")
    assert {(row.endpoint.key, row.value, row.animal, row.timepoint) for row in rows} == {
        ("ovarian_index", Decimal("0.3"), world.animals[0], world.timepoint),
        ("uterus_index", Decimal("2.5"), world.animals[0], world.timepoint),
    }
    assert publish(api, world).json() == {"recorded": 0, "superseded": 0}


def test_a_corrected_weight_supersedes_the_index(api, scientist, world: World):
    weigh(world, 0, scientist, ovary_weight_L="3.1", ovary_weight_R="2.9", body_weight="20")
    publish(api, world)
    left = Observation.objects.get(endpoint__key="ovary_weight", side="L")
    correct_observation(observation=left, reason="balance was not tared", by=scientist, number=Decimal("5.1"))
    assert publish(api, world).json() == {"recorded": 0, "superseded": 1}
    index = Observation.objects.get(endpoint__key="ovarian_index", is_current=True)
    assert (index.value, index.supersedes.value) == (Decimal("0.4"), Decimal("0.3"))


def test_one_entered_by_hand_stays(api, scientist, world: World):
    weigh(world, 0, scientist, ovary_weight_L="3.1", ovary_weight_R="2.9", body_weight="20", ovarian_index="0.31")
    assert publish(api, world).json() == {"recorded": 0, "superseded": 0}
    assert Observation.objects.get(endpoint__key="ovarian_index").value == Decimal("0.31")


def test_an_auditor_publishes_none(member, scientist, world: World):
    weigh(world, 0, scientist, ovary_weight_L="3.1", ovary_weight_R="2.9", body_weight="20")
    assert publish(rest_client(member("auditor", world.experiment)), world).status_code == 403
