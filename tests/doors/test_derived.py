"""Doublings of a batch and figures of an animal's cycle: over REST and on the pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Endpoint, Passage
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client
from tests.experiments.stock_world import make_stock

pytestmark = pytest.mark.django_db
START = datetime(2026, 2, 1, 9, tzinfo=UTC)


@pytest.fixture
def batch(scientist, world):
    stock = make_stock(scientist)
    Passage.objects.filter(pk=stock.passage.pk).update(seeded_cells=100, harvested_cells=400)
    before = stock.passage
    for number in range(1, 10):
        at = START + timedelta(days=10 * number)
        row = Passage(
            batch=stock.batch, number=number, previous=before, seeded_at=at, harvested_at=at + timedelta(hours=48),
            seeded_cells=Decimal(100), harvested_cells=None if number == 2 else 800,
        )  # fmt: skip
        row.save()
        before = row
    return stock.batch


def test_doublings_of_a_line(api, batch):
    answer = api.get(f"/api/v1/isolation-batches/{batch.pk}/expansion")
    assert answer.status_code == 200, answer.json()
    rows = answer.json()
    assert [row["doublings"] for row in rows] == [pytest.approx(2), pytest.approx(3), None, *[pytest.approx(3)] * 7]
    # a passage without a count breaks the sum for all that come after it
    assert [row["cumulative_doublings"] for row in rows] == [pytest.approx(2), pytest.approx(5), *[None] * 8]
    assert rows[2]["doubling_time_h"] is None
    assert rows[1]["doubling_time_h"] == pytest.approx(16)
    assert [bool(row["warning"]) for row in rows] == [*[False] * 9, True]


def test_the_batch_page_warns_above_p8(client, scientist, batch):
    client.force_login(scientist)
    page = client.get(reverse("admin:experiments_isolationbatch_page", args=[batch.pk])).content.decode()
    assert "above P8" in page
    assert "5.00" in page


def stages(world: World, told: str, by) -> None:
    """One letter a day from day 0; a dot is a day without a smear."""
    endpoint = Endpoint.objects.get(key="estrous_stage")
    new = [
        NewObservation(
            endpoint=endpoint.pk, animal=world.animals[0].pk, category=stage,
            observed_at=datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=day),
        )
        for day, stage in enumerate(told)
        if stage != "."
    ]  # fmt: skip
    record_observations(experiment=world.experiment, observations=new, by=by)


def cycle(api, world: World):
    return api.get(f"/api/v1/animals/{world.animals[0].pk}/cycle", {"experiment": str(world.experiment.pk)})


def test_figures_of_a_cycle(api, client, scientist, world: World):
    stages(world, "PEMDPEMDDPEM", scientist)
    told = cycle(api, world).json()
    assert [(each["began"], each["days"]) for each in told["cycles"]] == [(1, 4), (5, 5)]
    assert (told["is_regular"], told["days_read"], told["missing_days"]) == (True, 12, [])
    client.force_login(scientist)
    page = client.get(reverse("admin:experiments_animal_page", args=[world.animals[0].pk])).content.decode()
    assert "4 days, 5 days" in page


def test_a_gap_is_missing_and_never_diestrus(api, scientist, world: World):
    stages(world, "PEM.PEMD", scientist)
    told = cycle(api, world).json()
    assert (told["missing_days"], told["cycles"], told["is_regular"]) == ([3], [], None)
    assert told["percent_by_stage"]["D"] == pytest.approx(100 / 7)


def test_no_stage_no_figures(api, member, world: World):
    assert cycle(api, world).status_code == 404
    assert api.get(f"/api/v1/animals/{world.animals[0].pk}/cycle").status_code == 400
    outsider = member("technician", world.other)
    assert cycle(rest_client(outsider), world).status_code == 404
