"""What grids there are: a new one is a line here. A grid shows animals × days, or × sides, of one endpoint."""

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from experiments.models import Experiment, Observation
from labdb.base.access import may

NAME = "experiments_experiment_grid"


@dataclass(frozen=True)
class GridKind:
    """One kind of grid.

    ``endpoint`` is a key, or empty where the page asks which. ``days`` can be shown side by side, the first of them
    unless chosen. ``keys``: one key fills a cell. ``loss_percent``: as one types, a weight is told in percent of the
    animal's on day 0 (or its first), and warned about from that loss on.
    """

    key: str
    title: str
    label: str
    icon: str
    endpoint: str = ""
    days: tuple[int, ...] = (1,)
    keys: dict[str, str] = field(default_factory=dict)
    loss_percent: int = 0

    def url(self, experiment: Experiment) -> str:
        return reverse(f"admin:{NAME}", args=[experiment.pk, self.key])


STAGES = {"p": "P", "e": "E", "m": "M", "d": "D", "f": "few_cells", "i": "indeterminate"}
KINDS = {
    kind.key: kind
    for kind in (
        GridKind("weights", "Body weights", "Weigh", "monitor_weight", "body_weight", loss_percent=20),
        GridKind("welfare", "Welfare scores", "Score", "health_and_safety", "welfare_score"),
        GridKind("stages", "Estrous stages", "Stage", "grid_on", "estrous_stage", (7, 14, 1), STAGES),
        GridKind("values", "Other values", "Other values", "straighten"),
    )
}


def grid_links(user: Any, experiment: Experiment) -> list[dict[str, str]]:
    """The grids that ``user`` may fill in ``experiment``."""
    if not may(user, "add", Observation(experiment=experiment)):
        return []
    return [{"text": kind.label, "icon": kind.icon, "url": kind.url(experiment)} for kind in KINDS.values()]
