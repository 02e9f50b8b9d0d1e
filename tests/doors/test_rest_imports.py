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


def csv_file(name: str = "cages.csv", data: bytes = b"experiment,label\nPOI-1,N1\nPOI-1,N2\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_a_table_is_described_downloaded_sent_taken_and_undone(api, world: World, settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path
    described = api.get(f"{API}/import-runs/tables").json()
    cages = next(each for each in described if each["table"] == "cages")
    assert [(c["header"], c["is_required"]) for c in cages["columns"]] == [("experiment", False), ("label", True)]
    template = api.get(f"{API}/import-runs/tables/cages.csv")
    assert b"".join(template.streaming_content).decode("utf-8-sig") == "experiment,label\r\n"
    assert "cages.csv" in template["Content-Disposition"]
    workbook = api.get(f"{API}/import-runs/tables/cages.xlsx")
    assert b"".join(workbook.streaming_content).startswith(b"PK")
    assert api.get(f"{API}/import-runs/tables/nothing.csv").status_code == 404
    assert api.get(f"{API}/import-runs/tables/cages.pdf").status_code == 404

    sent = api.post(f"{API}/import-runs", {"file": csv_file(), "table": "cages"}, format="multipart")
    assert (sent.status_code, sent.json()["table"], sent.json()["template"]) == (202, "cages", None)
    run = sent["Location"]
    jobs.run(sent.json()["job"])
    taking = api.post(f"{run}/take", {}, format="json")
    jobs.run(taking.json()["job"])
    assert world.experiment.cages.filter(label__in=["N1", "N2"]).count() == 2
    assert api.post(f"{run}/undo", {}, format="json").json() == {"reason": ["This field is required."]}
    undone = api.post(f"{run}/undo", {"reason": "twice"}, format="json")
    assert (undone.status_code, undone.json()["state"]) == (200, "undone")
    assert world.experiment.cages.filter(label__in=["N1", "N2"]).count() == 0
    assert api.post(f"{run}/undo", {"reason": "again"}, format="json").status_code == 400
    again = api.post(f"{API}/import-runs", {"file": csv_file(), "table": "cages"}, format="multipart")
    jobs.run(again.json()["job"])
    assert api.get(again["Location"]).json()["counts"]["new"] == {"cages": 2}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"table": "mice"}, "table"),
        ({"table": "cages", "decimal": ";"}, "decimal"),
        ({"table": "cages", "dates": "%y"}, "dates"),
        ({"table": "cages", "masking": "blinded"}, "masking"),
        ({"table": "cages", "colour": "blue"}, "colour"),
    ],
)
def test_how_a_table_is_written_is_refused_at_its_field(api, world: World, settings, tmp_path, fields, field):
    settings.LABDB_FILES_DIR = tmp_path
    answer = api.post(f"{API}/import-runs", {"file": csv_file(), **fields}, format="multipart")
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_an_undoing_that_is_refused_names_what_depends_on_it(api, world: World, settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path
    sent = api.post(f"{API}/import-runs", {"file": csv_file(), "table": "cages"}, format="multipart")
    jobs.run(sent.json()["job"])
    jobs.run(api.post(f"{sent['Location']}/take", {}, format="json").json()["job"])
    cage = world.experiment.cages.get(label="N1")
    stay = {"animal": str(world.animals[0].pk), "cage": str(cage.pk), "started_on": "2026-03-20"}
    assert api.post(f"{API}/housings", stay, format="json").status_code == 201
    answer = api.post(f"{sent['Location']}/undo", {"reason": "wrong"}, format="json")
    assert answer.status_code == 400
    told = answer.json()["non_field_errors"]
    assert told == [
        "Nothing was taken back.",
        "1 housing depends on what this import wrote: M001 in N1 from 2026-03-20.",
    ]
    assert api.get(sent["Location"]).json()["state"] == "taken"
