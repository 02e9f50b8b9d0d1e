"""Closing and reopening at the admin and over REST, and what a closed experiment says to whoever writes."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from experiments.actions.closing import close_experiment, reopen_experiment
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Animal, Endpoint, Experiment, ExperimentLock, Strain
from labdb.base.errors import KEPT
from tests.doors.browser_forms import shown_form
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def closed(experiment, animals, scientist):
    new = NewObservation(
        endpoint=Endpoint.objects.get(key="body_weight").pk,
        animal=animals[0].pk,
        observed_at=datetime(2026, 3, 9, 9, 30, tzinfo=UTC),
        number=Decimal("21.4"),
    )
    record_observations(experiment=experiment, observations=[new], by=scientist)
    close_experiment(experiment=experiment, reason="Analysis is frozen.", by=scientist)
    return experiment


@pytest.fixture
def neighbour(closed, member):
    """Who directs another experiment, and shares strain and animals with the closed one."""
    other = Experiment(code="POI-2", title="another", masking="open_label")
    other.save()
    return member("director", other)


def page_of(row, view: str, *more) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk, *more])


def test_a_script_closes_reads_the_history_and_reopens(api, experiment, scientist):
    place = f"{API}/experiments/{experiment.pk}"
    assert api.post(f"{place}/close", {}, format="json").status_code == 400
    answer = api.post(f"{place}/close", {"reason": "Done."}, format="json")
    assert (answer.status_code, answer.json()["closed_by"]) == (200, str(scientist.pk))
    assert api.get(place).json()["status"] == "closed"
    assert api.change(place, {"title": "other"}).status_code == 409
    answer = api.post(f"{place}/reopen", {"reason": "Not done."}, format="json")
    assert (answer.status_code, answer.json()["reopen_reason"]) == (200, "Not done.")
    history = api.get(f"{API}/experiment-locks?experiment={experiment.pk}").json()["results"]
    assert [(row["reason"], row["reopen_reason"]) for row in history] == [("Done.", "Not done.")]
    assert api.get(f"{API}/experiment-locks/{history[0]['id']}").json() == history[0]
    assert api.post(f"{API}/experiment-locks", {}, format="json").status_code == 405


def test_who_does_not_direct_it_is_refused_and_an_outsider_finds_nothing(closed, member, django_user_model):
    place = f"{API}/experiments/{closed.pk}/reopen"
    assert rest_client(member("scientist", closed)).post(place, {"reason": "x"}, format="json").status_code == 403
    outsider = rest_client(django_user_model.objects.create_user("outsider"))
    assert outsider.post(place, {"reason": "x"}, format="json").status_code == 404
    assert outsider.get(f"{API}/experiment-locks").json()["count"] == 0


def test_a_row_of_the_laboratory_that_it_uses_is_a_conflict(api, closed):
    strain = Strain.objects.get()
    place = f"{API}/strains/{strain.pk}"
    answer = api.change(place, {"name": "other"})
    assert (answer.status_code, Strain.objects.get().name) == (409, strain.name)
    assert "POI-1 was closed by scientist" in answer.json()["detail"]
    assert api.change(place, {"rrid": "IMSR_JAX:000664"}).status_code == 200


def test_the_admin_closes_with_a_reason_and_tells_it_on_every_page(client, experiment, animals, scientist):
    client.force_login(scientist)
    do = page_of(experiment, "do", "close")
    assert "until a director opens it again" in client.get(do).content.decode()
    assert not ExperimentLock.objects.exists()
    assert client.post(do, {"reason": "Analysis is frozen."}).status_code == 302
    lock = ExperimentLock.objects.get()
    told = f"closed by scientist on {lock.closed_at:%Y-%m-%d at %H:%M}: Analysis is frozen."
    pages = [page_of(experiment, "page"), page_of(Animal.objects.first(), "page")]
    pages += [page_of(experiment, "change"), page_of(experiment.arms.first(), "change")]
    for page in pages:
        assert told in client.get(page).content.decode(), page
    body = client.get(pages[0]).content.decode()
    assert page_of(experiment, "do", "reopen") in body and f'href="{do}"' not in body
    assert client.post(page_of(experiment, "do", "reopen"), {"reason": "Not done."}).status_code == 302
    assert told not in client.get(pages[0]).content.decode()


def test_the_admin_says_why_a_form_is_refused(client, closed, scientist):
    client.force_login(scientist)
    strain = Strain.objects.get()
    given = shown_form(client.get(page_of(strain, "change"))) | {"name": "other", "reason_for_change": "a typo"}
    answer = client.post(page_of(strain, "change"), given)
    assert answer.status_code == 200 and "POI-1 was closed by scientist" in answer.content.decode()
    assert Strain.objects.get().name == strain.name


def test_who_does_not_see_the_experiment_learns_only_that_there_is_one(client, neighbour):
    strain = Strain.objects.get()
    answer = rest_client(neighbour).change(f"{API}/strains/{strain.pk}", {"name": "other"})
    assert (answer.status_code, answer.json()) == (409, {"detail": KEPT})
    client.force_login(neighbour)
    given = shown_form(client.get(page_of(strain, "change"))) | {"name": "other", "reason_for_change": "a typo"}
    answer = client.post(page_of(strain, "change"), given)
    body = answer.content.decode()
    assert answer.status_code == 200 and KEPT in body
    assert not [told for told in ("POI-1", "closed by", "Analysis is frozen.") if told in body]
    assert Strain.objects.get().name == strain.name


def test_what_was_entered_while_somebody_closed_the_experiment_is_kept(client, experiment, scientist):
    client.force_login(scientist)
    arm = experiment.arms.first()
    pages = {
        page_of(experiment, "change"): {"title": "the title that was entered", "timepoints-0-label": "entered"},
        page_of(arm, "change"): {"label": "the label that was entered"},
    }
    began = {page: shown_form(client.get(page)) for page in pages}
    lock = close_experiment(experiment=experiment, reason="Analysis is frozen.", by=scientist)
    for page, entered in pages.items():
        answer = client.post(page, began[page] | entered | {"reason_for_change": "a typo"})
        body = answer.content.decode()
        assert answer.status_code == 200, page
        assert f"closed by scientist on {lock.closed_at:%Y-%m-%d at %H:%M}: Analysis is frozen." in body
        assert 'class="errorlist"' not in body, "nothing else is asked for"
        again = shown_form(answer)
        assert {name: again[name] for name in entered} == entered
        assert again["reason_for_change"] == "a typo"
        assert client.post(page, again).status_code == 200  # still closed
    experiment.refresh_from_db()
    arm.refresh_from_db()
    assert (experiment.title, arm.label) == ("MSC in POI mice", "POI + PBS")
    reopen_experiment(experiment=experiment, reason="Not done.", by=scientist)
    assert client.post(page, again).status_code == 302
    arm.refresh_from_db()
    assert arm.label == "the label that was entered"


def test_a_form_of_a_closed_experiment_is_refused_as_ever_to_who_may_not_change_it(client, closed, member):
    client.force_login(member("analyst", closed))
    assert client.post(page_of(closed, "change"), {"title": "other"}).status_code == 403
