"""The pages of the trail: what happened to a row, what a person did, what happened in the laboratory; as CSV and REST."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Cage, Endpoint, Experiment, Housing, Strain
from labdb.base.acting import acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, scientist):
    client.force_login(scientist)
    return client


def url_of(row, view: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk])


def weigh(experiment, animals, person, number=20) -> None:
    weight, day_7 = Endpoint.objects.get(key="body_weight"), experiment.timepoints.get(study_day=7)
    at = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    new = [
        NewObservation(endpoint=weight.pk, animal=a.pk, timepoint=day_7.pk, observed_at=at, number=Decimal(number + i))
        for i, a in enumerate(animals)
    ]
    record_observations(experiment=experiment, observations=new, by=person)


def told(answer) -> list[tuple]:
    """Person, door, reason, kind, row, action and changed fields, a line a change."""
    return [
        (
            event.person,
            event.door,
            event.reason,
            change.kind,
            str(change.row),
            change.action,
            {each.label: (str(each.old or ""), str(each.new or "")) for each in change.fields},
        )
        for event in answer.context["events"]
        for change in event.changes
    ]


def rows_of(answer) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_what_happened_to_a_mouse(asked, experiment, animals, scientist, member):
    colleague = member("technician", experiment, "colleague")
    cage = Cage(experiment=experiment, label="C-12")
    cage.save()
    Housing(animal=animals[0], cage=cage, started_on=date(2026, 2, 20)).save()
    weigh(experiment, animals, scientist)
    animals[0].sex = "M"
    with acting(person=colleague, door="REST", reason="seen at the cage"):
        animals[0].save()
    answer = asked.get(url_of(animals[0], "history"))
    lines = told(answer)
    change = {"sex": ("female", "male")}
    assert lines[0] == ("colleague", "REST", "seen at the cage", "animal", "M001", "changed", change)
    assert {kind for _, _, _, kind, *_ in lines} == {
        "animal", "observation", "housing", "allocation", "enrolment",
    }  # fmt: skip
    assert all("M002" not in row for _, _, _, _, row, *_ in lines)
    housed = next(fields for *_, kind, _, _, fields in lines if kind == "housing")
    assert housed["cage"] == ("", "C-12")
    page = answer.content.decode()
    assert url_of(cage, "change") in page
    assert answer.context["n"] == str(len(lines))


def test_what_happened_in_an_experiment_and_to_what_is_gone(asked, experiment, scientist):
    strain = Strain(name="CD1")
    strain.save()
    url = url_of(strain, "history")
    with acting(person=scientist, reason="entered twice"):
        strain.delete()
    gone = asked.get(url)
    assert [action for *_, action, _ in told(gone)] == ["deleted", "added"]
    assert "entered twice" in gone.content.decode()
    lines = told(asked.get(url_of(experiment, "history")))
    assert {kind for _, _, _, kind, *_ in lines} == {"experiment", "membership", "arm", "timepoint"}


def test_entries_of_what_one_may_not_see_are_neither_there_nor_counted(client, experiment, animals, member):
    Experiment.objects.filter(pk=experiment.pk).update(masking="blinded")
    url = url_of(animals[0], "history")
    counts = {}
    for role in ("scientist", "assessor"):
        client.force_login(member(role, experiment))
        answer = client.get(url)
        counts[role] = int(answer.context["n"])
        kinds = {kind for _, _, _, kind, *_ in told(answer)}
        assert ("allocation" in kinds) == (role == "scientist")
        assert ("POI + PBS" in answer.content.decode()) == (role == "scientist")
        csv_kinds = {row["kind"] for row in rows_of(client.get(url + "?format=csv"))}
        assert csv_kinds == kinds
    assert counts["assessor"] == counts["scientist"] - 1
    client.force_login(get_user_model().objects.create_user("stranger", is_staff=True))
    assert client.get(url).status_code == 404
    assert client.get(url_of(experiment, "history")).status_code == 404


def test_a_secret_is_told_to_have_changed_and_no_more(client, scientist):
    root = get_user_model().objects.create_superuser("root")
    scientist.set_password("another-passphrase-2")
    scientist.save()
    client.force_login(root)
    page = client.get(url_of(scientist, "history")).content.decode()
    assert "password" in page.lower()
    assert scientist.password not in page
    assert "another-passphrase-2" not in page


def test_who_sees_what_others_did(client, experiment, animals, scientist, member):
    weigh(experiment, animals, scientist)
    auditor, technician = member("auditor", experiment), member("technician", experiment)
    others, lab = reverse("admin:trail_person", args=[scientist.pk]), reverse("admin:trail")
    client.force_login(technician)
    assert [client.get(url).status_code for url in (others, lab)] == [403, 403]
    own = client.get(reverse("admin:trail_mine"))
    assert own.status_code == 200
    assert told(own) == []
    client.force_login(auditor)
    assert client.get(lab).status_code == 200
    answer = client.get(others)
    assert {person for person, *_ in told(answer)} == {"scientist"}
    assert {kind for _, _, _, kind, *_ in told(answer)} == {"observation"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?kind=experiments_animal", {"animal"}),
        ("?q=7.25", {"observation"}),
        ("?q=seen at the cage", {"animal"}),
        ("?action=U", {"animal"}),
        ("?since=2000-01-01&until=2000-01-02", set()),
        ("?kind=nonsense", set()),
    ],
)
def test_filters(query, expected, asked, experiment, animals, scientist):
    weigh(experiment, animals[:1], scientist, Decimal("17.25"))
    animals[0].sex = "M"
    with acting(person=scientist, reason="seen at the cage"):
        animals[0].save()
    answer = asked.get(url_of(animals[0], "history") + query)
    assert {kind for _, _, _, kind, *_ in told(answer)} == expected


def test_the_person_filter(asked, experiment, animals, scientist):
    weigh(experiment, animals, scientist)
    url = url_of(experiment, "history")
    assert {person for person, *_ in told(asked.get(f"{url}?person={scientist.pk}"))} == {"scientist"}


def test_pages_end_and_nothing_is_left_out(asked, experiment, animals, scientist):
    Cage.objects.bulk_create(Cage(experiment=experiment, label=f"C{number:03}") for number in range(120))
    url, seen = url_of(experiment, "history") + "?kind=experiments_cage", []
    while url:
        answer = asked.get(url)
        seen += [row for _, _, _, _, row, *_ in told(answer)]
        older = answer.context["older_url"]
        url = older and url_of(experiment, "history") + older
    assert len(seen) == len(set(seen)) == 120
    assert answer.context["n"] == "120"


def test_a_page_asks_as_often_for_many_entries_as_for_few(asked, experiment, animals, scientist):
    def queries() -> int:
        asked.get(url_of(experiment, "history"))
        with CaptureQueriesContext(connection) as found:
            asked.get(url_of(experiment, "history"))
        return len(found)

    weigh(experiment, animals[:1], scientist)
    few = queries()
    weigh(experiment, animals[1:], scientist)
    assert queries() == few


def test_csv_runs_nothing_and_leaves_numbers_alone(asked, experiment, animals, scientist):
    cages = [Cage(experiment=experiment, label=label) for label in ("=1+1", "@x", "-5", "+49 30", "\tx")]
    Cage.objects.bulk_create(cages)
    rows = rows_of(asked.get(url_of(experiment, "history") + "?kind=experiments_cage&format=csv"))
    labels = {row["new"] for row in rows if row["field"] == "label"}
    assert labels == {"'=1+1", "'@x", "-5", "'+49 30", "'\tx"}
    assert rows[0]["at"].endswith("+00:00")


# -- REST


def test_the_trail_over_rest(api, experiment, animals, scientist, member):
    animals[0].sex = "M"
    with acting(person=scientist, door="REST", reason="seen"):
        animals[0].save()
    answer = api.get("/api/v1/trail", {"object": str(animals[0].pk), "action": "U"})
    assert answer.status_code == 200
    told = json.loads(answer.content)
    assert told["count"] == 1
    entry = told["results"][0]
    assert (entry["old"], entry["new"], entry["reason"]) == ({"sex": "F"}, {"sex": "M"}, "seen")
    assert (entry["table"], entry["person"], entry["door"]) == ("experiments_animal", str(scientist.pk), "REST")
    lines = rows_of(api.get("/api/v1/trail", {"object": str(animals[0].pk), "format": "csv"}))
    assert [line["action"] for line in lines] == ["U", "I"]


@pytest.mark.parametrize(
    "query", ["?objct=x", "?at__gte=yesterday", "?person=x", "?format=xml", "?action=Z", "?limit=0"]
)
def test_the_trail_over_rest_is_strict(query, api, experiment):
    assert api.get(f"/api/v1/trail{query}").status_code == 400


def test_the_trail_over_rest_shows_what_one_may_see(client, experiment, animals, scientist, member):
    client.force_login(get_user_model().objects.create_user("stranger", is_staff=True))
    told = json.loads(client.get(f"/api/v1/trail?experiment={experiment.pk}").content)
    assert told["count"] == 0
    client.force_login(scientist)
    told = json.loads(client.get(f"/api/v1/trail?experiment={experiment.pk}&table=experiments_allocation").content)
    assert told["count"] == len(animals)
    Experiment.objects.filter(pk=experiment.pk).update(masking="blinded")
    client.force_login(member("assessor", experiment))
    told = json.loads(client.get(f"/api/v1/trail?experiment={experiment.pk}&table=experiments_allocation").content)
    assert told["count"] == 0
