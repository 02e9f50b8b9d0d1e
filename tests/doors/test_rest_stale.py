"""Nobody changes over REST what they have not seen: ETag, If-Match and If-None-Match, found on every resource."""

import json
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from experiments.models import Animal, Arm, Endpoint, Experiment, Observation, Strain
from labdb.base.trail import changes_since, version_of
from tests.contracts.rows import make_rows
from tests.contracts.test_query_counts import PAGES
from tests.doors.invalid_cases import VALID, World
from tests.doors.rest_client import RestClient, rest_client
from tests.doors.test_rest_probes import known_of
from tests.doors.test_rest_schema import as_json_schema, make_schema
from tests.doors.test_rest_writes import post

API = "/api/v1"
SCHEMA = make_schema()
CHANGING = [
    (method, path)
    for path, operations in SCHEMA["paths"].items()
    for method in operations
    if method in ("patch", "delete") and not path.startswith(f"{API}/tokens")
]
CHANGED = [path for method, path in CHANGING if method == "patch"]


def row_of(api: RestClient, world: World, path: str) -> str:
    """The address of a row of the resource that nothing refers to and that ``api`` may change."""
    Experiment.objects.filter(pk=world.experiment.pk).update(status="planned")  # then arms and timepoints are drafts
    model = PAGES["/".join(path.split("/")[:4])].serializer_class.Meta.model
    if model in VALID:
        made = post(api, model, VALID[model](world))
        assert made.status_code == 201, made.json()
        return made["Location"]
    row = model._base_manager.order_by("pk").first() or make_rows(model, 1, known_of(world))[0]
    return path.replace("{id}", str(row.pk))


def is_as_described(answer: Any, path: str, method: str) -> None:
    import jsonschema

    content = SCHEMA["paths"][path][method]["responses"][str(answer.status_code)]["content"]["application/json"]
    checked = {**as_json_schema(content["schema"]), "components": as_json_schema(SCHEMA["components"])}
    jsonschema.Draft202012Validator(checked).validate(answer.json())


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), CHANGING, ids=[" ".join(each) for each in CHANGING])
def test_a_change_says_which_version_it_was_made_from(api, world: World, method, path):
    place = row_of(api, world, path)
    read = api.get(place)
    send = getattr(api, method)

    unconditional = send(place, {}, format="json")
    assert unconditional.status_code == 428
    assert "If-Match" in unconditional.json()["detail"]
    is_as_described(unconditional, path, method)
    assert send(place, {}, format="json", HTTP_IF_MATCH="4711").status_code == 400
    for old in ('"0"', '"1"', 'W/"1"', '"1", "2"', '"no-version"', '"99999999999999999999"', '"9223372036854775807"'):
        stale = send(place, {}, format="json", HTTP_IF_MATCH=old)
        assert stale.status_code == 412, (old, stale.content)
        is_as_described(stale, path, method)
        assert {change["field"] for change in stale.json()["changed"]} <= set(read.json())
    assert api.get(place)["ETag"] == read["ETag"]

    done = send(place, {}, format="json", HTTP_IF_MATCH=read["ETag"])
    assert done.status_code == (200 if method == "patch" else 204), done.content
    assert (api.get(place).status_code == 200) == (method == "patch")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_star_takes_whatever_stands(api, world: World, method):
    place = row_of(api, world, f"{API}/strains/{{id}}")
    answer = getattr(api, method)(place, {}, format="json", HTTP_IF_MATCH="*")
    assert answer.status_code == (200 if method == "patch" else 204)


@pytest.mark.django_db
def test_who_is_too_late_learns_what_changed_who_did_it_when_and_why(api, world: World, member):
    arm = world.arms[0]
    place = f"{API}/arms/{arm.pk}"
    read = api.get(place)
    colleague = member("scientist", world.experiment, "colleague")
    first = rest_client(colleague).change(place, {"label": "PBS", "planned_n": 8}, reason="protocol v2")
    assert first.status_code == 200, first.json()
    second = rest_client(colleague).change(place, {"planned_n": 9}, reason="one more")
    sent = {"label": "vehicle", "description": "PBS IV", "reason_for_change": "clearer"}
    late = api.patch(place, sent, format="json", HTTP_IF_MATCH=read["ETag"])
    assert late.status_code == 412
    told = {change["field"]: change for change in late.json()["changed"]}
    assert set(told) == {"label", "planned_n"}
    at = [entry.statement.at for entry in changes_since(Arm, arm.pk, 0)][-2:]
    assert told["label"] == {
        "field": "label", "was": "POI + PBS", "now": "PBS", "yours": "vehicle", "by": "colleague",
        "at": told["label"]["at"], "reason": "protocol v2",
    }  # fmt: skip
    assert told["planned_n"] == {
        "field": "planned_n", "was": None, "now": 9, "by": "colleague", "at": told["planned_n"]["at"],
        "reason": "one more",
    }  # fmt: skip
    assert [told[name]["at"] for name in ("label", "planned_n")] == [f"{when:%Y-%m-%dT%H:%M:%S.%fZ}" for when in at]
    assert f'"{late.json()["version"]}"' == second["ETag"]
    arm.refresh_from_db()
    assert (arm.label, arm.description) == ("PBS", "")
    assert api.patch(place, sent, format="json", HTTP_IF_MATCH=second["ETag"]).status_code == 200


