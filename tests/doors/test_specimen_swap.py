"""Specimens that were mixed up are mended with a reason, and their results move to the right animal."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Endpoint, Observation, Specimen
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
API = "/api/v1/specimens"
AT = datetime(2026, 3, 9, 9, tzinfo=UTC)
REASON = "the labels were exchanged at the centrifuge"


@pytest.fixture
def taken(world: World, scientist) -> list[Specimen]:
    """A serum of each of two animals with FSH and E2; animal n has 10 n + 1 and 10 n + 2."""
    made, new = [], []
    for n, animal in enumerate(world.animals[:2]):
        specimen = Specimen(
            experiment=world.experiment, animal=animal, code=f"S{n}", collected_at=AT, timepoint=world.timepoint
        )
        specimen.save()
        made.append(specimen)
        for m, key in enumerate(("fsh", "e2"), 1):
            endpoint = Endpoint.objects.get(key=key)
            new.append(
                NewObservation(
                    endpoint=endpoint.pk, observed_at=AT, animal=animal.pk, specimen=specimen.pk,
                    timepoint=world.timepoint.pk, number=Decimal(10 * n + m),
                )
            )  # fmt: skip
    record_observations(experiment=world.experiment, observations=new, by=scientist)
    return made


def current(world: World) -> dict[tuple[str, str], int]:
    rows = Observation.objects.filter(is_current=True, specimen__isnull=False).select_related("animal", "endpoint")
    return {(row.animal.lab_id, row.endpoint.key): int(row.value) for row in rows}


def test_a_swap_exchanges_animals_and_results(api, world: World, taken):
    answer = api.post(f"{API}/{taken[0].pk}/swap", {"other": str(taken[1].pk), "reason": REASON}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["animal"] == str(world.animals[1].pk)
    assert current(world) == {("M001", "fsh"): 11, ("M001", "e2"): 12, ("M002", "fsh"): 1, ("M002", "e2"): 2}
    old = Observation.objects.filter(is_current=False)
    assert {(row.animal.lab_id, row.superseded_by.reason) for row in old} == {("M001", REASON), ("M002", REASON)}
    trail = api.get("/api/v1/trail", {"object": str(taken[0].pk)})
    assert trail.status_code == 200
    assert REASON in trail.content.decode()


def test_reassigned_results_leave_the_wrong_animal(api, world: World, taken):
    told = {"animal": str(world.animals[2].pk), "reason": REASON}
    assert api.post(f"{API}/{taken[0].pk}/reassign", told, format="json").status_code == 200
    assert current(world) == {("M003", "fsh"): 1, ("M003", "e2"): 2, ("M002", "fsh"): 11, ("M002", "e2"): 12}


@pytest.mark.parametrize(
    ("animal", "reason", "told"),
    [("stranger", REASON, "not enrolled"), ("same", REASON, "already"), ("third", "   ", "reason")],
)
def test_what_is_refused_moves_nothing(api, world: World, taken, animal, reason, told):
    of = {"stranger": world.stranger, "same": world.animals[0], "third": world.animals[2]}[animal]
    before = current(world)
    answer = api.post(f"{API}/{taken[0].pk}/reassign", {"animal": str(of.pk), "reason": reason}, format="json")
    assert (answer.status_code, told in str(answer.json())) == (400, True)
    assert current(world) == before
    assert Observation.objects.count() == 4


def test_a_result_that_stands_there_already_is_named(api, world: World, taken):
    double = Observation.objects.get(specimen=taken[0], endpoint__key="fsh")
    # such a row was possible before values were bound to the animal of their specimen
    stray = Observation.objects.get(pk=double.pk)
    Observation.objects.filter(pk=double.pk).update(animal=world.animals[2])
    stray.pk, stray._state.adding = None, True
    Observation.objects.bulk_create([_again(stray)])
    told = {"animal": str(world.animals[2].pk), "reason": REASON}
    answer = api.post(f"{API}/{taken[0].pk}/reassign", told, format="json")
    assert answer.status_code == 400
    assert str(double.pk) in str(answer.json())
    assert Specimen.objects.get(pk=taken[0].pk).animal == world.animals[0]


def _again(row: Observation) -> Observation:
    import uuid

    row.pk = uuid.uuid4()
    return row


def test_an_assessor_mends_no_swap(member, world: World, taken):
    told = {"other": str(taken[1].pk), "reason": REASON}
    answer = rest_client(member("assessor", world.experiment)).post(f"{API}/{taken[0].pk}/swap", told, format="json")
    assert answer.status_code == 403
    assert not Observation.objects.filter(is_current=False).exists()


def test_the_admin_has_a_button_for_it(client, scientist, world: World, taken):
    from django.urls import reverse

    client.force_login(scientist)
    url = reverse("admin:experiments_specimen_do", args=[taken[0].pk, "swap"])
    assert url in client.get(reverse("admin:experiments_specimen_change", args=[taken[0].pk])).content.decode()
    assert client.post(url, {"other": str(taken[1].pk), "reason": REASON}).status_code == 302
    assert current(world)["M001", "fsh"] == 11
    url = reverse("admin:experiments_specimen_do", args=[taken[0].pk, "reassign"])
    assert client.post(url, {"animal": str(world.animals[2].pk), "reason": REASON}).status_code == 302
    assert current(world)["M003", "fsh"] == 1
