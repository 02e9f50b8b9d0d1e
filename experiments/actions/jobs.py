"""The life of a job: asked for, published, claimed under a lease, finished or failed. It knows no Celery.

A verb that needs work done calls ``request_job`` in its own transaction (an outbox). A worker calls ``run``.
"""

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from experiments.models import Experiment, Job
from labdb.base.access import require
from labdb.base.acting import acting
from labdb.base.errors import KEPT, ExperimentLocked, validation_error
from labdb.base.verbs import verb

REPUBLISH_AFTER = timedelta(seconds=60)
MAX_ATTEMPTS = 3

logger = logging.getLogger(__name__)


def lease_time() -> timedelta:
    """How long a worker that says nothing keeps its job; the heartbeat comes three times as often."""
    return timedelta(seconds=settings.LABDB_JOB_LEASE_SECONDS)


class LeaseLost(Exception):
    """Another worker has taken the job over; what this one did is rolled back."""


class Progress:
    """What a verb tells about how far it is. Written by the heartbeat, never by the verb's own transaction."""

    def __init__(self, done: int = 0, total: int | None = None, note: str = "") -> None:
        self.done, self.total, self.note = done, total, note

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        self.done, self.total, self.note = done, total, note or self.note


Work = Callable[[Job, Progress], dict[str, Any]]
WORK: dict[str, Work] = {}


def work(kind: str) -> Callable[[Work], Work]:
    """Register the function that does jobs of ``kind``. Two functions of one kind fail at start-up."""

    def register(function: Work) -> Work:
        if kind in WORK:
            raise RuntimeError(f"Two functions claim jobs of kind “{kind}”: {WORK[kind]} and {function}.")
        WORK[kind] = function
        return function

    return register


@verb
def request_job(*, kind: str, subject_id: uuid.UUID, by: Any = None, experiment: Experiment | None = None) -> Job:
    """Ask for work in the caller's transaction. Work that is already queued for the subject is not queued twice."""
    while True:
        job = Job(kind=kind, subject_id=subject_id, requested_by=by, experiment=experiment)
        Job.objects.bulk_create([job], ignore_conflicts=True)
        queued = Job.objects.filter(kind=kind, subject_id=subject_id, state=Job.State.QUEUED).first()
        if queued is not None:  # else a worker claimed the one that was in the way: ask again
            break
    if queued.pk == job.pk:  # one that was queued before was published then; the sweep looks after it
        transaction.on_commit(lambda: publish(queued.pk), robust=True)
    return queued


@verb
def retry_job(*, job: Job, by: Any) -> Job:
    """Ask for the work of a failed job once more. Raises ValidationError for another job, PermissionDenied."""
    require(by, "view", job)
    require(by, "retry", job)
    if job.state != Job.State.FAILED:
        raise ValidationError({"state": f"The job is {job.state}; only a failed one is asked for again."})
    return request_job(kind=job.kind, subject_id=job.subject_id, by=by, experiment=job.experiment)


PUBLISHERS: list[Callable[[str], bool]] = []  # filled by the door of the workers


def publish(job_id: uuid.UUID) -> None:
    """Nudge the workers. The row is the truth: a broker that is down is only logged, the sweep comes again."""
    for publisher in PUBLISHERS:
        if publisher(str(job_id)):
            Job.objects.filter(pk=job_id).update(published_at=timezone.now())


def sweep() -> int:
    """Publish every open job that no worker holds and that was not published lately; fail those out of attempts."""
    now = timezone.now()
    expired = Q(state=Job.State.RUNNING, lease_expires_at__lt=now)
    exhausted = Job.objects.filter(expired, attempts__gte=MAX_ATTEMPTS)
    lost = f"The worker was lost {MAX_ATTEMPTS} times while it did this."
    exhausted.update(state=Job.State.FAILED, finished_at=now, lease=None, error=lost)
    waiting = Q(state=Job.State.QUEUED) & (Q(published_at=None) | Q(published_at__lt=now - REPUBLISH_AFTER))
    open_jobs = list(Job.objects.filter(waiting | expired).order_by("requested_at").values_list("pk", flat=True)[:1000])
    for job_id in open_jobs:
        publish(job_id)
    return len(open_jobs)


