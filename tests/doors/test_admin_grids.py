"""The page of a grid: who stands on it in which order, what stood before, and nothing that tells an arm."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from experiments.actions.grids import GridCell, record_grid
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Cage, Disposition, Endpoint, Enrolment, Housing
from tests.conftest import set_masking

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 9)  # study day 7


@pytest.fixture
def cages(experiment, animals):
    """M002 and M001 in cage 2, M003 in cage 10, the others in none that is known; M006 died on day 3."""
    for label, housed in (("10", animals[2:3]), ("2", [animals[1], animals[0]])):
        cage = Cage(experiment=experiment, label=label)
        cage.save()
        for animal in housed:
            Housing(animal=animal, cage=cage, started_on=date(2026, 2, 20)).save()
    dead = Enrolment.objects.get(animal=animals[5])
    Disposition(experiment=experiment, enrolment=dead, kind="found_dead", occurred_on=date(2026, 3, 5)).save()


def weighed(experiment, animal, day: int, grams: str, by) -> None:
    weight, at = Endpoint.objects.get(key="body_weight"), datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(days=day)
    new = NewObservation(weight.pk, at, animal=animal.pk, number=Decimal(grams))
    record_observations(experiment=experiment, observations=[new], by=by)


def shown(client, experiment, kind="weights", **query):
    place = reverse("admin:experiments_experiment_grid", args=[experiment.pk, kind])
    return client.get(place, {"day": DAY.isoformat(), **query})


def ids(answer) -> list[str]:
    return re.findall(r'data-label="([^"]+)"', answer.content.decode())


def test_animals_stand_by_cage_and_id_and_who_had_left_is_counted(cages, experiment, animals, scientist, client):
    client.force_login(scientist)
    answer = shown(client, experiment)
    assert ids(answer) == ["M001", "M002", "M003", "M004", "M005"]
    labels = re.findall(r'data-cage="([^"]+)"', answer.content.decode())
    assert labels == ["2", "10", "no cage recorded"]
    assert "1 animal had left the experiment before" in answer.content.decode()
    assert ids(shown(client, experiment, cage="10")) == ["M003"]
    assert ids(shown(client, experiment, day="2026-03-05"))[-1] == "M006"
    assert "can be observed then" in shown(client, experiment, day="2999-01-01").content.decode()


def test_a_weight_is_compared_with_day_0_or_else_with_the_first(cages, experiment, animals, scientist, client):
    for animal, day, grams in (
        (0, -3, "19.5"),
        (0, 0, "20.25"),
        (0, 6, "18.5"),
        (0, 8, "1"),
        (1, 2, "22"),
        (1, 5, "21"),
    ):
        weighed(experiment, animals[animal], day, grams, scientist)
    client.force_login(scientist)
    rows = {row.animal.lab_id: row for rows in shown(client, experiment).context_data["cages"].values() for row in rows}
    first, second, third = (rows[f"M00{i}"] for i in (1, 2, 3))
    assert (first.reference.exact, first.last.exact, first.last.when) == ("20.25", "18.5", "1 d before")
    assert (second.reference.exact, second.last.exact) == ("22", "21")
    assert (third.reference, third.last) == (None, None)


def test_a_recorded_cell_and_its_planned_timepoint_are_told(cages, experiment, animals, scientist, client):
    cell = GridCell(uuid.uuid4(), animals[0].pk, DAY, number=Decimal("21.40"))
    weight = Endpoint.objects.get(key="body_weight")
    record_grid(experiment=experiment, endpoint=weight, cells=[cell], by=scientist)
    experiment.timepoints.filter(study_day=7).update(window_after_days=1)
    client.force_login(scientist)
    page = shown(client, experiment).content.decode()
    assert f'data-observation="{cell.id}" data-recorded="21.40" data-by="scientist"' in page
    assert page.count('title="Planned: day 7"') == 5
    later = shown(client, experiment, day="2026-03-10").content.decode()
    assert later.count('title="Planned: day 7"') == 4
    assert "day 7 is held by the value of 2026-03-09: this one is recorded unplanned." in later


def test_an_assessor_fills_the_grid_of_a_blinded_experiment_and_no_arm_is_told(
    cages, experiment, animals, member, client
):
    set_masking(experiment, "blinded")
    for role in ("assessor", "technician", "director"):
        client.force_login(member(role, experiment))
        for kind in ("weights", "welfare", "stages", "values"):
            page = shown(client, experiment, kind, endpoint="corpora_lutea").content.decode()
            assert "M001" in page
            assert not [arm.label for arm in experiment.arms.all() if arm.label in page or str(arm.pk) in page]
    for role in ("analyst", "auditor"):
        client.force_login(member(role, experiment))
        assert shown(client, experiment).status_code == 403


def test_the_grids_are_linked_for_who_may_fill_them(experiment, animals, scientist, member, client):
    page = reverse("admin:experiments_experiment_page", args=[experiment.pk])
    grid = reverse("admin:experiments_experiment_grid", args=[experiment.pk, "weights"])
    client.force_login(scientist)
    assert grid in client.get(page).content.decode()
    assert grid in client.get("/admin/").content.decode()
    client.force_login(member("auditor", experiment))
    assert grid not in client.get(page).content.decode()
    assert grid not in client.get("/admin/").content.decode()


def test_what_cannot_be_shown_says_why(cages, experiment, animals, scientist, client):
    client.force_login(scientist)
    assert shown(client, experiment, "tails").status_code == 404
    assert "Enter a valid date." in shown(client, experiment, day="yesterday").content.decode()
    assert "Select a valid choice" in shown(client, experiment, "stages", days="9").content.decode()
    assert "Choose what is to be entered." in shown(client, experiment, "values").content.decode()
    assert "Select a valid choice" in shown(client, experiment, "values", endpoint="estrous_stage").content.decode()


def test_a_grid_ends_today(experiment, animals, scientist, client):
    client.force_login(scientist)
    tomorrow = timezone.localdate() + timedelta(days=1)
    page = shown(client, experiment, "stages", day=tomorrow.isoformat(), days="7").content.decode()
    assert page.count('class="grid-closed"') == len(animals)


def test_a_very_large_experiment_is_filled_cage_by_cage(experiment, animals, scientist, client, monkeypatch):
    monkeypatch.setattr("experiments.admin.grids.MOST_CELLS", 5)
    client.force_login(scientist)
    page = shown(client, experiment).content.decode()
    assert "These are 6 cells: choose a cage." in page
