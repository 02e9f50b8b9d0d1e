"""The current summaries of an experiment as they are stored, found by what a reader asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experiments.models import DataChange, Endpoint, Estimate, Experiment, OutcomeSummary
from experiments.outcomes import Design, design_of


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
        quantity = middle_quantity(endpoint.default_scale)
        found = self.get(endpoint.pk, timepoint, quantity, arm)
        if found is None or not found.refused:
            return found
        censored = self.get(endpoint.pk, timepoint, f"censored_{quantity}", arm)
        return found if censored is None or censored.refused else censored

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
        for e in Estimate.objects.filter(summary__in=endpoint_of)
    }
    endpoints = {key: summary.endpoint for key, summary in by_endpoint.items()}
    stale = DataChange.objects.filter(experiment=experiment).exists()
    return Stored(experiment, design_of(experiment), endpoints, by_endpoint, estimates, stale)


def middle_quantity(scale: str) -> str:
    """What stands for an arm: the mean, or the geometric mean where arms are compared on a logarithmic scale."""
    return "mean" if scale == Endpoint.Scale.IDENTITY else "geometric_mean"
