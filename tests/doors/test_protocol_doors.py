"""Protocols, plans, procedures and alerts through REST and the admin; masked persons meet none of it."""

import base64
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from experiments.actions.planning import plan_procedures
from experiments.actions.procedures import record_procedure
from experiments.models import Alert, Allocation, Animal, Enrolment, PlannedProcedure, Procedure
from labdb.base.models import AccessToken
from tests.conftest import set_masking
from tests.doors.browser_forms import shown_form
from tests.doors.rest_client import rest_client
from tests.experiments.protocol_rows import DAY_0, draft, followed, issued, licence, weigh

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def planned(experiment, animals, scientist):
    """The first animal's first induction, weighed on day 0."""
    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    weigh(animals[0], experiment, "20.8", 2, scientist)
    return PlannedProcedure.objects.get(enrolment__animal=animals[0], step__name="induction", repeat=1)


@pytest.fixture
def page(client, scientist):
    client.force_login(scientist)
    return client


def do(row, verb):
    return reverse(f"admin:experiments_{row._meta.model_name}_do", args=[row.pk, verb])


# -- REST


def test_a_version_is_issued_and_followed_by_the_next_over_rest(experiment, api):
    version = draft()
    place = f"{API}/protocol-versions/{version.pk}"
    assert api.post(f"{place}/issue").status_code == 200
    again = api.post(f"{place}/issue")
    assert (again.status_code, again.json()) == (
        400, {"non_field_errors": ["CTX, then cells v1 is issued already; make a new version."]},
    )  # fmt: skip
    step = version.steps.first()
    refused = api.change(f"{API}/protocol-steps/{step.pk}", {"relative_day": 3})
    assert "This version is issued, its steps stay as they are; make a new version." in str(refused.json())
    made = api.post(f"{place}/new-version", {"change_note": "later"}, format="json")
    assert (made.status_code, made.json()["number"]) == (201, 2)


def test_a_study_is_planned_moved_and_read_as_a_calendar_over_rest(experiment, animals, scientist, api):
    followed(issued(scientist), experiment)
    place = f"{API}/experiments/{experiment.pk}"
    told = api.post(f"{place}/plan-procedures", {}, format="json").json()
    assert (told["added"], told["changes"]) == (18, [])
    Enrolment.objects.filter(animal=animals[0]).update(day_0=DAY_0 + timedelta(1))
    told = api.post(f"{place}/plan-procedures", {}, format="json").json()
    assert next((c["was_due_on"], c["due_on"]) for c in told["changes"]) == ("2026-03-02", "2026-03-03")
    assert api.post(f"{place}/replan", {}, format="json").json() == {"reason": ["This field is required."]}
    assert api.post(f"{place}/replan", {"reason": "late"}, format="json").json()["changes"] == told["changes"]
    entries = api.get(f"{place}/calendar").json()
    assert (entries["count"], entries["results"][0]["name"], entries["results"][0]["state"]) == (
        18,
        "induction",
        "planned",
    )
    feed = api.get(f"{place}/calendar?format=ics")
    assert feed["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"".join(feed.streaming_content).count(b"BEGIN:VEVENT") == 18
    assert api.get(f"{place}/calendar?format=csv").json() == {"format": ["“csv” is not one of: ics, json."]}


def test_a_refused_plan_says_why_over_rest(experiment, animals, scientist, api):
    licence(experiment, animals_allowed=5)
    followed(issued(scientist, amount=Decimal(400)), experiment)
    refused = api.post(f"{API}/experiments/{experiment.pk}/plan-procedures", {}, format="json")
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "non_field_errors": [
                "induction: Cyclophosphamide 400 mg/kg is outside the limits of one dose for a mouse: 1 to 300 mg/kg.",
                "The licence L-1 allows 5 animals; 0 count already and 6 more were to be planned.",
            ]
        },
    )


