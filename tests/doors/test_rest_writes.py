"""What REST refuses, and where it says so; what it takes, and what it answers."""

import threading
from datetime import date, datetime, time

import pytest
from django.db import connection, models

from experiments.models import Arm, Experiment, Membership, Timepoint
from labdb.base.rest.wire import to_json
from tests.doors.invalid_cases import CASES, VALID, WITHOUT_FIELD, World

NOUNS = {"strain": "strains", "housing": "housings", "reportschedule": "report-schedules"}


def noun(model: type[models.Model]) -> str:
    return NOUNS.get(model._meta.model_name, f"{model._meta.model_name}s")


def as_json(payload: dict) -> dict:
    return {name: _plain(value) for name, value in payload.items()}


def _plain(value):
    if isinstance(value, models.Model):
        return str(value.pk)
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


def post(api, model, payload: dict):
    return api.generic("POST", f"/api/v1/{noun(model)}", to_json(as_json(payload)), content_type="application/json")


@pytest.mark.django_db
@pytest.mark.parametrize("model", VALID, ids=lambda m: m.__name__)
def test_a_valid_row_is_created_read_and_listed(api, world: World, model):
    payload = VALID[model](world)
    made = post(api, model, payload)
    assert made.status_code == 201, made.json()
    read = api.get(made["Location"])
    assert read.json() == made.json()
    for name, value in as_json(payload).items():
        told = read.json()[name]
        assert datetime.fromisoformat(told) == value if isinstance(value, datetime) else told is not None
    assert made.json()["id"] in {row["id"] for row in api.get(f"/api/v1/{noun(model)}").json()["results"]}


def refused_with(response, field: str, message: str) -> bool:
    name = "non_field_errors" if field == WITHOUT_FIELD else field
    return response.status_code == 400 and any(message in told for told in response.json().get(name, ()))


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_an_invalid_row_is_refused_at_its_field(api, world: World, case):
    before = case.model.objects.count()
    response = post(api, case.model, case.payload(world))
    if any("\0" in value for value in case.payload(world).values() if isinstance(value, str)):
        assert response.status_code == 400  # refused while it is read, with the place in the text
        assert response.json()["detail"].startswith(f"{case.field}: text may not hold a NUL")
    else:
        assert refused_with(response, case.field, case.message), (response.status_code, response.json())
    assert case.model.objects.count() == before