def run(job_id: uuid.UUID | str) -> bool:
    """Claim the job and do its work; False where someone else has it or it is done.

    The effects and the job's end are one transaction that holds only while the lease does, so that a job that runs
    twice has its effects once.
    """
    with acting(door="job"):
        job = claim(job_id)
    if job is None:
        return False
    progress = Progress()
    with _heartbeat(job, progress), acting(person=job.requested_by, door="job"):
        try:
            with transaction.atomic():
                result = WORK[job.kind](job, progress)
                _finish(job, progress, result)
        except LeaseLost:
            logger.warning("job %s was taken over by another worker", job.pk)
            return False
        except Exception as error:
            logger.exception("job %s (%s) failed", job.pk, job.kind)
            _fail(job, error)
    return True


def claim(job_id: uuid.UUID | str) -> Job | None:
    """Take the job by a conditional update, or None where it is held, finished or out of attempts."""
    now, lease = timezone.now(), uuid.uuid4()
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_expires_at__lt=now)
    claimed = Job.objects.filter(free, pk=job_id, attempts__lt=MAX_ATTEMPTS).update(
        state=Job.State.RUNNING,
        lease=lease,
        lease_expires_at=now + lease_time(),
        started_at=now,
        attempts=F("attempts") + 1,
    )
    return Job.objects.select_related("requested_by").get(pk=job_id) if claimed else None


def _finish(job: Job, progress: Progress, result: dict[str, Any]) -> None:
    held = Job.objects.filter(pk=job.pk, lease=job.lease, state=Job.State.RUNNING)
    total = progress.total or progress.done
    done = held.update(
        state=Job.State.DONE,
        finished_at=timezone.now(),
        lease=None,
        result=result,
        error="",
        progress_done=total,
        progress_total=total,
        progress_note=progress.note,
    )
    if not done:
        raise LeaseLost


def _fail(job: Job, error: Exception) -> None:
    told = _told(error, job)
    Job.objects.filter(pk=job.pk, lease=job.lease).update(
        state=Job.State.FAILED, finished_at=timezone.now(), lease=None, error=told.replace("\x00", "\\x00")
    )


def _told(error: Exception, job: Job) -> str:
    if isinstance(error, IntegrityError):
        with contextlib.suppress(IntegrityError):  # none of our rules: told as it came
            error = validation_error(error)
    if isinstance(error, ExperimentLocked) and error.experiment != str(job.experiment_id):
        return KEPT  # everybody who sees the job reads it, not its requester alone
    return "\n".join(error.messages) if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"


@contextmanager
def _heartbeat(job: Job, progress: Progress) -> Any:
    """Renew the lease and write the progress from a thread with a connection of its own while the work goes on."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(job, progress, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(job: Job, progress: Progress, stop: threading.Event) -> None:
    beat, told, since = 0.5, None, 0.0
    try:
        while not stop.wait(beat):
            since += beat
            now = (progress.done, progress.total, progress.note)
            if now == told and since < settings.LABDB_JOB_LEASE_SECONDS / 3:
                continue
            told, since = now, 0.0
            _renew(job, progress)
    finally:
        connection.close()


def _renew(job: Job, progress: Progress) -> None:
    try:
        close_old_connections()
        Job.objects.filter(pk=job.pk, lease=job.lease, state=Job.State.RUNNING).update(
            lease_expires_at=timezone.now() + lease_time(),
            progress_done=progress.done,
            progress_total=progress.total,
            progress_note=progress.note[:200],
        )
    except Exception:  # the next beat tries again; a lease that runs out is given to another worker
        logger.exception("the lease of job %s could not be renewed", job.pk)
