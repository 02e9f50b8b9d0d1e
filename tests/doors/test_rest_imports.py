"""A sheet over REST: sent, checked by its job, looked at row by row, then taken or discarded."""

import json
from importlib import resources

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from experiments.actions import jobs
from experiments.models import ImportTemplate
from tests.doors.invalid_cases import World

pytestmark = pytest.mark.django_db
API = "/api/v1"
TEMPLATE = "animals_by_study_day"


def send(api, name: str = "weights.csv", data: bytes = b"animal,cage\nM001,C1\n", **fields):
    mapping = json.loads(resources.files("experiments.sheets").joinpath(f"templates/{TEMPLATE}.json").read_text())
    template = ImportTemplate(name="as it comes with the program", kind="animals", mapping=mapping)
    template.save()
    file = SimpleUploadedFile(name, data)
    return api.post(f"{API}/import-runs", {"file": file, "template": str(template.pk), **fields}, format="multipart")


def test_a_sheet_is_kept_and_checked_by_a_job_before_anything_is_written(api, world: World, settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path
    sent = send(api, experiment=str(world.experiment.pk))
    assert sent.status_code == 202, sent.json()
    assert sent.json()["state"] == "checking"
    early = api.post(f"{sent['Location']}/take", {"valid_rows_only": True}, format="json")
    assert early.status_code == 400
    jobs.run(sent.json()["job"])
    job = api.get(f"{API}/jobs/{sent.json()['job']}").json()
    assert job["state"] in ("done", "failed")
    assert job["error"] or api.get(sent["Location"]).json()["state"] == "checked"


def test_a_run_without_file_or_template_is_refused_at_its_field(api, world: World):
    assert set(api.post(f"{API}/import-runs", {}, format="multipart").json()) == {"file"}
    alone = {"file": SimpleUploadedFile("a.csv", b"a")}
    assert set(api.post(f"{API}/import-runs", alone, format="multipart").json()) == {"template"}
    assert api.post(f"{API}/import-runs", {}, format="json").status_code == 415


def test_the_run_of_someone_else_is_answered_like_none(api, world: World, settings, tmp_path, django_user_model):
    from rest_framework.test import APIClient

    settings.LABDB_FILES_DIR = tmp_path
    sent = send(api)
    stranger = APIClient()
    stranger.force_authenticate(django_user_model.objects.create_user("stranger"))
    for path in ("take", "discard"):
        assert stranger.post(f"{sent['Location']}/{path}", {"valid_rows_only": True}, format="json").status_code == 404
