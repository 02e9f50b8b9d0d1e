"""A change to what was recorded says why: the rule itself, and REST, which asks for it."""

import time

import pytest
from django.core.exceptions import ValidationError

from experiments.models import Arm, Job, Strain
from labdb.base.acting import acting
from labdb.base.reasons import needed
from labdb.base.trail import changes_since
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client

API = "/api/v1"


def change(api, place: str, **data):
    return api.patch(place, data, format="json", HTTP_IF_MATCH="*")


def is_asked(answer) -> bool:
    """Whether the answer refuses for want of a reason, and for nothing else."""
    return answer.status_code == 400 and list(answer.json()) == ["reason_for_change"]


@pytest.fixture
def place(world: World) -> str:
    """An arm that was recorded by somebody else."""
    return f"{API}/arms/{world.arms[0].pk}"


@pytest.mark.django_db
def test_a_recorded_value_changes_for_a_reason_and_an_empty_one_is_filled_in_without(api, place):
    assert change(api, place, description="PBS IV", planned_n=8).status_code == 200
    assert change(api, place, description="PBS IV", planned_n=8).status_code == 200  # nothing changes
    refused = change(api, place, description="", planned_n=8, label="vehicle")
    assert is_asked(refused)
    assert "label, description" in refused.json()["reason_for_change"][0]
    assert is_asked(change(api, place, planned_n=None))
    told = change(api, place, label="vehicle", reason_for_change="  protocol v2 ")
    assert (told.status_code, told.json()["label"]) == (200, "vehicle")
    assert "reason_for_change" not in told.json()


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["", "   ", "\t\n", None, 7.5j, [], "x" * 501], ids=range(7))
def test_a_reason_that_says_nothing_is_none(api, place, reason):
    sent = {"label": "vehicle", "reason_for_change": {} if isinstance(reason, complex) else reason}
    refused = api.patch(place, sent, format="json", HTTP_IF_MATCH="*")
    assert is_asked(refused), refused.json()
    assert Arm.objects.get(pk=place.split("/")[-1]).label == "POI + PBS"


@pytest.mark.django_db
def test_the_trail_keeps_person_door_reason_and_both_values(api, place, scientist):
    change(api, place, label="vehicle", reason_for_change="protocol v2")
    entry = changes_since(Arm, place.split("/")[-1], 0).last()
    assert (entry.old, entry.new) == ({"label": "POI + PBS"}, {"label": "vehicle"})
    statement = entry.statement
    assert (statement.person, statement.door, statement.reason) == (scientist, "REST", "protocol v2")


@pytest.mark.django_db
def test_who_made_a_row_changes_it_for_some_minutes_without_a_reason(api, world: World, member, settings):
    mine = api.post(f"{API}/arms", {"experiment": str(world.experiment.pk), "label": "sahm"}, format="json")["Location"]
    assert change(api, mine, label="sham").status_code == 200
    colleague = rest_client(member("scientist", world.experiment))
    assert is_asked(change(colleague, mine, label="Sham"))
    settings.LABDB_REASON_GRACE_MINUTES = 0
    assert is_asked(change(api, mine, label="Sham"))
    settings.LABDB_REASON_GRACE_MINUTES = 15
    assert change(api, mine, label="shame").status_code == 200
    assert change(colleague, mine, label="Sham", reason_for_change="case").status_code == 200
    assert is_asked(change(api, mine, label="sham"))  # somebody else has seen it as it was


def test_the_minutes_of_grace_end(committed_db, scientist, experiment, settings):
    settings.LABDB_REASON_GRACE_MINUTES = 1 / 60
    api = rest_client(scientist)
    mine = api.post(f"{API}/arms", {"experiment": str(experiment.pk), "label": "sahm"}, format="json")["Location"]
    assert change(api, mine, label="sham").status_code == 200
    time.sleep(1.1)
    assert is_asked(change(api, mine, label="Sham"))


@pytest.mark.django_db
def test_the_laboratorys_policy_says_what_asks(api, place, settings):
    settings.LABDB_REASON_POLICY = "always"
    assert is_asked(change(api, place, description="PBS IV"))
    assert change(api, place, label="POI + PBS").status_code == 200  # nothing changes
    settings.LABDB_REASON_POLICY = "off"
    assert change(api, place, label="vehicle").status_code == 200


@pytest.mark.django_db
def test_a_row_is_deleted_for_a_reason(api, world: World):
    strain = Strain(name="mistyped")
    strain.save()
    place = f"{API}/strains/{strain.pk}"
    assert is_asked(api.delete(place, HTTP_IF_MATCH="*"))
    for blank in ("", "%20%20", "x" * 501):
        assert is_asked(api.delete(f"{place}?reason_for_change={blank}", HTTP_IF_MATCH="*"))
    assert Strain.objects.filter(pk=strain.pk).exists()
    done = api.delete(f"{place}?reason_for_change=entered+twice", HTTP_IF_MATCH="*")
    assert done.status_code == 204, done.json()
    last = changes_since(Strain, strain.pk, 0).last()
    assert (last.new, last.old["name"], last.statement.reason) == (None, "mistyped", "entered twice")
    mine = api.post(f"{API}/strains", {"name": "mistyped"}, format="json")["Location"]
    assert api.delete(mine, HTTP_IF_MATCH="*").status_code == 204


@pytest.mark.django_db
def test_every_way_to_save_a_row_asks(world: World, scientist):
    arm = world.arms[0]
    arm.label = "vehicle"
    with acting(person=scientist):
        with pytest.raises(ValidationError) as refused:
            arm.save()
        assert list(refused.value.message_dict) == ["reason_for_change"]
        with pytest.raises(ValidationError):
            arm.save(update_fields=["label"])
        arm.save(update_fields=["description"])
        with acting(reason="   "), pytest.raises(ValidationError):
            arm.save()
        with acting(reason="protocol v2"):
            arm.save()
    arm.refresh_from_db()
    assert arm.label == "vehicle"


@pytest.mark.django_db
def test_a_form_can_ask_before_it_saves(world: World, scientist, member):
    arm = world.arms[0]
    assert needed(arm, ["label"], scientist)
    assert needed(arm, None, scientist)
    assert not needed(arm, ["description"], scientist)
    assert not needed(arm, [], scientist)
    with acting(person=scientist):
        mine = Arm(experiment=world.experiment, label="sham")
        mine.save()
    assert not needed(mine, ["label"], scientist)
    assert needed(mine, ["label"], member("scientist", world.experiment))


@pytest.mark.django_db
def test_rows_that_the_program_keeps_ask_for_none(world: World, scientist):
    with acting(person=scientist):
        job = Job(kind="render_report", subject_id=world.experiment.pk, experiment=world.experiment, progress_note="a")
        job.save()
    job.progress_note = "b"
    job.save()
    assert not needed(job, None, scientist)