def test_a_planned_procedure_is_proposed_and_recorded_over_rest(planned, api):
    place = f"{API}/planned-procedures/{planned.pk}"
    told = api.get(f"{place}/proposal?on=2026-03-02").json()
    assert (told["mg"], told["ml"], told["weight_g"], told["warnings"]) == (2.496, 0.25, 20.8, [])
    asked = {"performed_on": "2026-03-02", "induction": {"given_ml": 0.3}}
    refused = api.post(f"{place}/record", asked, format="json")
    assert refused.json() == {
        "deviation_reason": [
            "It differs from what is planned or allowed: 0.3 mL was given and 0.25 mL planned: +20.00 % where ± 5 % is"
            " allowed. Say why."
        ]
    }
    made = api.post(f"{place}/record", {**asked, "deviation_reason": "slipped"}, format="json")
    assert (made.status_code, made.json()["kind"], made.json()["planned"]) == (201, "induction", str(planned.pk))
    assert api.get(f"{API}/alerts").json()["results"][0]["kind"] == "deviation"
    again = api.post(f"{place}/record", asked, format="json")
    assert "is recorded already" in str(again.json())


def test_details_that_are_added_or_changed_by_themselves_are_compared_too(planned, animals, api):
    enrolment = Enrolment.objects.get(animal=animals[0])
    body = {
        "experiment": str(enrolment.experiment_id), "enrolment": str(enrolment.pk), "planned": str(planned.pk),
        "kind": "induction", "name": "induction", "performed_on": "2026-03-02",
    }  # fmt: skip
    made = api.post(f"{API}/procedures", body, format="json").json()
    planned.refresh_from_db()
    assert planned.state == "done"
    details = {"procedure": made["id"], "agent": "busulfan", "amount": 30, "route": "intraperitoneal"}
    refused = api.post(f"{API}/inductions", details, format="json")
    assert "Agent busulfan instead of cyclophosphamide." in str(refused.json())
    details |= {"agent": "cyclophosphamide", "amount": 120}
    induction = api.post(f"{API}/inductions", details, format="json").json()
    refused = api.change(f"{API}/inductions/{induction['id']}", {"amount": 310})
    assert "outside the limits" in str(refused.json())
    refused = api.change(f"{API}/procedures/{made['id']}", {"performed_on": "2026-03-09"})
    assert refused.status_code == 400
    done = api.change(f"{API}/procedures/{made['id']}", {"performed_on": "2026-03-09", "deviation_reason": "late"})
    assert done.json()["deviation"] == "Done on 2026-03-09, 7 days after 2026-03-02; the window is that day."
    assert Alert.objects.count() == 1


def test_cancelling_assigning_and_overdue_over_rest(planned, scientist, member, experiment, api):
    place = f"{API}/planned-procedures/{planned.pk}"
    technician = member("technician", experiment)
    assert api.post(f"{place}/assign", {"person": str(technician.pk)}, format="json").json()["assigned_to"] == str(
        technician.pk
    )
    assert api.get(f"{API}/planned-procedures/overdue?limit=5").json()["count"] == 18
    assert api.post(f"{place}/cancel", {"reason": "no drug"}, format="json").json()["state"] == "cancelled"
    assert api.get(f"{API}/planned-procedures/overdue").json()["count"] == 17
    assert api.post(f"{place}/cancel", {"reason": "no drug"}, format="json").json() == {
        "non_field_errors": ["It is cancelled already."]
    }


def test_medications_over_rest(planned, scientist, animals, api):
    cells = PlannedProcedure.objects.get(enrolment__animal=animals[0], step__name="cells")
    made = api.post(
        f"{API}/planned-procedures/{cells.pk}/record", {"performed_at": "2026-03-16T09:00:00Z"}, format="json"
    )
    assert made.status_code == 201, made.json()
    overdue = api.get(f"{API}/medications/overdue").json()
    assert overdue["count"] == 5
    first, second = (f"{API}/medications/{row['id']}" for row in overdue["results"][:2])
    assert api.post(f"{first}/give", {"given_at": "2026-03-16T09:05:00Z"}, format="json").json()["given_by"] == str(
        scientist.pk
    )
    assert api.post(f"{second}/omit", {}, format="json").json() == {"reason": ["This field is required."]}
    assert api.post(f"{second}/omit", {"reason": "asleep"}, format="json").json()["omitted_reason"] == "asleep"


