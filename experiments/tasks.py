"""The door of the workers: each task loads by id and makes one call. Unknown keyword arguments are accepted."""

import logging
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from experiments.actions import alerts, imports, jobs, licences, notes, reports, summaries
from labdb.base.acting import acting

__all__ = [
    "alerts",
    "imports",
    "notes",
    "open_due_reports",
    "run_job",
    "send_to_broker",
    "sweep",
    "warn_of_licences",
]  # importing registers what they do

logger = logging.getLogger(__name__)


@shared_task(name="experiments.run_job")
def run_job(job_id: str, **_: Any) -> None:
    jobs.run(job_id)


@shared_task(name="experiments.sweep")
def sweep(**_: Any) -> None:
    with acting(door="sweep"):
        summaries.request_stale_summaries()
        jobs.sweep()


@shared_task(name="experiments.open_due_reports")
def open_due_reports(**_: Any) -> None:
    with acting(door="schedule"):
        reports.open_due_reports(now=timezone.now())


@shared_task(name="experiments.warn_of_licences")
def warn_of_licences(**_: Any) -> None:
    with acting(door="schedule"):
        licences.warn_of_licences(today=timezone.localdate())


def send_to_broker(job_id: str) -> bool:
    try:
        run_job.apply_async([job_id], retry=False, queue=settings.LABDB_QUEUE)
    except OperationalError as error:
        logger.warning("the broker did not take job %s (%s); the sweep will try again", job_id, error)
        return False
    return True


jobs.PUBLISHERS.append(send_to_broker)
