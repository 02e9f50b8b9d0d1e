"""Rows that verbs own are read-only; buttons call the verbs; a GET changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import (
    Endpoint,
    Estimate,
    Experiment,
    Job,
    Membership,
    Observation,
    OutcomeSummary,
    Report,
    SourceFile,
)

pytestmark = pytest.mark.django_db

VERB_OWNED = [Observation, Job, OutcomeSummary, Estimate, Report, SourceFile]


@pytest.fixture
def asked(client, scientist):
    client.force_login(scientist)
    return client


@pytest.fixture
def observation(experiment, animals, scientist):
    weight = Endpoint.objects.get(key="body_weight")
    at = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    day_7 = experiment.timepoints.get(study_day=7)
    new = [
        NewObservation(endpoint=weight.pk, animal=a.pk, timepoint=day_7.pk, observed_at=at, number=Decimal(f"2{i}.5"))
        for i, a in enumerate(animals)
    ]
    record_observations(experiment=experiment, observations=new, by=scientist)
    return Observation.objects.get(animal=animals[0])


def url_of(row, view: str, *more) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk, *more])


@pytest.mark.parametrize("model", VERB_OWNED, ids=lambda m: m.__name__)
def test_nobody_adds_changes_or_deletes_a_row_that_a_verb_owns(model, client):
    client.force_login(get_user_model().objects.create_superuser("root"))
    assert client.post(reverse(f"admin:experiments_{model._meta.model_name}_add"), {}).status_code == 403
    model_admin = admin.site.get_model_admin(model)
    request = type("Request", (), {"user": get_user_model().objects.get(username="root")})()
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)


def test_forged_posts_to_an_observation_change_nothing(observation, asked):
    for view in ("change", "delete"):
        answer = asked.post(url_of(observation, view), {"value": "99", "reason": "x", "post": "yes"})
        assert answer.status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(observation.pk), "post": "yes"}
    asked.post(reverse("admin:experiments_observation_changelist"), chosen)
    observation.refresh_from_db()
    assert observation.value == Decimal("20.5")
    assert observation.is_current


def test_an_observation_is_corrected_with_a_reason(observation, asked, scientist):
    url = url_of(observation, "do", "correct")
    answer = asked.get(url)
    assert b"20.5" in answer.content
    refused = asked.post(url, {"qualifier": "=", "number": "21.5", "unit": "g", "reason": ""})
    assert refused.status_code == 200
    assert refused.context["form"].errors["reason"]
    asked.post(url, {"qualifier": "=", "number": "21.5", "unit": "g", "reason": "balance not tared"})
    newer = Observation.objects.get(supersedes=observation)
    assert (newer.value, newer.reason, newer.recorded_by) == (Decimal("21.5"), "balance not tared", scientist)
    assert asked.post(url, {"qualifier": "=", "number": "22", "reason": "again"}).status_code == 404


def test_what_the_verb_refuses_stands_at_the_form(observation, asked):
    answer = asked.post(
        url_of(observation, "do", "correct"), {"qualifier": "=", "number": "1", "unit": "mL", "reason": "typo"}
    )
    assert answer.status_code == 200
    assert "cannot be converted" in str(answer.context["form"].errors)
    assert Observation.objects.filter(supersedes=observation).count() == 0


def test_a_get_asks_for_no_work(experiment, asked):
    for verb in ("summarise", "report"):
        asked.get(url_of(experiment, "do", verb))
    assert Job.objects.count() == Report.objects.count() == 0


def test_the_buttons_ask_for_a_summary_and_a_report(experiment, observation, asked, scientist):
    asked.post(url_of(experiment, "do", "summarise"))
    job = Job.objects.get(kind="summarise")
    assert job.requested_by == scientist
    asked.post(url_of(experiment, "do", "report"))
    assert Report.objects.get().job.kind == "render_report"
    assert jobs.run(job.pk)
    page = asked.get(url_of(experiment, "page"))
    assert b"POI + MSC" in page.content
    assert b"Mean [95 % CI]" in page.content


def test_a_failed_job_tells_its_reason_and_is_asked_again(experiment, asked, scientist):
    job = jobs.request_job(kind="summarise", subject_id=experiment.pk, by=scientist, experiment=experiment)
    Job.objects.filter(pk=job.pk).update(state="failed", error="the disk is full", finished_at=job.requested_at)
    assert b"the disk is full" in asked.get("/admin/").content
    asked.post(url_of(job, "do", "again"))
    assert Job.objects.filter(kind="summarise", state="queued").count() == 1


def test_whoever_opens_an_experiment_is_its_director(asked, scientist, experiment):
    data = {"code": "NEW", "title": "new", "masking": "blinded", "status": "running", "experimental_unit": "animal"}
    answer = asked.post(reverse("admin:experiments_experiment_add"), data)
    opened = Experiment.objects.get(code="NEW")
    assert answer.url == url_of(opened, "page")
    assert Membership.objects.values_list("user", "role").get(experiment=opened) == (scientist.pk, "director")
    assert asked.get(answer.url).status_code == 200


def test_effects_by_arm_are_not_shown_of_a_blinded_experiment(experiment, observation, asked):
    """Also where they were computed while it was open-label."""
    asked.post(url_of(experiment, "do", "summarise"))
    jobs.run(Job.objects.get(kind="summarise").pk)
    estimates = reverse("admin:experiments_estimate_changelist")
    figure = reverse("admin:experiments_experiment_figure", args=[experiment.pk, "body_weight", "light"])
    assert b"Hedges g" in asked.get(estimates).content or b"hedges_g" in asked.get(estimates).content
    assert asked.get(figure).status_code == 200
    Experiment.objects.filter(pk=experiment.pk).update(masking="blinded")
    assert b"hedges_g" not in asked.get(estimates).content
    assert asked.get(figure).status_code == 404
    page = asked.get(url_of(experiment, "page")).content
    assert b"Blinded" in page
    assert b"Welch" not in page


def test_the_codes_own_endpoints_are_read_only(asked):
    own = Endpoint.objects.get(key="body_weight")
    assert asked.post(url_of(own, "change"), {"name": "x", "key": "body_weight"}).status_code == 403


def test_people_are_for_administrators(asked, client, scientist):
    url = reverse("admin:labdb_user_changelist")
    assert asked.get(url).status_code == 403
    data = {"username": "scientist", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    assert asked.post(url_of(scientist, "change"), data).status_code == 403
    scientist.refresh_from_db()
    assert not scientist.is_superuser
    client.force_login(get_user_model().objects.create_superuser("root"))
    assert client.get(url).status_code == 200
    assert client.get(url_of(scientist, "change")).status_code == 200


def test_an_empty_laboratory_shows_the_first_steps_to_who_may_take_them(asked, scientist):
    assert b"Open an experiment" not in asked.get("/admin/").content
    get_user_model().objects.filter(pk=scientist.pk).update(is_manager=True)
    content = asked.get("/admin/").content
    assert b"Open an experiment" in content
    assert b"Nothing runs" in content


def test_strangers_are_sent_to_the_log_in(client):
    answer = client.get("/admin/")
    assert answer.status_code == 302
    assert "/login/" in answer.url
