"""The experiment's page: arms with n at each stage, figures and tables of the latest summaries, reports, jobs."""

import uuid
from collections import defaultdict
from typing import Any

from django.db.models import Count
from django.http import HttpRequest

from experiments import outcomes
from experiments.admin.figures import THEMES, figure_url
from experiments.admin.home import told_job
from experiments.admin.links import list_url, page_url
from experiments.admin.numbers import interval, p_value, shown_number
from experiments.admin.outcomes import shown_while_masked
from experiments.admin.reports import ReportAdmin, download_url
from experiments.models import Estimate, Experiment, Job, OutcomeSummary, Report, Timepoint
from labdb.base.access import may
from labdb.base.panels import Panel, register_panel
from labdb.base.site import change_url

PAGE = "experiment"
SHOWN_JOBS = 6
SHOWN_REPORTS = 8
QUANTITIES = ("n", "n_below_limit", "mean", "sd", "median", "hedges_g", "welch_anova") + (
    "mean_difference",
    "geometric_mean_ratio",
)


def arms(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    design = outcomes.design_of(experiment)
    alive: dict[Any, dict[Any, int]] = defaultdict(dict)
    for row in outcomes.flow(experiment):
        alive[row["arm_id"]][row["timepoint_id"]] = row["n_alive"]
    allocated = dict(experiment.allocations.values_list("arm").annotate(Count("pk")).order_by())
    n_allocated = sum(allocated.values())
    labels = {arm.pk: arm.label for arm in design.arms}
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


def summaries(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    """The current summary of every endpoint at one timepoint: the chosen one, or the last that was measured."""
    current = OutcomeSummary.objects.filter(experiment=experiment, is_current=True).select_related(
        "endpoint", "experiment"
    )
    rows = list(current.order_by("endpoint__name"))
    visible = shown_while_masked(Estimate.objects.filter(summary__in=rows))
    pairs = visible.filter(timepoint__isnull=False).values_list("summary", "timepoint").distinct().order_by()
    measured: dict[Any, set] = defaultdict(set)
    for summary, timepoint in pairs:
        measured[summary].add(timepoint)
    timepoints = [t for t in experiment.timepoints.all() if any(t.pk in found for found in measured.values())]
    chosen = _chosen(request, timepoints)
    wanted = {row.pk: _timepoint_of(measured[row.pk], timepoints, chosen) for row in rows}
    estimates = _estimates(visible, wanted)
    is_blinded = experiment.masking == Experiment.Masking.BLINDED
    shown = [_outcome(row, wanted[row.pk], estimates[row.pk], is_blinded) for row in rows if wanted[row.pk]]
    return {"outcomes": shown, "timepoints": timepoints, "chosen": chosen, "is_blinded": is_blinded}


def _chosen(request: HttpRequest, timepoints: list[Timepoint]) -> uuid.UUID | None:
    asked = request.GET.get("timepoint", "")
    return next((t.pk for t in timepoints if str(t.pk) == asked), None)


def _timepoint_of(measured: set, timepoints: list[Timepoint], chosen: uuid.UUID | None) -> Timepoint | None:
    candidates = [t for t in timepoints if t.pk in measured and chosen in (None, t.pk)]
    return candidates[-1] if candidates else None


def _estimates(visible: Any, wanted: dict[Any, Timepoint | None]) -> dict[Any, list[Estimate]]:
    found: dict[Any, list[Estimate]] = defaultdict(list)
    points = {t.pk for t in wanted.values() if t}
    rows = visible.filter(timepoint__in=points, quantity__in=QUANTITIES).select_related("arm", "reference_arm")
    for row in rows.order_by("arm__position", "arm__label"):
        timepoint = wanted[row.summary_id]
        if timepoint and row.timepoint_id == timepoint.pk:
            found[row.summary_id].append(row)
    return found


def _outcome(summary: OutcomeSummary, timepoint: Any, estimates: list[Estimate], is_blinded: bool) -> dict[str, Any]:
    by_arm: dict[Any, dict[str, Estimate]] = defaultdict(dict)
    for row in estimates:
        if row.quantity != "welch_anova":
            by_arm[row.arm][row.quantity] = row
    anova = next((row for row in estimates if row.quantity == "welch_anova"), None)
    return {
        "summary": summary,
        "timepoint": timepoint,
        "figures": [] if is_blinded else _figures(summary),
        "rows": [_arm_row(arm, found) for arm, found in by_arm.items()],
        "anova": _told_anova(anova),
        "refusals": sorted({row.refused for row in estimates if row.refused}),
        "estimates_url": list_url("estimate", summary__endpoint__id=summary.endpoint_id)
        + f"&summary__experiment__id__exact={summary.experiment_id}",
    }


def _figures(summary: OutcomeSummary) -> list[dict[str, str]]:
    key = summary.endpoint.key
    return [{"theme": theme, "url": figure_url(summary.experiment, key, theme)} for theme in THEMES]


def _arm_row(arm: Any, found: dict[str, Estimate]) -> dict[str, str]:
    def number(quantity: str) -> str:
        return shown_number(found[quantity].estimate) if quantity in found else "–"

    g = found.get("hedges_g")
    test = found.get("mean_difference") or found.get("geometric_mean_ratio")
    return {
        "label": str(arm) if arm else "All arms",
        "reference": str(g.reference_arm) if g and g.reference_arm else "",
        **{name: number(name) for name in ("n", "n_below_limit", "mean", "sd", "median")},
        "g": shown_number(g.estimate, 3) if g else "–",
        "g_interval": interval(g.lower, g.upper) if g and g.lower is not None else "",
        "p": p_value(test.p_value) if test else "–",
    }


def _told_anova(row: Estimate | None) -> str:
    if row is None or row.statistic is None:
        return ""
    df = f"{shown_number(row.df1)}, {shown_number(row.df2)}"
    return f"Welch ANOVA over the arms: F({df}) = {shown_number(row.statistic)}, p {_told_p(row.p_value)}"


def _told_p(value: float | None) -> str:
    told = p_value(value)
    return told if told.startswith("<") else f"= {told}"


def reports(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    rows = Report.objects.filter(experiment=experiment).select_related("job", "experiment")[:SHOWN_REPORTS]
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
    rows = Job.objects.filter(experiment=experiment).select_related("experiment")[:SHOWN_JOBS]
    return {"jobs": [told_job(job) for job in rows]}


register_panel(Panel(PAGE, "arms", "Arms and animals", "experiments/experiment_arms.html", arms, 10))
register_panel(Panel(PAGE, "outcomes", "Outcomes", "experiments/experiment_outcomes.html", summaries, 20))
register_panel(Panel(PAGE, "reports", "Reports", "experiments/experiment_reports.html", reports, 60, False))
register_panel(Panel(PAGE, "jobs", "Latest work", "experiments/experiment_jobs.html", jobs, 70, False))
