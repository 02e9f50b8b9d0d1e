"""Asking for reports, rendering them, and opening those whose time has come."""

import calendar
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from experiments.actions.files import keep_bytes
from experiments.actions.jobs import Progress, request_job, work
from experiments.models import Experiment, Job, Report, ReportSchedule
from labdb.base.access import require
from labdb.base.verbs import verb

RENDER = "render_report"
WHEN = ("experiment_id", "cadence", "weekday", "day_of_month", "at_time", "time_zone", "is_active")


@verb
def request_report(*, experiment: Experiment, by: Any, kind: str = Report.Kind.OUTCOME) -> Report:
    """Ask for a report of the experiment as it is now."""
    require(by, "add", Report(experiment=experiment))
    report = Report(experiment=experiment, kind=kind)
    report.job = request_job(kind=RENDER, subject_id=report.pk, experiment=experiment, by=by)
    report.save()
    return report


@work(RENDER)
def render_report(job: Job, progress: Progress) -> dict[str, Any]:
    """Render the report's PDF and keep it by its SHA-256."""
    from experiments.reports.outcome import render

    report = Report.objects.select_related("experiment").get(pk=job.subject_id)
    rendered = render(report.experiment, progress)
    report.sha256 = keep_bytes(rendered.pdf)
    report.inputs_sha256 = rendered.inputs_sha256
    report.rendered_at = timezone.now()
    report.save()
    return {"report": str(report.pk), "sha256": report.sha256, "bytes": len(rendered.pdf)}


@verb
def keep_schedule(*, schedule: ReportSchedule, by: Any) -> ReportSchedule:
    """Store a new or changed schedule.

    Whatever says when it is due counts from now on: a schedule that is moved to an hour of today that has passed, or
    made active again, does not fire for it. A time that was due and not opened yet is given up with the old schedule.
    """
    earlier = ReportSchedule.objects.select_for_update(of=("self",), no_key=True).filter(pk=schedule.pk).first()
    require(by, "add" if earlier is None else "change", schedule)
    if earlier is None:
        schedule.created_by = by
    else:
        require(by, "change", earlier)
        schedule.full_clean()  # what cannot be stored cannot be compared either
        if any(getattr(earlier, name) != getattr(schedule, name) for name in WHEN):
            schedule.active_since = timezone.now()
    schedule.save()
    return schedule


def open_due_reports(*, now: datetime) -> int:
    """Open every scheduled report that became due, exactly once however many beats ask, and return their number.

    A report shows the record as it is now, so after a downtime only the latest due time of each schedule is opened; the
    ones before it would be the same report once more.
    """
    opened = 0
    for schedule in ReportSchedule.objects.filter(is_active=True).select_related("experiment"):
        due = last_due_at(schedule, now)
        if due >= schedule.active_since:
            opened += _open_once(schedule, due)
    return opened


def _open_once(schedule: ReportSchedule, due: datetime) -> int:
    with transaction.atomic():
        report = Report(experiment=schedule.experiment, schedule=schedule, due_at=due)
        rows = Report.objects.bulk_create([report], ignore_conflicts=True)
        stored = Report.objects.filter(pk=rows[0].pk).first()
        if stored is None:
            return 0
        stored.job = request_job(kind=RENDER, subject_id=stored.pk, experiment=schedule.experiment)
        stored.save()
    return 1


def last_due_at(schedule: ReportSchedule, now: datetime) -> datetime:
    """The latest instant at or before ``now`` when the schedule was due.

    The local time is meant: over a daylight-saving change a daily report stays at its hour. A time that the change skips
    falls as much later as the clocks jump (02:30 is 03:30), one that comes twice counts once (its first).
    """
    zone = ZoneInfo(schedule.time_zone)
    day = now.astimezone(zone).date()
    for _ in range(32):
        if _is_due_on(schedule, day):
            due = datetime.combine(day, schedule.at_time, tzinfo=zone).astimezone(ZoneInfo("UTC"))
            if due <= now:
                return due
        day -= timedelta(days=1)
    raise AssertionError(f"{schedule} is due on no day of a month")


def _is_due_on(schedule: ReportSchedule, day: Any) -> bool:
    if schedule.cadence == ReportSchedule.Cadence.WEEKLY:
        return day.weekday() == schedule.weekday
    if schedule.cadence == ReportSchedule.Cadence.MONTHLY:
        return day.day == min(schedule.day_of_month or 1, calendar.monthrange(day.year, day.month)[1])
    return True
