"""Closing and reopening: who may, what is asked first, what is recorded, and that nothing can tell it otherwise."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from experiments.actions import jobs
from experiments.actions.closing import close_experiment, open_lock, reopen_experiment
from experiments.actions.imports import check_sheet, discard_import
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.reports import request_report
from experiments.actions.summaries import request_summary
from experiments.models import Cage, Endpoint, Enrolment, Experiment, ExperimentLock, Housing, ImportTemplate, Strain
from labdb.base.errors import ExperimentLocked, validation_error

pytestmark = pytest.mark.django_db


def weight_of(animal, day=1) -> NewObservation:
    weight = Endpoint.objects.get(key="body_weight").pk
    at = datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(day)
    return NewObservation(endpoint=weight, animal=animal.pk, observed_at=at, number=Decimal("21.4"))


@pytest.fixture
def closed(experiment, animals, scientist):
    record_observations(experiment=experiment, observations=[weight_of(animals[0])], by=scientist)
    close_experiment(experiment=experiment, reason="Analysis is frozen.", by=scientist)
    return experiment


@pytest.fixture
def refused():
    """Expects that the closed experiment refuses what goes on; the transaction goes on afterwards."""
    return Refused


class Refused:
    def __enter__(self):
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        return self

    def __exit__(self, kind, error, traceback):
        self.savepoint.__exit__(kind, error, traceback)
        assert kind is not None, "it was not refused"
        self.told = validation_error(error) if isinstance(error, IntegrityError) else error
        assert isinstance(self.told, ExperimentLocked), error
        return True


def test_a_closing_says_who_when_and_why_and_so_does_what_it_refuses(closed, scientist, animals, refused):
    lock = ExperimentLock.objects.get(experiment=closed)
    assert (lock.closed_by, lock.reason, lock.reopened_at) == (scientist, "Analysis is frozen.", None)
    assert timezone.now() - lock.closed_at < timedelta(minutes=1)
    assert Experiment.objects.get(pk=closed.pk).status == "closed"
    with refused() as refusal:
        Experiment.objects.update(title="other")
    told = " ".join(refusal.told.messages)
    assert "POI-1" in told and "scientist" in told and "Analysis is frozen." in told
    assert f"{lock.closed_at:%Y-%m-%d %H:%M} UTC" in told


def test_reopening_is_recorded_and_the_record_goes_on(closed, scientist, animals):
    lock = reopen_experiment(experiment=closed, reason="A weight was missing.", by=scientist)
    assert (lock.reopened_by, lock.reopen_reason) == (scientist, "A weight was missing.")
    assert closed.status == "running" and open_lock(closed) is None
    record_observations(experiment=closed, observations=[weight_of(animals[0], day=2)], by=scientist)
    close_experiment(experiment=closed, reason="Frozen again.", by=scientist)
    history = ExperimentLock.objects.order_by("closed_at").values_list("reason", "reopen_reason")
    assert list(history) == [("Analysis is frozen.", "A weight was missing."), ("Frozen again.", "")]


@pytest.mark.parametrize("verb", [close_experiment, reopen_experiment])
@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_both_need_a_reason(experiment, scientist, verb, reason):
    with pytest.raises(ValidationError) as told:
        verb(experiment=experiment, reason=reason, by=scientist)
    assert "reason" in told.value.message_dict


@pytest.mark.parametrize("role", ["scientist", "technician", "assessor", "analyst", "auditor"])
def test_only_a_director_closes_and_reopens(closed, scientist, member, role):
    person = member(role, closed)
    with pytest.raises(PermissionDenied):
        reopen_experiment(experiment=closed, reason="because", by=person)
    reopen_experiment(experiment=closed, reason="because", by=scientist)
    with pytest.raises(PermissionDenied):
        close_experiment(experiment=closed, reason="because", by=person)


def test_neither_manager_nor_administrator_reopens_what_they_do_not_direct(closed, django_user_model):
    for right in ("is_superuser", "is_manager"):
        person = django_user_model.objects.create_user(right, **{right: True})
        with pytest.raises(PermissionDenied):
            reopen_experiment(experiment=closed, reason="because", by=person)


def test_an_open_experiment_is_not_reopened(experiment, scientist):
    with pytest.raises(ValidationError, match="not closed"):
        reopen_experiment(experiment=experiment, reason="because", by=scientist)


def test_an_undecided_import_is_named_before_closing(experiment, scientist):
    template = ImportTemplate.objects.filter(kind="animals").first()
    run = check_sheet(data=b"a;b\n1;2\n", name="w.csv", template=template, by=scientist, experiment=experiment)
    for _ in range(2):  # while the job waits, and when it has read the sheet
        with pytest.raises(ValidationError) as told:
            close_experiment(experiment=experiment, reason="because", by=scientist)
        assert "import of w.csv" in " ".join(told.value.messages)
        jobs.run(run.job_id)
    run.refresh_from_db()
    discard_import(run=run, by=scientist)
    close_experiment(experiment=experiment, reason="because", by=scientist)


def test_summaries_and_reports_are_made_of_a_closed_experiment(closed, scientist):
    for job in (
        request_summary(experiment=closed, by=scientist),
        request_report(experiment=closed, by=scientist).job,
    ):
        jobs.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.error) == ("done", "")


def test_a_job_that_would_write_fails_and_says_that_the_experiment_is_closed(closed, animals, monkeypatch):
    def late(job, progress):
        Enrolment.objects.filter(experiment=closed).update(day_0=None)
        return {}

    monkeypatch.setitem(jobs.WORK, "late", late)
    job = jobs.request_job(kind="late", subject_id=closed.pk, experiment=closed)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and job.error.startswith("The experiment POI-1 was closed by scientist")


def test_the_status_cannot_say_otherwise(experiment, scientist, closed):
    for made in ({"status": "running"}, {"status": "planned"}):
        with pytest.raises(IntegrityError, match="by its status"), transaction.atomic():
            Experiment.objects.filter(pk=closed.pk).update(**made)
    reopen_experiment(experiment=closed, reason="because", by=scientist)
    for made in ({"status": "closed"}, {"status": "signed"}):
        with pytest.raises(IntegrityError, match="by its status"), transaction.atomic():
            Experiment.objects.filter(pk=closed.pk).update(**made)
    with pytest.raises(IntegrityError, match="by its status"), transaction.atomic():
        Experiment.objects.bulk_create([Experiment(code="X", title="x", status="closed")])


def test_a_closing_is_kept_as_it_was(closed, scientist):
    lock = ExperimentLock.objects.filter(experiment=closed)
    early = datetime(2020, 1, 1, tzinfo=UTC)
    for change in (
        {"reason": "other"},
        {"closed_at": early},
        {"closed_by": None},
        {"reason": "other", "reopened_at": early, "reopened_by": scientist, "reopen_reason": "x"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            lock.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        lock.delete()
    lock.update(reopened_at=early, reopened_by=scientist, reopen_reason="raw")
    assert lock.get().reopened_at > lock.get().closed_at > early, "the database's own clock counts"
    with pytest.raises(IntegrityError), transaction.atomic():
        lock.update(reopen_reason="other")


def test_what_an_animal_is_stays_as_it_was_when_its_experiment_was_closed(closed, animals, refused):
    cage = Cage(label="shared")
    cage.save()
    for change in (
        lambda: animals[0].__class__.objects.filter(pk=animals[0].pk).update(sex="M"),
        lambda: Housing(animal=animals[0], cage=cage, started_on=date(2027, 1, 1)).save(),
        lambda: Strain.objects.update(name="other"),
        lambda: Endpoint.objects.filter(key="body_weight").update(default_scale="log"),
        lambda: Endpoint.objects.filter(key="body_weight").update(unit="mg"),
    ):
        with refused():
            change()
    Strain.objects.update(rrid="IMSR_JAX:000664")
    Endpoint.objects.filter(key="body_weight").update(plausible_high=90)
    Endpoint.objects.filter(key="e2").update(default_scale="identity")


def test_a_closed_experiment_lets_the_others_be(closed, scientist, animals):
    other = Experiment(code="POI-2", title="goes on")
    other.save()
    Enrolment(experiment=other, animal=animals[0]).save()
    Endpoint(key="own", name="own").save()
