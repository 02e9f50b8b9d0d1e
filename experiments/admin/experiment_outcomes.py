"""The outcomes on the experiment's page: of every endpoint its figure and, by arm, the estimates on its scale."""

import uuid
from collections import defaultdict
from functools import partial
from typing import Any

from django.http import HttpRequest

from experiments import flow
from experiments.admin.figures import THEMES, figure_url
from experiments.admin.links import list_url
from experiments.admin.numbers import p_value
from experiments.models import Arm, Estimate, Experiment, OutcomeSummary, Timepoint
from experiments.reports.numbers import interval, number
from experiments.reports.stored import CENSORED_RATIO, comparison, effect, middle, middle_quantity
from labdb.base.panels import Panel, register_panel

QUANTITIES = ("n", "n_below_limit", "n_above_limit", "sd", "median", "hedges_g", "welch_anova") + (
    "mean",
    "geometric_mean",
    "censored_geometric_mean",
    "mean_difference",
    "geometric_mean_ratio",
    CENSORED_RATIO,
)
CENSORED = (
    "† Maximum likelihood of a lognormal, in which values beyond a limit are censored there. "
    "In place of g stands the ratio of these geometric means, arm to reference."
)
NAMES = {"hedges_g": "Hedges g", "sd": "SD", "welch_anova": "Welch ANOVA"}


def summaries(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    """The current summary of every endpoint at one timepoint: the chosen one, or the last that was measured."""
    current = OutcomeSummary.objects.visible_to(request.user).filter(experiment=experiment, is_current=True)
    rows = list(current.select_related("endpoint", "experiment").order_by("endpoint__name"))
    visible = Estimate.objects.visible_to(request.user).filter(summary__in=rows)
    pairs = visible.filter(timepoint__isnull=False).values_list("summary", "timepoint").distinct().order_by()
    measured: dict[Any, set] = defaultdict(set)
    for summary, timepoint in pairs:
        measured[summary].add(timepoint)
    timepoints = [t for t in experiment.timepoints.all() if any(t.pk in found for found in measured.values())]
    chosen = _chosen(request, timepoints)
    wanted = {row.pk: _timepoint_of(measured[row.pk], timepoints, chosen) for row in rows}
    estimates = _estimates(visible, wanted)
    shown = [_outcome(row, wanted[row.pk], estimates[row.pk]) for row in rows if wanted[row.pk]]
    left_out = flow.excluded_by_endpoint(experiment.pk) if shown else {}
    for outcome in shown:
        outcome["n_excluded"] = flow.n_excluded(left_out, outcome["summary"].endpoint_id)
    return {"outcomes": shown, "timepoints": timepoints, "chosen": chosen, "is_blinded": experiment.is_blinded}


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


def _outcome(summary: OutcomeSummary, timepoint: Any, estimates: list[Estimate]) -> dict[str, Any]:
    found = {(row.quantity, row.arm, row.reference_arm): row for row in estimates}
    arms = list(dict.fromkeys(row.arm for row in estimates if row.quantity == "n"))
    rows = [_Row(summary.scale, found, arm).shown() for arm in arms]
    return {
        "summary": summary,
        "timepoint": timepoint,
        "figures": [] if summary.experiment.is_blinded else _figures(summary),
        "middle_name": middle_quantity(summary.scale).replace("_", " ").capitalize(),
        "rows": rows,
        "censored": CENSORED if any(row["has_censored"] for row in rows) else "",
        "anova": _told_anova(found.get(("welch_anova", None, None))),
        "refusals": _refusals(estimates),
        "estimates_url": list_url("estimate", summary__endpoint__id=summary.endpoint_id)
        + f"&summary__experiment__id__exact={summary.experiment_id}",
    }


def _figures(summary: OutcomeSummary) -> list[dict[str, str]]:
    key = summary.endpoint.key
    return [{"theme": theme, "url": figure_url(summary.experiment, key, theme)} for theme in THEMES]


class _Row:
    """One arm of the table; ``found`` holds the estimates by (quantity, arm, reference)."""

    def __init__(self, scale: str, found: dict[tuple, Estimate], arm: Arm | None) -> None:
        self.scale, self.arm = scale, arm
        self.get = partial(_get, found)
        self.reference = next((reference for _, a, reference in found if a == arm and reference), None)

    def shown(self) -> dict[str, Any]:
        centre = middle(self.get, self.scale, self.arm)
        gap = effect(self.get, self.arm, self.reference) if self.reference else None
        test = comparison(self.get, self.scale, self.arm, self.reference) if self.reference else None
        sd, median = self.get("sd", self.arm, None), self.get("median", self.arm, None)
        return {
            "label": str(self.arm) if self.arm else "All arms",
            "reference": str(self.reference or ""),
            "n": _told(self.get("n", self.arm, None), 6),
            "beyond": self._beyond(),
            "middle": _told(centre) + _mark(centre),
            "middle_interval": _between(centre),
            "sd": _told(sd, 3),
            "median": _told(median),
            "effect": ("ratio " if _mark(gap) else "") + _told(gap, 3) + _mark(gap),
            "effect_interval": _between(gap),
            "p": p_value(test.p_value) + _mark(test) if test else "–",
            "has_censored": any(_mark(estimate) for estimate in (centre, gap, test)),
        }

    def _beyond(self) -> str:
        """``2 <, 1 >``: how many values are below and above a limit of quantification."""
        signs = (("n_below_limit", "<"), ("n_above_limit", ">"))
        found = [(self.get(quantity, self.arm, None), sign) for quantity, sign in signs]
        return ", ".join(f"{e.estimate:.0f} {sign}" for e, sign in found if e and e.estimate) or "0"


def _get(found: dict[tuple, Estimate], quantity: str, arm: Any, reference: Any) -> Estimate | None:
    return found.get((quantity, arm, reference))


def _told(estimate: Estimate | None, digits: int = 4) -> str:
    if estimate is None or estimate.estimate is None:
        return "–"
    return f"{estimate.estimate:.0f}" if estimate.quantity == "n" else number(estimate.estimate, digits)


def _between(estimate: Estimate | None) -> str:
    return interval(estimate.lower, estimate.upper, 3) if estimate else ""


def _mark(estimate: Estimate | None) -> str:
    return "†" if estimate and estimate.estimate is not None and estimate.quantity.startswith("censored_") else ""


def _refusals(estimates: list[Estimate]) -> list[str]:
    """Every reason once, with the quantities that it concerns."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for row in estimates:
        if row.refused:
            names[row.refused][NAMES.get(row.quantity, row.quantity.replace("_", " "))] = None
    return [f"{', '.join(quantities)}: {reason}" for reason, quantities in sorted(names.items())]


def _told_anova(row: Estimate | None) -> str:
    if row is None or row.statistic is None or row.df1 is None:
        return ""
    told = p_value(row.p_value)
    p = told if told.startswith("<") else f"= {told}"
    return f"Welch ANOVA over the arms: F({row.df1:.0f}, {number(row.df2, 3)}) = {number(row.statistic, 3)}, p {p}"


register_panel(Panel("experiment", "outcomes", "Outcomes", "experiments/experiment_outcomes.html", summaries, 20))