def test_alerts_are_resolved_over_rest(animals, experiment, scientist, member, api):
    weigh(animals[0], experiment, 20, 2, scientist)
    weigh(animals[0], experiment, 15, 5, scientist)
    place = f"{API}/alerts/{Alert.objects.get().pk}"
    technician = member("technician", experiment)
    assert api.post(f"{place}/assign", {"owner": str(technician.pk)}, format="json").json()["owner"] == str(
        technician.pk
    )
    assert api.post(f"{place}/resolve", {"resolution": "fed"}, format="json").json()["state"] == "resolved"
    assert "resolved this alert before: fed" in str(
        api.post(f"{place}/resolve", {"resolution": "x"}, format="json").json()
    )


def test_a_calendar_program_reads_the_feed_with_a_token_as_its_password(planned, scientist, client):
    PlannedProcedure.objects.update(
        due_on=timezone.localdate(), earliest_on=timezone.localdate(), latest_on=timezone.localdate()
    )
    _, secret = AccessToken.objects.create(user=scientist)
    place = f"{API}/planned-procedures/calendar"
    basic = base64.b64encode(f"anything:{secret}".encode()).decode()
    feed = client.get(place, HTTP_AUTHORIZATION=f"Basic {basic}")
    assert feed["Content-Type"] == "text/calendar; charset=utf-8"
    assert b"".join(feed.streaming_content).count(b"BEGIN:VEVENT") == 18
    assert client.get(place).status_code == 401
    wrong = base64.b64encode(b"anything:wrong").decode()
    assert client.get(place, HTTP_AUTHORIZATION=f"Basic {wrong}").status_code == 401
    assert client.get(f"{API}/planned-procedures", HTTP_AUTHORIZATION=f"Basic {basic}").status_code == 401


# -- admin


def test_a_version_is_issued_in_the_admin(experiment, page):
    version = draft()
    assert b"Issue" in page.get(reverse("admin:experiments_protocolversion_change", args=[version.pk])).content
    page.post(do(version, "issue"))
    version.refresh_from_db()
    assert version.issued_at
    answer = page.post(do(version, "new-version"), {"change_note": "later"})
    assert answer.status_code == 302
    assert version.protocol.versions.count() == 2


def test_the_form_of_a_planned_procedure_shows_what_to_give_and_asks_why_it_differs(planned, page):
    shown = page.get(do(planned, "record"))
    assert b"Cyclophosphamide 120 mg/kg for 20.8 g: 2.496 mg, 0.25 mL of 10 mg/mL." in shown.content
    sent = {**shown_form(shown), "performed_on": "2026-03-02", "given_ml": "0.3"}
    refused = page.post(do(planned, "record"), sent)
    assert "0.3 mL was given and 0.25 mL planned" in str(refused.context["form"].errors["deviation_reason"])
    assert not Procedure.objects.exists()
    assert page.post(do(planned, "record"), {**sent, "deviation_reason": "slipped"}).status_code == 302
    assert Procedure.objects.get().induction.given_ml == Decimal("0.3")


def test_planning_is_a_button_of_the_experiment(experiment, animals, scientist, page):
    followed(issued(scientist), experiment)
    page.post(do(experiment, "plan-procedures"))
    assert PlannedProcedure.objects.count() == 18
    shown = page.get(reverse("admin:experiments_experiment_page", args=[experiment.pk])).content.decode()
    assert "Planned and done" in shown
    assert "0 of 6" in shown


def test_the_home_page_tells_what_is_due_and_who_is_under_alert(planned, animals, experiment, scientist, page):
    weigh(animals[0], experiment, 15, 5, scientist)
    shown = page.get(reverse("admin:index")).content.decode()
    assert "M001: Day 3: 15 g is 27.88 % below" in shown
    assert "overdue" in shown
    alert = Alert.objects.get()
    page.post(do(alert, "resolve"), {"resolution": "fed"})
    assert "No alert is open." in page.get(reverse("admin:index")).content.decode()


def test_the_calendar_has_a_line_a_day_and_step(planned, page):
    place = reverse("admin:experiments_plannedprocedure_calendar")
    shown = page.get(f"{place}?month=2026-03").content.decode()
    assert shown.count('class="lab-card lab-day"') == 3
    assert "M001, M002, M003, M004, M005, M006" in shown
    assert page.get(f"{place}?month=2026-13").status_code == 404
    assert "Nothing is planned in this month." in page.get(f"{place}?month=2020-01").content.decode()


