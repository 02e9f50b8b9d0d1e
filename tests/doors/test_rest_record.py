"""Observations through their verbs, the tidy table, the summary, files, reports and jobs over REST."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Endpoint, Experiment, Job, Observation
from tests.doors.invalid_cases import World

pytestmark = pytest.mark.django_db
API = "/api/v1"


def new(world: World, number: int, **fields):
    row = {"experiment": world.experiment.pk, "endpoint": world.endpoint.pk, "animal": world.animals[number].pk}
    row |= {"timepoint": world.timepoint.pk, "observed_at": "2026-03-09T09:30:00+01:00", "value": 20 + number}
    return {**{k: str(v) if k != "value" else v for k, v in row.items()}, **fields}


def test_every_digit_comes_back(api, world: World):
    number = "21.40000000000000000000000000000012345"
    body = json.dumps(new(world, 0)).replace('"value": 20', f'"value": {number}')
    made = api.post(f"{API}/observations", body, content_type="application/json")
    assert made.status_code == 201, made.json()
    assert f'"value":{number}' in made.content.decode()
    assert Observation.objects.get().value == Decimal(number)
    assert made.json()["observed_at"] == "2026-03-09T08:30:00Z"


@pytest.mark.parametrize("lines", [False, True], ids=["array", "JSON lines"])
def test_many_at_once_are_all_taken_in_their_order(api, world: World, lines):
    rows = [new(world, number) for number in range(6)]
    body = "\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows)
    kind = "application/x-ndjson" if lines else "application/json"
    made = api.post(f"{API}/observations", body, content_type=kind)
    assert (made.status_code, made.json()["created"]) == (200, 6)
    animals = dict(Observation.objects.values_list("id", "animal_id"))
    assert [str(animals[_uuid(i)]) for i in made.json()["ids"]] == [row["animal"] for row in rows]


def _uuid(text):
    import uuid

    return uuid.UUID(text)


def test_every_row_that_is_refused_is_named_and_none_is_taken(api, world: World):
    rows = [
        new(world, 0),
        new(world, 1, valeu=3),
        new(world, 2, observed_at="2026-03-09T09:30:00"),
        new(world, 3, value="heavy", ordinal=True),
        new(world, 4, qualifier="<"),
        {},
        7,
    ]
    answer = api.post(f"{API}/observations", json.dumps(rows), content_type="application/json")
    assert answer.status_code == 400
    named = {(row["row"], row["field"]) for row in answer.json()["rows"]}
    expected = {(2, "valeu"), (3, "observed_at"), (4, "value"), (4, "ordinal"), (5, "value"), (7, "non_field_errors")}
    assert named >= expected | {(6, "experiment"), (6, "endpoint"), (6, "observed_at")}
    assert not any(row == 1 for row, _ in named)
    again = api.post(
        f"{API}/observations",
        json.dumps([new(world, 0), new(world, 0), new(world, 1, unit="mL")]),
        content_type="application/json",
    )
    assert [(r["row"], r["field"]) for r in again.json()["rows"]] == [(3, "unit")]
    twice = api.post(f"{API}/observations", json.dumps([new(world, 0), new(world, 0)]), content_type="application/json")
    assert {r["row"] for r in twice.json()["rows"]} == {1, 2}
    assert not Observation.objects.exists()


def test_a_hormone_is_sent_in_molar_units(api, world: World):
    e2 = str(Endpoint.objects.get(key="e2").pk)
    body = new(world, 0, endpoint=e2, value=367.1, unit="pmol/L")
    made = api.post(f"{API}/observations", body, format="json")
    assert made.status_code == 201, made.json()
    told = made.json()
    assert (told["value"], told["unit"], told["entered_value"], told["entered_unit"]) == (100, "pg/mL", 367.1, "pmol/L")
    newer = api.post(f"{made['Location']}/correct", {"value": 73.42, "unit": "pmol/L", "reason": "x"}, format="json")
    assert (newer.json()["value"], newer.json()["entered_value"]) == (20, 73.42)
    refused = api.post(f"{API}/observations", {**body, "unit": "mIU/mL"}, format="json")
    assert (refused.status_code, list(refused.json())) == (400, ["unit"])


def test_an_observation_is_corrected_never_changed(api, world: World):
    made = api.post(f"{API}/observations", new(world, 0), format="json")
    place = made["Location"]
    assert api.patch(place, {"value": 1}, format="json").status_code == 405
    refused = api.post(f"{place}/correct", {"value": 21.5}, format="json")
    assert list(refused.json()) == ["reason"]
    newer = api.post(f"{place}/correct", {"value": 21500, "unit": "mg", "reason": "scale read in mg"}, format="json")
    assert newer.status_code == 201, newer.json()
    told = newer.json()
    assert (told["value"], told["entered_unit"], told["supersedes"]) == (21.5, "mg", made.json()["id"])
    assert api.get(place).json()["is_current"] is False
    again = api.post(f"{place}/correct", {"value": 1, "reason": "again"}, format="json")
    assert again.status_code == 400
    assert "already corrected" in str(again.json())


def observe(world: World, key: str, which: int, **fields) -> None:
    at = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    endpoint = Endpoint.objects.get(key=key)
    row = NewObservation(endpoint=endpoint.pk, animal=world.animals[which].pk, observed_at=at, **fields)
    record_observations(experiment=world.experiment, observations=[row], by=world.person)


def dataset(api, world: World, kind: str):
    answer = api.get(
        f"{API}/experiments/{world.experiment.pk}/dataset", {"format": kind}, HTTP_ACCEPT="application/json"
    )
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_the_tidy_table(api, world: World, settings):
    settings.TIME_ZONE = "Europe/Zurich"
    observe(world, "body_weight", 0, number=Decimal("21.40"), timepoint=world.timepoint.pk)
    observe(world, "e2", 1, number=Decimal(5), qualifier="<")
    observe(world, "welfare_score", 2, number=Decimal(-1), reader="=1+2")
    rows = list(csv.DictReader(io.StringIO(dataset(api, world, "csv"))))
    assert [row["endpoint"] for row in rows] == ["body_weight", "e2", "welfare_score"]
    weight, e2, score = rows
    assert (weight["animal"], weight["strain"], weight["arm"], weight["cage"]) == (
        "M001",
        "C57BL/6J",
        "POI + PBS",
        "C1",
    )
    # 23:30 UTC is the next day in Zurich
    assert (weight["planned_study_day"], weight["study_day"], weight["value"]) == ("7", "8", "21.40")
    assert weight["observed_at"] == "2026-03-09T23:30:00Z"
    assert (e2["qualifier"], e2["limit"], e2["value"], e2["cage"]) == ("<", "5", "", "")
    assert (score["value"], score["reader"]) == ("-1", "'=1+2")
    same = json.loads(dataset(api, world, "json"), parse_float=Decimal)
    assert [row["endpoint"] for row in same] == ["body_weight", "e2", "welfare_score"]
    assert str(same[0]["value"]) == "21.40"
    assert same[2]["reader"] == "=1+2"
    assert list(same[0]) == list(rows[0])


def test_no_text_of_the_tidy_table_starts_a_formula(api, world: World):
    """Every text column at once; whatever a person typed, a spreadsheet must not run it."""
    from experiments.models import Animal, Arm, Cage, Litter, Strain, Timepoint

    for sign in ("=", "+", "-", "@", "\t", "\r"):
        evil = f'{sign}HYPERLINK("x"),"\n'
        Animal.objects.filter(pk=world.animals[0].pk).update(lab_id=evil, litter=world.litter)
        for model, name in ((Arm, "label"), (Strain, "name"), (Cage, "label"), (Litter, "code"), (Timepoint, "label")):
            row = {Arm: world.arms[0], Strain: world.animals[0].strain, Cage: world.cage, Litter: world.litter}
            model.objects.filter(pk=row.get(model, world.timepoint).pk).update(**{name: evil})
        Experiment.objects.filter(pk=world.experiment.pk).update(code=evil)
        Observation.objects.all().delete()
        observe(world, "body_weight", 0, number=Decimal(-2), reader=evil, timepoint=world.timepoint.pk)
        (row,) = csv.DictReader(io.StringIO(dataset(api, world, "csv"), newline=""))
        escaped = {name for name, text in row.items() if text == f"'{evil}"}
        assert escaped == {"experiment", "animal", "strain", "arm", "cage", "litter", "timepoint", "reader"}
        assert row["value"] == "-2"
        assert json.loads(dataset(api, world, "json"))[0]["animal"] == evil


def test_the_arm_is_absent_for_the_masked_and_an_empty_table_is_one(api, world: World, member):
    assert json.loads(dataset(api, world, "json")) == []
    Experiment.objects.filter(pk=world.experiment.pk).update(masking="blinded")
    observe(world, "body_weight", 0, number=Decimal(20))
    assert "arm" in json.loads(dataset(api, world, "json"))[0]
    api.force_authenticate(member("assessor", world.experiment))
    header = dataset(api, world, "csv").splitlines()[0].split(",")
    assert "arm" not in header
    assert "cage" in header
    assert "arm" not in json.loads(dataset(api, world, "json"))[0]


def test_a_summary_is_asked_for_computed_and_read(api, world: World):
    api.post(f"{API}/observations", json.dumps([new(world, n) for n in range(6)]), content_type="application/json")
    place = f"{API}/experiments/{world.experiment.pk}"
    assert api.get(f"{place}/summary").json()["experiment"]["is_stale"] is True
    asked = api.post(f"{place}/summarise")
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    assert jobs.run(asked.json()["id"])
    polled = api.get(asked["Location"]).json()
    assert (polled["state"], polled["result"]["computed"]) == ("done", 1)
    told = api.get(f"{place}/summary").json()
    (summary,) = told["summaries"]
    assert (told["experiment"]["is_stale"], summary["is_stale"], summary["endpoint_key"]) == (
        False,
        False,
        "body_weight",
    )
    by_arm = {e["arm_label"] for e in summary["estimates"]}
    assert {"POI + PBS", "POI + MSC"} <= by_arm
    assert len(summary["estimates"]) == api.get(f"{API}/estimates?summary={summary['id']}").json()["count"]
    Experiment.objects.filter(pk=world.experiment.pk).update(masking="blinded")
    assert api.get(f"{API}/estimates?summary={summary['id']}").json()["count"] == 0
    assert api.get(f"{place}/summary").json()["summaries"][0]["estimates"] == []


def test_a_file_is_received_once_and_comes_back_unaltered(api, world: World, settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path
    data = bytes(range(256)) * 20
    made = api.post(
        f"{API}/source-files", {"file": _file(data), "experiment": str(world.experiment.pk)}, format="multipart"
    )
    assert (made.status_code, made.json()["size_bytes"]) == (201, 5120)
    back = api.get(f"{made['Location']}/content", HTTP_ACCEPT="application/octet-stream")
    assert b"".join(back.streaming_content) == data
    assert 'filename="plate.txt"' in back["Content-Disposition"]
    again = api.post(
        f"{API}/source-files", {"file": _file(data), "experiment": str(world.experiment.pk)}, format="multipart"
    )
    assert again.json()["id"] == made.json()["id"]
    empty = api.post(f"{API}/source-files", {"file": _file(b"")}, format="multipart")
    assert list(empty.json()) == ["file"]
    settings.LABDB_MAX_UPLOAD_BYTES = 10
    big = api.post(f"{API}/source-files", {"file": _file(data + b"x")}, format="multipart")
    assert (big.status_code, list(big.json())) == (400, ["file"])
    (tmp_path / made.json()["sha256"][:2] / made.json()["sha256"]).unlink()
    assert api.get(f"{made['Location']}/content").status_code == 404


def _file(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("plate.txt", data)


def test_a_report_is_asked_for_and_fetched_when_it_is_there(api, world: World, settings, tmp_path):
    from experiments.actions.files import keep_bytes
    from experiments.models import Report

    settings.LABDB_FILES_DIR = tmp_path
    made = api.post(f"{API}/reports", {"experiment": str(world.experiment.pk)}, format="json")
    assert made.status_code == 201, made.json()
    assert (made.status_code, made.json()["sha256"]) == (201, "")
    assert Job.objects.get(pk=made.json()["job"]).kind == "render_report"
    early = api.get(f"{made['Location']}/content", HTTP_ACCEPT="application/pdf")
    assert (early.status_code, early["Content-Type"]) == (404, "application/json")
    digest = keep_bytes(b"%PDF-1.7 ...")
    Report.objects.filter(pk=made.json()["id"]).update(sha256=digest, rendered_at=datetime.now(UTC))
    there = api.get(f"{made['Location']}/content", HTTP_ACCEPT="application/pdf")
    assert (there.status_code, there["Content-Type"]) == (200, "application/pdf")
    assert b"".join(there.streaming_content) == b"%PDF-1.7 ..."
