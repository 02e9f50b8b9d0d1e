"""The experiment's page: arms with n at each stage, reports, jobs."""

from collections import defaultdict
from typing import Any

from django.db.models import Count
from django.http import HttpRequest

from experiments import outcomes
from experiments.admin.home import told_job
from experiments.admin.links import page_url
from experiments.admin.reports import ReportAdmin, download_url
from experiments.models import Experiment, Job, Report
from labdb.base.access import may
from labdb.base.panels import Panel, register_panel
from labdb.base.site import change_url

PAGE = "experiment"
SHOWN_JOBS = 6
SHOWN_REPORTS = 8


def arms(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    design = outcomes.design_of(experiment)
    alive: dict[Any, dict[Any, int]] = defaultdict(dict)
    for row in outcomes.flow(experiment):
        alive[row["arm_id"]][row["timepoint_id"]] = row["n_alive"]
    allocated = dict(experiment.allocations.values_list("arm").annotate(Count("pk")).order_by())
    n_allocated = sum(allocated.values())
    labels: dict[Any, str] = {arm.pk: arm.label for arm in design.arms}
    rows = []
    for arm in design.arms:
        row = {"label": arm.label, "planned": arm.planned_n, "reference": labels.get(arm.reference_id, "")}
        if not design.is_blinded:
            seen = alive[arm.pk]
            row["allocated"] = allocated.get(arm.pk, 0)
            row["alive"] = [seen.get(point.pk, 0) for point in design.timepoints]
        rows.append(row)
    if design.is_blinded:
        pooled = [alive[None].get(point.pk, 0) for point in design.timepoints]
        rows.append({"label": "All arms", "allocated": n_allocated, "alive": pooled})
    return {
        "rows": rows if rows and (design.arms or n_allocated) else [],
        "timepoints": design.timepoints,
        "is_blinded": design.is_blinded,
        "n_unallocated": experiment.enrolments.count() - n_allocated,
        "edit_url": change_url(experiment) if may(request.user, "change", experiment) else "",
    }


def reports(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    visible = Report.objects.visible_to(request.user)
    rows = visible.filter(experiment=experiment).select_related("job", "experiment")[:SHOWN_REPORTS]
    state = ReportAdmin.state
    items = [
        {
            "report": row,
            "url": page_url(row),
            "state": state(None, row),  # type: ignore[arg-type]
            "download_url": download_url(row) if row.sha256 else "",
        }
        for row in rows
    ]
    return {"reports": items}


def jobs(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    rows = Job.objects.visible_to(request.user).filter(experiment=experiment).select_related("experiment")[:SHOWN_JOBS]
    return {"jobs": [told_job(job) for job in rows]}


register_panel(Panel(PAGE, "arms", "Arms and animals", "experiments/experiment_arms.html", arms, 10))
register_panel(Panel(PAGE, "reports", "Reports", "experiments/experiment_reports.html", reports, 60, False))
register_panel(Panel(PAGE, "jobs", "Latest work", "experiments/experiment_jobs.html", jobs, 70, False))
