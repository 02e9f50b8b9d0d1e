"""Jobs: asked for in the caller's transaction, done once, and not lost with a worker."""

import os
import signal
import time
import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from experiments.actions import jobs
from experiments.actions.closing import close_experiment
from experiments.actions.summaries import SUMMARISE, request_stale_summaries, request_summary
from experiments.models import DataChange, Experiment, Job
from labdb.base.errors import KEPT


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


@pytest.fixture
def kind(monkeypatch):
    """A kind of job that writes a row; ``calls`` counts how often it ran."""
    calls = []

    def work(job, progress):
        calls.append(job.pk)
        progress(1, 2, "half")
        if len(calls) == 1 and "fail" in job.error:
            raise ValueError("on purpose")
        return {"calls": len(calls)}

    monkeypatch.setitem(jobs.WORK, "test", work)
    return calls


def test_a_job_of_a_transaction_that_failed_was_never_asked_for(committed_db, kind):
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.request_job(kind="test", subject_id=uuid.uuid4())
        raise RuntimeError
    assert not Job.objects.exists()


def test_the_same_work_is_queued_once_and_done_once(committed_db, kind):
    subject = uuid.uuid4()
    first = jobs.request_job(kind="test", subject_id=subject)
    assert jobs.request_job(kind="test", subject_id=subject).pk == first.pk
    assert jobs.run(first.pk) is True
    assert jobs.run(first.pk) is False
    first.refresh_from_db()
    assert (first.state, first.result, first.attempts, kind) == ("done", {"calls": 1}, 1, [first.pk])
    assert jobs.request_job(kind="test", subject_id=subject).pk != first.pk


def test_a_failure_tells_its_reason_and_leaves_nothing(committed_db, monkeypatch):
    def work(job, progress):
        jobs.request_job(kind="other", subject_id=uuid.uuid4())
        raise ValueError("the file has no header")

    monkeypatch.setitem(jobs.WORK, "test", work)
    job = jobs.request_job(kind="test", subject_id=uuid.uuid4())
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "ValueError: the file has no header")
    assert Job.objects.count() == 1


def test_a_failure_tells_of_another_closed_experiment_only_that_there_is_one(
    committed_db, monkeypatch, experiment, animals, scientist
):
    """The requester is a member there; others who see the job are not."""
    close_experiment(experiment=experiment, reason="Analysis is frozen.", by=scientist)
    other = Experiment(code="POI-2", title="another", masking="open_label")
    other.save()

    def work(job, progress):
        type(animals[0]).objects.filter(pk=animals[0].pk).update(sex="M")

    monkeypatch.setitem(jobs.WORK, "test", work)
    told = {}
    for each in (experiment, other):
        job = jobs.request_job(kind="test", subject_id=uuid.uuid4(), by=scientist, experiment=each)
        jobs.run(job.pk)
        job.refresh_from_db()
        told[each.code] = job.error
    assert "POI-1 was closed by scientist" in told["POI-1"]
    assert told["POI-2"] == KEPT


def test_who_lost_the_lease_leaves_nothing(committed_db, monkeypatch):
    """The slow worker's effects are rolled back when another one has taken its job over."""

    def work(job, progress):
        if not Job.objects.filter(kind="effect").exists() and job.attempts == 1:
            Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - jobs.lease_time())
            taken.append(jobs.claim(job.pk))
        Job(kind="effect", subject_id=uuid.uuid4()).save()
        return {}

    taken = []
    monkeypatch.setitem(jobs.WORK, "test", work)
    job = jobs.request_job(kind="test", subject_id=uuid.uuid4())
    assert jobs.run(job.pk) is False
    assert taken[0] is not None
    assert not Job.objects.filter(kind="effect").exists()


def test_work_that_kills_its_workers_is_given_up(committed_db, kind):
    job = jobs.request_job(kind="test", subject_id=uuid.uuid4())
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs.claim(job.pk)
        Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - jobs.lease_time())
    assert jobs.claim(job.pk) is None
    jobs.sweep()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "lost 3 times" in job.error


def test_a_summary_that_failed_waits_for_a_change(committed_db, experiment, monkeypatch):
    def work(job, progress):
        raise ValueError("cannot be computed")

    monkeypatch.setitem(jobs.WORK, SUMMARISE, work)
    for _ in range(3):
        request_stale_summaries()
        for job in Job.objects.filter(state="queued"):
            jobs.run(job.pk)
    assert Job.objects.filter(kind=SUMMARISE, state="failed").count() == 1
    experiment.save()  # whatever changes may mend it
    assert request_stale_summaries() == 1


def test_asking_again_sends_no_second_message(committed_db, kind, monkeypatch):
    sent = []
    monkeypatch.setattr(jobs, "PUBLISHERS", [lambda job: sent.append(job) or True])
    subject = uuid.uuid4()
    for _ in range(3):
        jobs.request_job(kind="test", subject_id=subject)
    assert len(sent) == 1


def test_two_functions_of_one_kind_are_refused():
    with pytest.raises(RuntimeError, match="Two functions"):
        jobs.work(SUMMARISE)(lambda job, progress: {})


def test_a_killed_worker_loses_no_job(committed_db, monkeypatch, tmp_path, experiment, scientist):
    """kill -9 in the middle of a job: another worker takes it over when the lease runs out, and it is done once."""
    from tests.conftest import Worker

    monkeypatch.setenv("LABDB_JOB_LEASE_SECONDS", "3")
    job = request_summary(experiment=experiment, by=scientist)
    with transaction.atomic():  # holds the row that the job needs, so that the worker is caught in the middle
        type(experiment).objects.select_for_update().get(pk=experiment.pk)
        first = Worker(tmp_path / "first.log")
        wait_for(lambda: _state(job) == "running")
        first.stop(signal.SIGKILL)
    second = Worker(tmp_path / "second.log")
    try:
        wait_for(lambda: _state(job) == "done")
    finally:
        second.stop()
    job.refresh_from_db()
    assert job.attempts == 2
    assert not DataChange.objects.filter(experiment=experiment).exists()


def _state(job):
    """Read over a connection of its own: this thread may be inside a transaction."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT state FROM experiments_job WHERE id = %s", [job.pk]).fetchone()
    return row[0]


def test_changed_data_bring_a_summary_without_being_asked(worker, experiment):
    done = wait_for(lambda: Job.objects.filter(kind=SUMMARISE, experiment=experiment, state="done").first())
    assert done.requested_by is None
    wait_for(lambda: not DataChange.objects.filter(experiment=experiment).exists())
