"""Summaries as jobs beside other writers: failures with their reason, changes that arrive meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection

from experiments.actions import jobs, summaries
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import DataChange, Endpoint, OutcomeSummary, Specimen

AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def record(experiment, animal, scientist, number, qualifier="=", specimen=None):
    row = NewObservation(
        endpoint=Endpoint.objects.get(key="e2").pk,
        animal=animal.pk,
        observed_at=AT,
        timepoint=experiment.timepoints.get(study_day=7).pk,
        number=Decimal(number),
        qualifier=qualifier,
        specimen=specimen,
    )
    record_observations(experiment=experiment, observations=[row], by=scientist)


def elsewhere(call, *arguments):
    """``call`` over a connection of its own, committed before this returns."""

    def work():
        try:
            call(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(timeout=30)


def run(experiment, scientist):
    job = summaries.request_summary(experiment=experiment, by=scientist)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def test_a_refused_summary_fails_with_its_reason_and_leaves_the_earlier_one(
    committed_db, experiment, animals, scientist
):
    record(experiment, animals[1], scientist, "8.5")
    assert run(experiment, scientist).state == "done"
    for code, qualifier, number in (("a", "<", "4"), ("b", ">", "90")):
        specimen = Specimen(experiment=experiment, animal=animals[0], code=code, collected_at=AT)
        specimen.save()
        record(experiment, animals[0], scientist, number, qualifier, specimen.pk)
    job = run(experiment, scientist)
    assert job.state == "failed"
    assert "values below and above a limit" in job.error
    assert OutcomeSummary.objects.get(is_current=True).job_id != job.pk
    assert summaries.is_stale(experiment)


def test_a_change_that_arrives_while_a_job_computes_stays(committed_db, monkeypatch, experiment, animals, scientist):
    record(experiment, animals[0], scientist, "8.5")
    original = summaries._rows

    def slowly(*arguments):
        elsewhere(record, experiment, animals[1], scientist, "9.5")
        return original(*arguments)

    monkeypatch.setattr(summaries, "_rows", slowly)
    assert run(experiment, scientist).state == "done"
    assert summaries.is_stale(experiment)
    monkeypatch.undo()
    assert run(experiment, scientist).result == {"endpoints": 1, "computed": 1, "unchanged": 0}
    assert not DataChange.objects.exists()
    pooled = OutcomeSummary.objects.get(is_current=True).estimates.filter(quantity="n")
    assert sum(estimate.estimate for estimate in pooled) == 2


def test_changed_data_queue_one_job_an_experiment(committed_db, experiment, animals, scientist):
    record(experiment, animals[0], scientist, "8.5")
    for _ in range(3):
        summaries.request_stale_summaries()
    assert experiment.jobs.filter(kind=summaries.SUMMARISE).count() == 1
