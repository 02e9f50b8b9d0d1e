"""The current summaries of an experiment as they are stored, found by what a reader asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from experiments.models import DataChange, Endpoint, Estimate, Experiment, OutcomeSummary
from experiments.outcomes import Design, design_of

CENSORED_RATIO = "censored_geometric_mean_ratio"
Get = Callable[[str, Any, Any], Any]  # (quantity, arm, reference) -> an estimate or None; the keys are the caller's


@dataclass(frozen=True)
class Stored:
    """Design, current summaries by endpoint, and their estimates by (endpoint, timepoint, quantity, arm, reference)."""

    experiment: Experiment
    design: Design
    endpoints: dict[Any, Endpoint]
    summaries: dict[Any, OutcomeSummary]
    estimates: dict[tuple, Estimate]
    is_stale: bool

    def get(self, endpoint: Any, timepoint: Any, quantity: str, arm: Any = None, reference: Any = None) -> Any:
        """The estimate, or None where its statistic gives none."""
        return self.estimates.get((endpoint, timepoint, quantity, arm, reference))

    def middle(self, endpoint: Endpoint, timepoint: Any, arm: Any) -> Any:
        """What stands for the arm; the estimate from censored values where the ordinary one was refused for them."""
        return middle(partial(self.get, endpoint.pk, timepoint), endpoint.default_scale, arm)

    @property
    def computed_at(self) -> datetime | None:
        return max((summary.computed_at for summary in self.summaries.values()), default=None)


def read_stored(experiment: Experiment) -> Stored:
    """Read once what figures, pages and reports show."""
    summaries = OutcomeSummary.objects.filter(experiment=experiment, is_current=True).select_related("endpoint")
    by_endpoint = {summary.endpoint_id: summary for summary in summaries.order_by("endpoint__name")}
    endpoint_of = {summary.pk: key for key, summary in by_endpoint.items()}
    estimates = {
        (endpoint_of[e.summary_id], e.timepoint_id, e.quantity, e.arm_id, e.reference_arm_id): e
        for e in Estimate.objects.shown().filter(summary__in=endpoint_of)
    }
    endpoints = {key: summary.endpoint for key, summary in by_endpoint.items()}
    stale = DataChange.objects.filter(experiment=experiment).exists()
    return Stored(experiment, design_of(experiment), endpoints, by_endpoint, estimates, stale)


def middle_quantity(scale: str) -> str:
    """What stands for an arm: the mean, or the geometric mean where arms are compared on a logarithmic scale."""
    return "mean" if scale == Endpoint.Scale.IDENTITY else "geometric_mean"


def middle(get: Get, scale: str, arm: Any) -> Any:
    """What stands for an arm; the estimate from censored values where the ordinary one was refused for them."""
    quantity = middle_quantity(scale)
    return _or_censored(get, quantity, f"censored_{quantity}", arm, None)


def effect(get: Get, arm: Any, reference: Any) -> Any:
    """Hedges g against the reference; the ratio of censored geometric means where g was refused for them."""
    return _or_censored(get, "hedges_g", CENSORED_RATIO, arm, reference)


def comparison(get: Get, scale: str, arm: Any, reference: Any) -> Any:
    """The estimate whose p tells the arm from its reference on ``scale``; the censored one under the same rule."""
    quantity = "mean_difference" if scale == Endpoint.Scale.IDENTITY else "geometric_mean_ratio"
    return _or_censored(get, quantity, CENSORED_RATIO, arm, reference)


def _or_censored(get: Get, quantity: str, censored: str, arm: Any, reference: Any) -> Any:
    found = get(quantity, arm, reference)
    if found is None or not found.refused:
        return found
    instead = get(censored, arm, reference)
    return found if instead is None or instead.refused else instead
