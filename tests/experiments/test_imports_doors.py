"""The doors of imports: REST, the command, and a real worker."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from experiments import models
from experiments.actions import jobs
from labdb.base.models import User
from tests.experiments.sheet_imports import MAPPING, in_tables, mouse, sheet, works_elsewhere
from tests.experiments.test_jobs import wait_for

ROOT = "/api/v1"
GOOD, BAD = sheet(mouse(), mouse("m2")), sheet(mouse(), mouse("m2", d7=250))


def client_of(person: User) -> APIClient:
    made = APIClient()
    made.force_authenticate(person)
    return made


@pytest.fixture
def client(scientist):
    return client_of(scientist)


@pytest.fixture
def template(client) -> str:
    answer = client.post(f"{ROOT}/import-templates", {"name": "small", "mapping": MAPPING}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def upload(client: APIClient, template: str, data: bytes = GOOD, **more: str):
    file = SimpleUploadedFile("mice.xlsx", data)
    return client.post(f"{ROOT}/import-runs", {"file": file, "template": template, **more}, format="multipart")


@pytest.mark.django_db
def test_a_template_with_faults_is_a_400_with_all_of_them(client):
    mapping = {"name": "x", "columns": {"animal": "id"}, "decimal": ";", "arms": {"A": {"kind": "?", "reference": "A"}}}
    answer = client.post(f"{ROOT}/import-templates", {"name": "x", "mapping": mapping}, format="json")
    assert answer.status_code == 400
    told = answer.json()["mapping"]
    assert [fault.split(" ")[0] for fault in told] == ["decimal:", "columns:", "arms.A.kind:", "arms.A.reference:"]


@pytest.mark.django_db
def test_a_sheet_goes_all_the_way_over_rest(client, template):
    answer = upload(client, template, BAD, masking="open_label")
    assert answer.status_code == 202, answer.content
    run = answer.json()
    assert (run["state"], run["mapping"]["masking"]) == ("checking", "open_label")
    place = f"{ROOT}/import-runs/{run['id']}"
    assert client.post(f"{place}/take", {}, format="json").status_code == 400
    jobs.run(run["job"])
    checked = client.get(place).json()
    assert (checked["state"], checked["counts"]["errors"], checked["counts"]["new"]["animals"]) == ("checked", 1, 1)
    page = client.get(f"{place}/rows", {"is_valid": "false", "limit": 1}).json()
    assert page["count"] == 1 and page["results"][0]["cells"]["d7"] == "250"
    (problem,) = page["results"][0]["problems"]
    assert (problem["sheet"], problem["row"], problem["column"], problem["value"]) == ("Mice", 3, "K", "250")
    assert client.get(f"{place}/rows").json()["count"] == 2
    assert client.get(f"{place}/rows", {"valid": "false"}).status_code == 400
    assert client.get(f"{place}/rows", {"is_valid": "perhaps"}).status_code == 400
    refused = client.post(f"{place}/take", {"valid_rows_only": False}, format="json")
    assert refused.status_code == 400 and "1 of 2 rows" in refused.json()["valid_rows_only"][0]
    taken = client.post(f"{place}/take", {"valid_rows_only": True}, format="json")
    assert (taken.status_code, taken.json()["state"]) == (202, "taking")
    jobs.run(taken.json()["job"])
    assert client.get(place).json()["state"] == "taken"
    assert list(models.Animal.objects.values_list("lab_id", flat=True)) == ["m1"]
    assert client.post(f"{place}/discard").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "field"),
    [({"masking": "half"}, "masking"), ({"colour": "red"}, "colour"), ({"template": "7"}, "template")],
)
def test_a_wrong_form_is_a_400_at_its_field(client, template, form, field):
    answer = upload(client, **{"template": template, **form})
    assert answer.status_code == 400 and field in answer.json()
    assert not models.ImportRun.objects.exists()


@pytest.mark.django_db
def test_an_empty_file_is_a_400(client, template):
    answer = upload(client, template, b"")
    assert answer.status_code == 400 and "file" in answer.json()


@pytest.mark.django_db
def test_another_persons_run_does_not_exist(client, template):
    run = upload(client, template).json()
    other = client_of(works_elsewhere(User.objects.create_user("other", password="a-good-passphrase-2", is_staff=True)))
    for path in ("", "/rows"):
        assert other.get(f"{ROOT}/import-runs/{run['id']}{path}").status_code == 404
    for verb in ("take", "discard"):
        assert other.post(f"{ROOT}/import-runs/{run['id']}/{verb}", {}, format="json").status_code == 404


@pytest.fixture
def files(tmp_path):
    for name, data in (("good.xlsx", GOOD), ("bad.xlsx", BAD)):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "small.json").write_text(json.dumps(MAPPING))
    (tmp_path / "faulty.json").write_text(json.dumps({"name": "f", "columns": {}}))
    return tmp_path


def command(*arguments: object) -> tuple[int, str]:
    """The exit code and what was said."""
    out = io.StringIO()
    try:
        call_command("import", *map(str, arguments), stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


@pytest.mark.django_db
def test_the_command_takes_none_or_the_valid_rows(files, scientist):
    options = ("--template", files / "small.json", "--user", "scientist")
    code, said = command(files / "bad.xlsx", *options)
    assert code == 1 and said.endswith("Nothing was taken.\n")
    assert 'error: Mice!K3 (d7): "250" — expected' in said and "2 rows, 1 of them with errors" in said
    assert in_tables() == {}
    code, said = command(files / "bad.xlsx", *options, "--valid-rows-only")
    assert code == 0 and in_tables()["Animal"] == 1
    code, said = command(files / "good.xlsx", "--template", "small", "--user", "scientist", "--masking", "open_label")
    assert code == 0 and "animals: 1 new, 1 already recorded" in said
    assert models.Experiment.objects.get(code="E1").masking == "blinded"  # it was opened before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("good.xlsx", "--template", "small.json", "--user", "nobody"), "no person with the user name"),
        (("lost.xlsx", "--template", "small.json", "--user", "scientist"), "There is no file"),
        (("good.xlsx", "--template", "unknown", "--user", "scientist"), "There is no template"),
        (("good.xlsx", "--template", "lost.json", "--user", "scientist"), "cannot be read"),
        (("good.xlsx", "--template", "faulty.json", "--user", "scientist"), "no 'animal'"),
    ],
)
def test_the_command_says_what_is_wrong(files, scientist, monkeypatch, arguments, told):
    monkeypatch.chdir(files)
    code, said = command(*arguments)
    assert code == 1 and told in said and in_tables() == {}


def test_a_real_worker_checks_and_takes(committed_db, worker):
    scientist = works_elsewhere(User.objects.create_user("scientist", password="a-good-passphrase-1", is_staff=True))
    client = client_of(scientist)
    body = {"name": "small", "mapping": MAPPING}
    template = client.post(f"{ROOT}/import-templates", body, format="json").json()["id"]
    run = upload(client, template).json()
    place = f"{ROOT}/import-runs/{run['id']}"
    wait_for(lambda: client.get(place).json()["state"] == "checked")
    assert client.post(f"{place}/take", {}, format="json").status_code == 202
    wait_for(lambda: client.get(place).json()["state"] == "taken")
    assert in_tables()["Observation"] == 6
    job = client.get(f"{ROOT}/jobs/{client.get(place).json()['job']}").json()
    assert (job["state"], job["progress_done"], job["progress_total"]) == ("done", 6, 6)


@pytest.mark.django_db
def test_the_command_takes_a_table(tmp_path, scientist, experiment, settings):
    settings.LABDB_FILES_DIR = tmp_path
    (tmp_path / "cages.csv").write_text("experiment,label\nPOI-1,A\n")
    assert command(tmp_path / "cages.csv", "--table", "cages", "--user", "scientist")[0] == 0
    assert experiment.cages.count() == 1
    code, said = command(tmp_path / "cages.csv", "--table", "cages", "--user", "scientist")
    assert code == 1 and "There is already a cage with this label." in said
