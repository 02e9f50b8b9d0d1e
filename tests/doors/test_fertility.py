"""A fertility trial over REST and in the admin publishes what follows from it, and a changed one supersedes it."""

import pytest

from experiments.models import FertilityTrial, Observation
from tests.doors.invalid_cases import World

pytestmark = pytest.mark.django_db
API = "/api/v1/fertility-trials"
BORN = {"born_on": "2026-04-05", "pups_total": 7, "pups_male": 3, "pups_female": 4, "pups_alive": 6}


def trial(api, world: World, **fields):
    told = {"enrolment": str(world.enrolments[0].pk), "paired_on": "2026-03-16", "is_mated": True, **fields}
    return api.post(API, told, format="json")


def published(world: World) -> dict[str, str]:
    rows = Observation.objects.filter(animal=world.animals[0], is_current=True).select_related("endpoint")
    return {row.endpoint.key: row.shown_value for row in rows}


def test_a_litter_is_published(api, world: World):
    made = trial(api, world, is_pregnant=True, plug_on="2026-03-17", **BORN)
    assert made.status_code == 201, made.json()
    assert published(world) == {
        "vaginal_plug": "yes", "pregnancy": "yes", "litter_size": "7", "fecundity": "7", "pups_male": "3",
        "pups_female": "4", "time_to_litter_days": "20 days",
    }  # fmt: skip


def test_not_pregnant_counts_zero_for_fecundity_and_has_no_litter_size(api, world: World):
    assert trial(api, world, is_pregnant=False).status_code == 201
    assert published(world) == {"pregnancy": "no", "fecundity": "0"}


def test_unmated_is_not_infertile(api, world: World):
    assert trial(api, world, is_mated=False, is_pregnant=False).status_code == 201
    assert published(world) == {}


def test_a_timepoint_is_found_by_its_window(api, world: World):
    trial(api, world, is_pregnant=False, separated_on="2026-03-16")
    assert {row.timepoint.study_day for row in Observation.objects.select_related("timepoint")} == {14}


def test_a_change_supersedes_with_its_reason(api, world: World):
    made = trial(api, world, is_pregnant=True, **BORN).json()
    changed = api.change(f"{API}/{made['id']}", {"pups_total": 8, "pups_male": 4}, "one pup lay under the dam")
    assert changed.status_code == 200, changed.json()
    assert published(world)["litter_size"] == "8"
    newer = Observation.objects.get(endpoint__key="litter_size", is_current=True)
    assert (newer.supersedes.value, newer.supersedes.is_current, newer.reason) == (
        7,
        False,
        "one pup lay under the dam",
    )
    assert Observation.objects.filter(endpoint__key="pups_female").count() == 1  # what did not change stays


def test_what_no_longer_follows_is_closed(api, world: World):
    made = trial(api, world, is_pregnant=True, **BORN).json()
    nothing = dict.fromkeys((*BORN, "litter"))
    changed = api.change(f"{API}/{made['id']}", {**nothing, "is_pregnant": False}, "the litter is another dam's")
    assert changed.status_code == 200, changed.json()
    assert published(world) == {"pregnancy": "no", "fecundity": "0"}


def test_two_trials_of_a_female_stand_beside_each_other(api, world: World):
    trial(api, world, is_pregnant=False)
    again = trial(api, world, is_pregnant=True, paired_on="2026-05-01", born_on="2026-05-22", pups_total=5)
    assert again.status_code == 201, again.json()
    sizes = Observation.objects.filter(endpoint__key="fecundity").order_by("observed_at")
    assert [(int(row.value), row.ordinal) for row in sizes] == [(0, None), (5, 2)]


def test_a_broken_rule_leaves_nothing_behind(api, world: World):
    refused = trial(api, world, is_pregnant=True, implantations=5, live_fetuses=6)
    assert (refused.status_code, "implantations" in str(refused.json())) == (400, True)
    assert not FertilityTrial.objects.exists()
    assert not Observation.objects.exists()


def test_who_sees_no_trial_publishes_none(member, world: World):
    from tests.doors.rest_client import rest_client

    assert trial(rest_client(member("assessor", world.experiment)), world, is_pregnant=False).status_code == 403
    assert not Observation.objects.exists()


def test_the_admin_publishes_too(client, scientist, world: World):
    from django.urls import reverse

    client.force_login(scientist)
    told = {
        "enrolment": str(world.enrolments[0].pk),
        "paired_on": "2026-03-16",
        "is_mated": "true",
        "is_pregnant": "false",
    }
    answer = client.post(reverse("admin:experiments_fertilitytrial_add"), told)
    assert answer.status_code == 302, answer.context["errors"]
    assert published(world) == {"pregnancy": "no", "fecundity": "0"}
