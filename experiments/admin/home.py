"""The home page: what is due, what is stale, what runs or failed, and the experiments."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from experiments.actions.reports import last_due_at
from experiments.admin.grid_kinds import grid_links
from experiments.admin.jobs import told_kind
from experiments.admin.links import STATE_COLOURS, page_url
from experiments.models import Animal, DataChange, Experiment, Job, OutcomeSummary, ReportSchedule
from labdb.base.access import may
from labdb.base.panels import HOME, Panel, register_panel

SOON = timedelta(days=7)
FAILED_SINCE = timedelta(days=7)
SHOWN = 12


def next_due_at(schedule: ReportSchedule, now: datetime) -> datetime | None:
    """The first instant after ``now`` and within a month when the schedule is due."""
    for days in range(32):
        due = last_due_at(schedule, now + timedelta(days=days + 1))
        if due > now:
            return due
    return None


def first_steps(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    if Experiment.objects.visible_to(request.user).exists():
        return None
    return {"may_add": may(request.user, "add", Experiment), "has_animals": Animal.objects.exists()}


def due(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    now = timezone.now()
    schedules = ReportSchedule.objects.visible_to(request.user).filter(is_active=True).select_related("experiment")
    coming = [(next_due_at(schedule, now), schedule) for schedule in schedules]
    soon = sorted(((at, s) for at, s in coming if at is not None and at <= now + SOON), key=lambda due: due[0])[:SHOWN]
    return {"reports": [{"at": at, "schedule": s, "url": page_url(s.experiment)} for at, s in soon]}


def stale(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    changes = DataChange.objects.filter(experiment=OuterRef("pk"))
    rows = Experiment.objects.visible_to(request.user).filter(Exists(changes))
    latest = dict(DataChange.objects.filter(experiment__in=rows).values_list("experiment").annotate(Max("changed_at")))
    shown = rows[:SHOWN]
    items = [_stale_item(request, row, latest.get(row.pk)) for row in shown]
    return {"items": items, "n_more": max(rows.count() - SHOWN, 0)}


def _stale_item(request: HttpRequest, row: Experiment, changed_at: datetime | None) -> dict[str, Any]:
    summarise = reverse("admin:experiments_experiment_do", args=[row.pk, "summarise"])
    return {
        "experiment": row,
        "url": page_url(row),
        "changed_at": changed_at,
        "summarise_url": summarise if may(request.user, "summarise", row) else "",
    }


def work(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    visible = Job.objects.visible_to(request.user).select_related("experiment")
    open_jobs = visible.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).order_by("requested_at")
    failed = visible.filter(state=Job.State.FAILED, finished_at__gte=timezone.now() - FAILED_SINCE)
    n_open, n_failed = open_jobs.count(), failed.count()
    jobs = [*failed[:SHOWN], *open_jobs[:SHOWN]]
    return {"jobs": [told_job(job) for job in jobs], "n_more": n_open + n_failed - len(jobs)}


def told_job(job: Job) -> dict[str, Any]:
    share = 100 * job.progress_done / job.progress_total if job.progress_total else 0
    return {
        "job": job,
        "kind": told_kind(job),
        "url": page_url(job),
        "colour": STATE_COLOURS[job.state],
        "percent": min(round(share), 100),
        "reason": job.error[:400],
    }


def experiments(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    visible = Experiment.objects.visible_to(request.user)
    n = visible.count()
    if not n:
        return None
    rows = list(visible.order_by("-created_at").annotate(n_animals=Count("enrolments"))[:SHOWN])
    current = OutcomeSummary.objects.filter(experiment__in=rows, is_current=True)
    summaries = {
        pk: (count, at) for pk, count, at in current.values_list("experiment").annotate(Count("pk"), Max("computed_at"))
    }
    items = [
        {"row": row, "url": page_url(row), "summary": summaries.get(row.pk), "grids": grid_links(request.user, row)}
        for row in rows
    ]
    return {"items": items, "n": n, "n_shown": len(rows)}


for position, (key, title, context, is_wide) in enumerate(
    [
        ("first-steps", "First steps", first_steps, True),
        ("due", "Due", due, False),
        ("stale", "Out of date", stale, False),
        ("work", "Work in the background", work, True),
        ("experiments", "Experiments", experiments, True),
    ]
):
    template = f"experiments/home_{key.replace('-', '_')}.html"
    register_panel(Panel(HOME, key, title, template, context, 10 * position, is_wide))