@pytest.mark.django_db
def test_every_digit_of_what_was_comes_back(api, world: World):
    endpoint = Endpoint(
        key="heart_weight", name="Heart", unit="mg", plausible_high=Decimal("21.40000000000000000012345")
    )
    endpoint.save()
    place = f"{API}/endpoints/{endpoint.pk}"
    before = api.get(place)["ETag"]
    assert api.change(place, {"plausible_high": 30}).status_code == 200
    late = api.patch(place, {"plausible_high": 31}, format="json", HTTP_IF_MATCH=before)
    assert b'"was":21.40000000000000000012345' in late.content


@pytest.mark.django_db
def test_what_a_client_has_is_not_sent_again_until_it_changes(api, world: World):
    place = f"{API}/arms/{world.arms[0].pk}"
    tag = api.get(place)["ETag"]
    assert tag == f'"{version_of(world.arms[0])}"'
    for known in (tag, f"W/{tag}", f'"1", {tag}', "*"):
        same = api.get(place, HTTP_IF_NONE_MATCH=known)
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
    changed = api.change(place, {"description": "PBS IV"})
    assert changed["ETag"] != tag
    assert api.get(place, HTTP_IF_NONE_MATCH=tag).status_code == 200
    assert api.get(place)["ETag"] == changed["ETag"]
    missing = f"{API}/arms/00000000-0000-4000-8000-000000000000"
    assert api.get(missing, HTTP_IF_NONE_MATCH="*").status_code == 404


@pytest.mark.django_db
def test_a_computed_field_makes_a_new_answer_but_no_new_version(api, world: World):
    place = f"{API}/experiments/{world.experiment.pk}"
    api.get(place)
    from experiments.models import DataChange

    DataChange.objects.filter(experiment=world.experiment).delete()
    before = api.get(place)
    Observation(
        experiment=world.experiment, animal=world.animals[0], endpoint=world.endpoint, observed_at="2026-03-09T09:30Z",
        value=20, recorded_by=world.person, recorded_at="2026-03-09T09:30Z",
    ).save()  # fmt: skip
    after = api.get(place, HTTP_IF_NONE_MATCH=before["ETag"])
    assert (before.json()["is_stale"], after.status_code, after.json()["is_stale"]) == (False, 200, True)
    kept = api.patch(place, {"hypothesis": "it helps"}, format="json", HTTP_IF_MATCH=before["ETag"])
    assert kept.status_code == 200, kept.json()


@pytest.mark.django_db
def test_a_verb_keeps_to_the_version_that_it_is_given(api, world: World):
    row = {"experiment": world.experiment.pk, "endpoint": world.endpoint.pk, "animal": world.animals[0].pk}
    row = {name: str(key) for name, key in row.items()} | {"observed_at": "2026-03-09T09:30:00Z", "value": 20}
    made = api.post(f"{API}/observations", row, format="json")
    correction = {"value": 21, "reason": "misread"}
    place = f"{made['Location']}/correct"
    late = api.post(place, correction, format="json", HTTP_IF_MATCH='"1"')
    assert (late.status_code, Observation.objects.count()) == (412, 1)
    newer = api.post(place, correction, format="json", HTTP_IF_MATCH=made["ETag"])
    assert newer.status_code == 201, newer.json()
    assert newer["ETag"] == api.get(f"{API}/observations/{newer.json()['id']}")["ETag"]
    refused = api.post(place, correction, format="json", HTTP_IF_MATCH="*")
    assert (refused.status_code, Observation.objects.count()) == (400, 2)


@pytest.mark.django_db
def test_a_draft_is_deleted_and_a_row_that_others_refer_to_is_not(api, world: World):
    strain = Strain.objects.get()
    referred = api.remove(f"{API}/strains/{strain.pk}")
    count = Animal.objects.filter(strain=strain).count()
    assert referred.status_code == 409
    assert referred.json() == {"detail": f"It was not deleted: {count} rows refer to it.", "referring": count}
    begun = api.remove(f"{API}/timepoints/{world.timepoint.pk}")
    assert (begun.status_code, begun.json()["referring"]) == (409, 0)
    made = api.post(f"{API}/strains", {"name": "mistyped"}, format="json")
    assert api.remove(made["Location"]).status_code == 204
    assert api.get(made["Location"]).status_code == 404


def test_what_can_be_deleted_is_what_the_models_say():
    deleted = {path for method, path in CHANGING if method == "delete"}
    views = {f"{address}/{{id}}": view for address, view in PAGES.items()}
    assert deleted == {
        p for p, view in views.items() if getattr(view.serializer_class.Meta.model, "is_deletable", False)
    }


def test_of_twenty_writers_with_one_version_one_wins(committed_db, scientist, experiment):
    arm = experiment.arms.first()
    place = f"{API}/arms/{arm.pk}"
    clients = [rest_client(scientist) for _ in range(20)]
    tag = clients[0].get(place)["ETag"]
    answers, start = [], threading.Barrier(20)

    def send(number: int) -> None:
        start.wait()
        sent = {"description": f"writer {number}", "reason_for_change": "a race"}
        answers.append(clients[number].patch(place, sent, format="json", HTTP_IF_MATCH=tag))
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(a.status_code for a in answers) == [200] + [412] * 19
    (won,) = [a.json()["description"] for a in answers if a.status_code == 200]
    assert Arm.objects.get(pk=arm.pk).description == won
    assert {json.loads(a.content)["changed"][0]["now"] for a in answers if a.status_code == 412} == {won}
