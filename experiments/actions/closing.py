"""Closing an experiment, after which the database refuses every change of its rows, and opening it again."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from experiments.actions.reasons import given_reason
from experiments.actions.reports import RENDER
from experiments.actions.summaries import SUMMARISE
from experiments.models import Experiment, ExperimentLock, ImportRun, Job
from labdb.base.access import require
from labdb.base.verbs import verb

PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.05
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
COMPUTED = (SUMMARISE, RENDER)  # jobs that write nothing of the record itself

Unfinished = Callable[[Experiment], Iterable[str]]
UNFINISHED: list[Unfinished] = []


def unfinished(function: Unfinished) -> Unfinished:
    """Register a function that tells what of an experiment still waits for someone, a line each."""
    UNFINISHED.append(function)
    return function


@verb
def close_experiment(*, experiment: Experiment, reason: str, by: Any) -> ExperimentLock:
    """Close ``experiment``: from now on nothing of it is written, moved or deleted, by whatever way.

    Refused while anything waits for a decision or a worker is writing, with the list: after closing nobody could decide
    or take it any more, and it would stay undecided in a record that is said to be complete. Rejecting or discarding it
    takes its director a moment and leaves a reason. Summaries and reports are made of a closed experiment too.

    Raises:
        ValidationError: no reason; closed already; something is unfinished; somebody kept writing for 10 s.
        PermissionDenied: ``by`` does not direct the experiment.
    """
    require(by, "close", experiment)
    told = given_reason(reason, "Say why the experiment is closed.")
    _await_writers(experiment)
    lock = open_lock(experiment)
    if lock is not None:
        raise ValidationError(f"The experiment was closed by {lock.closed_by} on {lock.closed_at:%Y-%m-%d} already.")
    waiting = [line for tell in UNFINISHED for line in tell(experiment)]
    if waiting:
        raise ValidationError(["Before it is closed, this is to be finished or given up:", *waiting])
    lock = ExperimentLock(experiment=experiment, closed_by=by, reason=told)
    lock.save()
    return _as_stored(lock, experiment)


@verb
def reopen_experiment(*, experiment: Experiment, reason: str, by: Any) -> ExperimentLock:
    """Open a closed experiment again; the closing stays recorded, with who ended it and why.

    Raises:
        ValidationError: no reason; the experiment is not closed.
        PermissionDenied: ``by`` does not direct the experiment.
    """
    require(by, "reopen", experiment)
    told = given_reason(reason, "Say why the experiment is opened again.")
    locks = ExperimentLock.objects.select_for_update(of=("self",), no_key=True)
    lock = locks.filter(experiment=experiment, reopened_at=None).first()
    if lock is None:
        raise ValidationError("The experiment is not closed.")
    lock.reopened_by, lock.reopened_at, lock.reopen_reason = by, timezone.now(), told
    lock.save()
    return _as_stored(lock, experiment)


def open_lock(experiment: Experiment) -> ExperimentLock | None:
    """The closing that stands; None where the experiment is open."""
    return ExperimentLock.objects.filter(experiment=experiment, reopened_at=None).select_related("closed_by").first()


def _as_stored(lock: ExperimentLock, experiment: Experiment) -> ExperimentLock:
    """The database said when, and what that makes of the experiment."""
    lock.refresh_from_db()
    experiment.refresh_from_db(fields=["status"])
    return lock


def _await_writers(experiment: Experiment) -> None:
    """Wait until nobody is writing to the experiment, and keep everybody from it until the transaction ends.

    The experiment's own row is never waited for while its lock is held: who has the row may be waiting for the lock.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                patience = max(1, int(1000 * (until - time.monotonic())))
                cursor.execute(f"SET LOCAL lock_timeout = {patience}")
                cursor.execute("SELECT pg_advisory_xact_lock(experiments_lock_key(%s))", [experiment.pk])
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
                Experiment.objects.select_for_update(nowait=True, no_key=True).get(pk=experiment.pk)
            return
        except OperationalError as error:  # the savepoint gave the lock back
            if getattr(error.__cause__, "sqlstate", "") not in (LOCK_NOT_AVAILABLE, DEADLOCK):
                raise
        if time.monotonic() > until:
            told = f"The experiment is being written to for more than {PATIENCE_SECONDS:.0f} s; try again."
            raise ValidationError(told)
        time.sleep(PAUSE_SECONDS)


@unfinished
def undecided_imports(experiment: Experiment) -> Iterator[str]:
    """Sheets that were neither taken nor discarded."""
    states = (ImportRun.State.CHECKING, ImportRun.State.CHECKED, ImportRun.State.TAKING)
    for run in ImportRun.objects.filter(source_file__experiment=experiment, state__in=states).select_related(
        "source_file"
    ):
        yield f"import of {run.source_file.name} ({run.get_state_display()})"


@unfinished
def open_jobs(experiment: Experiment) -> Iterator[str]:
    """Work that would write to the record."""
    jobs = Job.objects.filter(experiment=experiment, state__in=(Job.State.QUEUED, Job.State.RUNNING))
    for job in jobs.exclude(kind__in=COMPUTED):
        yield f"job {job.kind} ({job.get_state_display()})"