@pytest.mark.django_db
def test_a_row_that_the_person_may_not_see_is_answered_like_none(api, world: World, django_user_model):
    hidden = Experiment(code="HIDDEN", title="of someone else")
    hidden.save()
    arm = Arm(experiment=hidden, label="a")
    arm.save()
    missing = "00000000-0000-4000-8000-000000000000"
    answers = []
    for key in (str(hidden.pk), missing):
        told = api.post("/api/v1/arms", {"experiment": key, "label": "b"}, format="json")
        answers.append((told.status_code, told.content.replace(key.encode(), b"KEY")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 400
    assert api.get(f"/api/v1/arms/{arm.pk}").status_code == api.get(f"/api/v1/arms/{missing}").status_code == 404
    assert api.change(f"/api/v1/arms/{arm.pk}", {"label": "c"}).status_code == 404
    row = {"experiment": str(hidden.pk), "endpoint": str(world.endpoint.pk), "observed_at": "2026-03-09T09:30:00Z"}
    told = api.post("/api/v1/observations", {**row, "animal": str(world.animals[0].pk), "value": 20}, format="json")
    assert told.status_code == 400
    assert "There is no experiment" in told.json()["experiment"][0]


@pytest.mark.django_db
def test_who_is_no_member_of_the_laboratory_writes_nothing(world: World, django_user_model):
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(django_user_model.objects.create_user("guest"))
    assert client.post("/api/v1/strains", {"name": "new"}, format="json").status_code == 403
    assert client.post("/api/v1/experiments", {"code": "N", "title": "new"}, format="json").status_code == 403
    assert client.get("/api/v1/experiments").json()["count"] == 0


@pytest.mark.django_db
def test_changes_keep_to_the_fields_that_are_given_and_may_change(api, world: World):
    arm = world.arms[0]
    changed = api.change(f"/api/v1/arms/{arm.pk}", {"description": "PBS IV"})
    assert (changed.status_code, changed.json()["description"], changed.json()["label"]) == (200, "PBS IV", arm.label)
    moved = api.change(f"/api/v1/arms/{arm.pk}", {"experiment": str(world.other.pk)})
    assert refused_with(moved, "experiment", "fixed")
    own = api.change(f"/api/v1/arms/{arm.pk}", {"reference": str(arm.pk)})
    assert refused_with(own, "reference", "its own reference")
    unmasked = api.change(f"/api/v1/experiments/{world.experiment.pk}", {"masking": "blinded"})
    assert refused_with(unmasked, "masking", "fixed")
    typed = api.change(f"/api/v1/arms/{arm.pk}", {"descripton": "x", "id": "y"})
    assert set(typed.json()) == {"descripton", "id"}


@pytest.mark.django_db
def test_day_0_may_be_set_later_and_then_stays(api, world: World):
    known, unknown = world.enrolments[0], world.other_enrolment
    moved = api.change(f"/api/v1/enrolments/{known.pk}", {"day_0": "2026-03-03"})
    assert refused_with(moved, "day_0", "fixed once it is set")
    cleared = api.change(f"/api/v1/enrolments/{known.pk}", {"day_0": None})
    assert refused_with(cleared, "day_0", "fixed once it is set")
    same = api.change(f"/api/v1/enrolments/{known.pk}", {"day_0": "2026-03-02"})
    assert same.status_code == 200
    told = api.change(f"/api/v1/enrolments/{unknown.pk}", {"day_0": "2026-03-09"})
    assert (told.status_code, told.json()["day_0"]) == (200, "2026-03-09")
    known.refresh_from_db()
    assert known.day_0 == date(2026, 3, 2)


@pytest.mark.django_db
def test_the_programs_own_endpoints_stay_as_they_are(api, world: World):
    for changes in ({"default_scale": "log"}, {"name": "Weight"}, {"plausible_high": 400}, {}):
        told = api.change(f"/api/v1/endpoints/{world.endpoint.pk}", changes)
        assert refused_with(told, WITHOUT_FIELD, "belongs to the program"), told.json()
    own = api.post("/api/v1/endpoints", {"key": "heart_weight", "name": "Heart", "unit": "mg"}, format="json")
    renamed = api.change(own["Location"], {"name": "Heart weight"})
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["is_built_in"]) == (200, "Heart weight", False)
    claimed = api.change(own["Location"], {"is_built_in": True})
    assert refused_with(claimed, "is_built_in", "set by the program")


@pytest.mark.django_db
def test_only_drafts_are_deleted_and_nothing_is_replaced(api, world: World):
    for noun_, row in (("enrolments", world.enrolments[0]), ("experiments", world.experiment)):
        assert api.delete(f"/api/v1/{noun_}/{row.pk}", HTTP_IF_MATCH="*").status_code == 405
    assert api.put(f"/api/v1/arms/{world.arms[0].pk}", {}, format="json").status_code == 405
    assert api.post("/api/v1/jobs", {}, format="json").status_code == 405


@pytest.mark.django_db
def test_who_opens_an_experiment_is_its_director(api, scientist):
    Membership(experiment=_saved(Experiment(code="A", title="a")), user=scientist, role="scientist").save()
    made = api.post("/api/v1/experiments", {"code": "B", "title": "b"}, format="json")
    members = api.get("/api/v1/memberships", {"experiment": made.json()["id"]}).json()["results"]
    assert [(m["user"], m["role"]) for m in members] == [(str(scientist.pk), "director")]


def _saved(row):
    row.save()
    return row


def test_raced_requests_give_one_row_and_the_models_own_message(committed_db, scientist, experiment):
    """Sixteen at once: validation sees none of the others, so the database's own refusal must speak as the model does."""
    from rest_framework.test import APIClient

    answers, start = [], threading.Barrier(16)

    def send() -> None:
        client = APIClient()
        client.force_authenticate(scientist)
        start.wait()
        payload = {"experiment": str(experiment.pk), "label": "day 99", "study_day": 99}
        answers.append(client.post("/api/v1/timepoints", payload, format="json"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(a.status_code for a in answers) == [201] + [400] * 15
    for answer in answers:
        if answer.status_code == 400:
            assert any("already" in text for text in answer.json()["non_field_errors"])
    assert Timepoint.objects.filter(study_day=99).count() == 1
