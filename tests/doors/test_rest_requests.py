"""The edges of a REST request: parameters, pages, tokens, and bodies that no client should send."""

import pytest

from experiments.models import Arm, Experiment
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/arms?lable=x", "lable"),
        ("/arms/{arm}?limit=1", "limit"),
        ("/experiments/{experiment}/summary?arm=x", "arm"),
        ("/experiments/{experiment}/dataset?endpoint=e2", "endpoint"),
        ("/experiments/{experiment}/dataset?format=xlsx", "format"),
        ("/arms?format=json", "format"),
        ("/schema?lang=de", "lang"),
        ("/docs?x=1", "x"),
        ("/tokens?x=1", "x"),
        ("/arms?label=", "label"),
        ("/arms?limit=1&limit=2", "limit"),
        ("/arms?limit=0", "limit"),
        ("/arms?limit=1001", "limit"),
        ("/arms?limit=ten", "limit"),
        ("/arms?limit=99999999999999999999", "limit"),
        ("/arms?offset=-1", "offset"),
        ("/arms?offset=99999999999999999999", "offset"),
        ("/arms?experiment=POI-1", "experiment"),
        ("/arms?kind=mystery", "kind"),
        ("/experiments?is_simulated=perhaps", "is_simulated"),
        ("/observations?observed_at__gte=2026-03-09T09:30:00", "observed_at__gte"),
        ("/observations?value__gte=heavy", "value__gte"),
        ("/observations?is_current=2", "is_current"),
    ],
)
def test_a_parameter_that_is_unknown_or_unreadable_is_named(api, world: World, path, parameter):
    answer = api.get(API + path.format(arm=world.arms[0].pk, experiment=world.experiment.pk))
    assert answer.status_code == 400
    assert list(answer.json()) == [parameter]


def test_posts_know_no_parameters_either(api, world: World):
    assert api.post(f"{API}/strains?name=x", {"name": "y"}, format="json").status_code == 400
    assert api.post(f"{API}/experiments/{world.experiment.pk}/summarise?now=1").status_code == 400


def test_pages_say_how_many_and_lead_through_all_without_repeating(api, world: World):
    for number in range(25):
        Arm(experiment=world.experiment, label=f"arm {number}", position=5).save()
    address, seen = f"{API}/arms?experiment={world.experiment.pk}&limit=10", []
    while address:
        page = api.get(address).json()
        assert page["count"] == 27
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 27
    assert page["previous"]
    assert api.get(f"{API}/arms?offset=1000").json()["results"] == []


def test_filters_keep_what_they_say(api, world: World):
    page = api.get(f"{API}/timepoints?experiment={world.experiment.pk}&study_day__gte=7").json()
    assert [row["study_day"] for row in page["results"]] == [7, 14]
    assert api.get(f"{API}/arms?experiment=00000000-0000-4000-8000-000000000000").json()["count"] == 0
    assert api.get(f"{API}/timepoints?study_day=99999999999999999999").status_code in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        b'{"label": "a\\u0000b"}',
        b'{"label": "\\ud800"}',
        b'{"a\\udfff": 1}',
        b"[" * 100_000,
        b'{"position": ' + b"9" * 5000 + b"}",
        b'{"position": 1e999999999}',
        b'{"position": NaN}',
        b'{"label": "\xff\xfe"}',
        b"{",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b'{"label": {"a": [1]}, "kind": [], "reference": {}, "planned_n": -1, "position": 1.5}',
        b'{"planned_n": 99999999999999999999, "reference": 99999999999999999999999999999999999999999}',
    ],
    ids=range(15),
)
def test_bodies_that_cannot_be_read_or_stored_are_400(api, world: World, body):
    api.raise_request_exception = False
    for address, send in ((f"{API}/arms", api.post), (f"{API}/arms/{world.arms[0].pk}", api.patch)):
        answer = send(address, body, content_type="application/json", HTTP_IF_MATCH="*")
        if send == api.patch and body in (b"", b"null"):  # nothing to change
            assert answer.status_code in (200, 400)
        else:
            assert answer.status_code == 400, (answer.status_code, answer.content)
    for address in ("observations", "import-templates", "endpoints"):
        assert api.post(f"{API}/{address}", body, content_type="application/json").status_code == 400


def test_other_content_types_are_refused(api, world: World):
    assert api.post(f"{API}/arms", {"label": "x"}, format="multipart").status_code == 415
    assert api.post(f"{API}/arms", "label=x", content_type="application/x-www-form-urlencoded").status_code == 415
    assert api.get(f"{API}/arms", HTTP_ACCEPT="application/xml").status_code == 406


def test_what_lies_nowhere_answers_as_json(api):
    for path in ("/experiments/", "/experiments/no-uuid", "/nothing"):
        answer = api.get(API + path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


def test_a_token_is_shown_once_used_and_revoked(client, scientist, django_user_model):
    made = client.post(
        f"{API}/tokens", {"username": "scientist", "password": "a-good-passphrase-1"}, "application/json"
    )
    assert made.status_code == 201
    assert made.json()["expires_at"].endswith("Z")
    header = {"HTTP_AUTHORIZATION": f"Token {made.json()['token']}"}
    assert client.get(f"{API}/experiments", **header).status_code == 200
    assert client.delete(f"{API}/tokens", **header).status_code == 204
    revoked = client.get(f"{API}/experiments", **header)
    assert (revoked.status_code, revoked["WWW-Authenticate"]) == (401, "Token")
    assert client.get(f"{API}/experiments", HTTP_AUTHORIZATION="Token ü".encode().decode("latin-1")).status_code == 401


def test_a_failed_log_in_does_not_say_what_was_wrong(client, scientist, django_user_model):
    django_user_model.objects.create_user("gone", password="a-good-passphrase-1", is_active=False)
    answers = set()
    for name, password in (("scientist", "wrong"), ("nobody", "wrong"), ("gone", "a-good-passphrase-1")):
        told = client.post(f"{API}/tokens", {"username": name, "password": password}, "application/json")
        answers.add((told.status_code, told.content))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_a_session_needs_its_csrf_token(scientist):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(scientist)
    assert client.get(f"{API}/experiments").status_code == 200
    assert client.post(f"{API}/strains", {"name": "x"}, "application/json").status_code == 403
    assert Client().get(f"{API}/experiments").status_code == 401


def test_what_a_blinded_experiment_hides(api, world: World, member):
    payload = {"experiment": str(world.experiment.pk)}
    assessor = rest_client(member("assessor", world.experiment))
    assert assessor.get(f"{API}/allocations", payload).json()["count"] == 6
    Experiment.objects.filter(pk=world.experiment.pk).update(masking="blinded")
    assert assessor.get(f"{API}/allocations", payload).json()["count"] == 0
    assert assessor.get(f"{API}/allocations", {"arm": str(world.arms[0].pk)}).json()["count"] == 0
    made = {**payload, "enrolment": str(world.free_enrolment.pk), "arm": str(world.arms[0].pk)}
    recorded = api.post(f"{API}/allocations", made, format="json")
    assert recorded.status_code == 201
    assert (api.get(recorded["Location"]).status_code, assessor.get(recorded["Location"]).status_code) == (200, 404)


def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back():
    from django.db import OperationalError

    from labdb.base.rest.errors import answer_errors

    answer = answer_errors(OperationalError("the server closed the connection"), {})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
