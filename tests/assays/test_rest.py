"""The REST door of assays: upload, poll, read, decide, publish."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from experiments.actions import jobs
from experiments.models import Endpoint, Observation
from tests.assays.conftest import layout_text, made_plate, plate_text

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


@pytest.fixture
def client(scientist):
    made = APIClient()
    made.force_authenticate(scientist)
    return made


@pytest.fixture
def form(experiment):
    return {
        "experiment": str(experiment.pk),
        "endpoint": str(Endpoint.objects.get(key="e2").pk),
        "kind": "elisa",
        "parameters": json.dumps({"curve_model": "four_pl", "max_replicate_cv_percent": 15}),
        "kit_lloq": "0.005",
        "kit_lloq_unit": "ng/mL",
        "file": SimpleUploadedFile("plate.txt", plate_text(made_plate())),
        "layout": SimpleUploadedFile("layout.csv", layout_text()),
    }


def post(client, path, **body):
    return client.post(f"{ROOT}/{path}", body, format="json")


def test_a_plate_goes_all_the_way(client, form, specimens):
    answer = client.post(f"{ROOT}/assay-runs", form, format="multipart")
    assert answer.status_code == 201, answer.content
    run = answer.json()
    assert run["state"] == "draft" and run["parameters"]["max_replicate_cv_percent"] == "15"
    assert client.get(f"{ROOT}/jobs/{run['job']}").json()["state"] == "queued"
    jobs.run(run["job"])
    polled = client.get(f"{ROOT}/jobs/{run['job']}").json()
    assert (polled["state"], polled["error"]) == ("done", "")
    assert polled["result"]["curves"] == ["ok"] and polled["result"]["samples_without_specimen"] == 1

    well = client.get(f"{ROOT}/wells", {"run": run["id"], "name": "A4"}).json()["results"][0]
    masked = post(client, f"wells/{well['id']}/mask", reason="bubble")
    assert masked.status_code == 202 and masked.json()["state"] == "draft"
    jobs.run(masked.json()["job"])
    found = client.get(f"{ROOT}/results", {"run": run["id"], "sample": "S-1"}).json()["results"][0]
    assert found["flags"] == "masked" and found["n_used"] == 1 and found["observation"] is None

    assert post(client, f"assay-runs/{run['id']}/publish").status_code == 400
    assert post(client, f"assay-runs/{run['id']}/accept").json()["state"] == "accepted"
    published = post(client, f"assay-runs/{run['id']}/publish")
    assert published.status_code == 200 and published.json()["observations"] == 4
    assert post(client, f"assay-runs/{run['id']}/publish").status_code == 400
    found = client.get(f"{ROOT}/results", {"run": run["id"], "sample": "S-1"}).json()["results"][0]
    assert found["observation"] == str(Observation.objects.get(specimen__code="S-1").pk)


def test_every_resource_lists_and_refuses_unknown_parameters(client, quantified):
    for noun in ("assay-runs", "plates", "wells", "readings", "well-results", "curves", "curve-parameters", "results"):
        listed = client.get(f"{ROOT}/{noun}").json()
        assert listed["count"] > 0, noun
        assert client.get(f"{ROOT}/{noun}/{listed['results'][0]['id']}").status_code == 200
        assert client.get(f"{ROOT}/{noun}", {"sampel": "x"}).status_code == 400
    assert client.get(f"{ROOT}/tallies").json()["count"] == 0
    assert client.get(f"{ROOT}/run-remarks", {"topic": "specimen"}).json()["count"] == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "eliza"}, "kind"),
        ({"parameters": '{"weighting": "3"}'}, "parameters"),
        ({"parameters": "{"}, "parameters"),
        ({"endpoint": ""}, "endpoint"),
        ({"kit_lloq_unit": ""}, "kit_lloq"),
        ({"file": SimpleUploadedFile("plate.txt", b"")}, "file"),
        ({"state": "published"}, "state"),
    ],
)
def test_bad_uploads_are_400_at_their_field(client, form, changed, field):
    answer = client.post(f"{ROOT}/assay-runs", form | changed, format="multipart")
    assert answer.status_code == 400
    assert field in answer.json()


def test_a_rejection_needs_a_reason(client, quantified):
    assert post(client, f"assay-runs/{quantified.pk}/reject").json() == {"reason": ["This field is required."]}
    assert post(client, f"assay-runs/{quantified.pk}/reject", reason="hook effect").json()["state"] == "rejected"
    assert post(client, f"assay-runs/{quantified.pk}/accept").status_code == 400


def test_strangers_see_and_do_nothing(quantified, django_user_model):
    stranger = APIClient()
    stranger.force_authenticate(django_user_model.objects.create_user("stranger"))
    assert stranger.get(f"{ROOT}/assay-runs").json()["count"] == 0
    assert stranger.get(f"{ROOT}/assay-runs/{quantified.pk}").status_code == 404
    assert post(stranger, f"assay-runs/{quantified.pk}/accept").status_code == 404


def test_other_parameters_ask_for_another_evaluation(client, quantified):
    answer = post(
        client, f"assay-runs/{quantified.pk}/quantify", parameters={"curve_model": "linear"}, reason="as the kit says"
    )
    assert answer.status_code == 202 and answer.json()["state"] == "draft"
    silent = post(client, f"assay-runs/{quantified.pk}/quantify", parameters={"curve_model": "linear"})
    assert (silent.status_code, list(silent.json())) == (400, ["reason"])
    wrong = post(
        client, f"assay-runs/{quantified.pk}/quantify", parameters={"curve": "linear"}, reason="as the kit says"
    )
    assert wrong.status_code == 400 and "unknown parameter" in wrong.json()["parameters"][0]