def test_licences_tell_how_many_animals_count(planned, experiment, page):
    licence(experiment)
    assert "6 of 60" in page.get(reverse("admin:experiments_licence_changelist")).content.decode()


# -- masked persons


MASKED_PAGES = [
    "admin:index", "admin:experiments_plannedprocedure_changelist", "admin:experiments_plannedprocedure_calendar",
    "admin:experiments_alert_changelist", "admin:experiments_medication_changelist", "admin:experiments_cage_changelist",
]  # fmt: skip
MASKED_PLACES = [
    "planned-procedures",
    "planned-procedures/overdue",
    "alerts",
    "medications",
    "medications/overdue",
    "inductions",
    "doses",
]


@pytest.mark.parametrize("role", ["assessor", "analyst"])
def test_masked_persons_meet_no_plan_dose_or_alert(planned, animals, experiment, scientist, member, client, role):
    record_procedure(planned=planned, performed_on=DAY_0 + timedelta(3), deviation_reason="late", by=scientist)
    weigh(animals[1], experiment, 20, 2, scientist)
    weigh(animals[1], experiment, 15, 5, scientist)
    assert Alert.objects.count() == 2
    set_masking(experiment, "blinded")
    person = member(role, experiment)
    client.force_login(person)
    for name in MASKED_PAGES:
        shown = client.get(
            f"{reverse(name)}{'?month=2026-03&whose=all' if name.endswith('calendar') else ''}"
        ).content.decode()
        for secret in ("induction", "cyclophosphamide", "below the reference", "overdue</span>"):
            assert secret not in shown, (name, secret)
    api = rest_client(person)
    for noun in MASKED_PLACES:
        assert api.get(f"{API}/{noun}").json()["count"] == 0, noun
    assert api.get(f"{API}/experiments/{experiment.pk}/calendar").json()["count"] == 0
    feed = api.get(f"{API}/planned-procedures/calendar")
    assert b"VEVENT" not in b"".join(feed.streaming_content)
    place = f"{API}/planned-procedures/{planned.pk}"
    bodies = {"record": {}, "cancel": {"reason": "x"}, "assign": {"person": None}}
    assert [api.post(f"{place}/{verb}", body, format="json").status_code for verb, body in bodies.items()] == [404] * 3
    assert api.get(f"{place}/proposal").status_code == 404
    assert client.get(do(planned, "record")).status_code in (302, 404)
    shown = client.get(reverse("admin:experiments_experiment_page", args=[experiment.pk])).content.decode()
    assert "Planned and done" not in shown


# -- costs


def _more_animals(experiment, first, last):
    strain, arm = Animal.objects.first().strain, experiment.arms.first()
    made = [Animal(lab_id=f"X{number:04}", strain=strain) for number in range(first, last)]
    Animal.objects.bulk_create(made)
    enrolments = [Enrolment(experiment=experiment, animal=animal, day_0=DAY_0) for animal in made]
    Enrolment.objects.bulk_create(enrolments)
    Allocation.objects.bulk_create([Allocation(experiment=experiment, enrolment=e, arm=arm) for e in enrolments])


@pytest.mark.parametrize("ask", ["plan", "home", "calendar", "experiment"])
def test_the_number_of_queries_does_not_grow(planned, experiment, scientist, page, ask):
    places = {
        "home": reverse("admin:index"),
        "calendar": reverse("admin:experiments_plannedprocedure_calendar") + "?month=2026-03",
        "experiment": reverse("admin:experiments_experiment_page", args=[experiment.pk]),
    }
    counts = []
    for first, last in ((0, 10), (10, 350)):  # three planned procedures an animal
        _more_animals(experiment, first, last)
        if ask != "plan":
            plan_procedures(experiment=experiment, by=scientist)
        with CaptureQueriesContext(connection) as queries:
            plan_procedures(experiment=experiment, by=scientist) if ask == "plan" else page.get(places[ask])
        counts.append(len(queries))
    assert counts[0] == counts[1]
