"""The section of one endpoint in the outcome report."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from experiments.models import Arm, Endpoint, Timepoint
from experiments.outcomes import POOLED
from experiments.reports.figures import MAX_STRIPS
from experiments.reports.numbers import interval, number, p_value
from experiments.reports.stored import Stored, middle_quantity

NAMES = {
    "sd": "SD",
    "hedges_g": "Hedges g",
    "welch_anova": "Welch ANOVA",
    "q1": "first quartile",
    "q3": "third quartile",
}
MAX_TIMEPOINTS = 6  # of a table; a reader of more wants the data, which the dataset gives


def selected(timepoints: Sequence[Timepoint]) -> list[Timepoint]:
    """All timepoints, or the first, the last and evenly spaced ones between them where there are many."""
    if len(timepoints) <= MAX_TIMEPOINTS:
        return list(timepoints)
    last = len(timepoints) - 1
    return [timepoints[round(i * last / (MAX_TIMEPOINTS - 1))] for i in range(MAX_TIMEPOINTS)]


def endpoint_section(stored: Stored, key: Any, figure_width: int | None) -> dict[str, Any]:
    """Title, figure, table (rows in blocks by timepoint) and everything refused or warned about, in words."""
    endpoint = stored.endpoints[key]
    measured = {timepoint for k, timepoint, *_ in stored.estimates if k == key}
    timepoints = [t for t in stored.design.timepoints if t.pk in measured]
    shown = selected(timepoints)
    section = _Section(stored, endpoint)
    blinded = stored.design.is_blinded
    blocks = [section.pooled(t) if blinded else section.block(t) for t in shown]
    notes = list(section.notes())
    if len(shown) < len(timepoints):
        notes.insert(0, f"{len(shown)} of {len(timepoints)} planned timepoints with values are shown.")
    return {
        "title": endpoint.name + (f" ({endpoint.unit})" if endpoint.unit else ""),
        "about": _about(stored, endpoint),
        "figure": None if figure_width is None else str(key),
        "width": figure_width or 100,
        "alt": f"{endpoint.name} by arm: every experimental unit a point, {_middle_name(endpoint)} with 95 % interval",
        "caption": _caption(stored, endpoint, len(timepoints)),
        "header": ["", "n", "beyond limit"] if blinded else section.header(),
        "blocks": blocks,
        "notes": notes,
    }


def _about(stored: Stored, endpoint: Endpoint) -> str:
    primary = "primary endpoint · " if stored.experiment.primary_endpoint_id == endpoint.pk else ""
    benefit = endpoint.get_benefit_display().lower()
    return f"{primary}compared {_scale(endpoint)} · benefit: {benefit}"


def _scale(endpoint: Endpoint) -> str:
    scales = {Endpoint.Scale.LOG: "as natural logarithms", Endpoint.Scale.COUNT: "as log(x + 1)"}
    return scales.get(Endpoint.Scale(endpoint.default_scale), "as measured")


def _middle_name(endpoint: Endpoint) -> str:
    return middle_quantity(endpoint.default_scale).replace("_", " ")


def _caption(stored: Stored, endpoint: Endpoint, timepoints: int) -> str:
    units = f"{stored.experiment.get_experimental_unit_display().lower()}s"
    each = f"thin lines: {units}; bold" if timepoints > MAX_STRIPS else f"points: {units}; bar"
    return f"{endpoint.name} by arm; {each}: {_middle_name(endpoint)} with 95 % interval."


class _Section:
    def __init__(self, stored: Stored, endpoint: Endpoint) -> None:
        self.stored, self.endpoint = stored, endpoint
        self.middle = middle_quantity(endpoint.default_scale)
        self.told: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.has_censored = False
        self.has_pairs = bool(stored.design.pairs())

    def header(self) -> list[str]:
        middle = f"{_middle_name(self.endpoint).capitalize()} [95 %]"
        effect = ["Hedges g [95 %]"] if self.has_pairs else []
        return ["Arm", "n", "beyond limit", middle, "SD", "Median (IQR)", *effect]

    def block(self, timepoint: Timepoint) -> dict[str, Any]:
        arms = self.stored.design.arms
        return {
            "title": timepoint.label,
            "test": self._anova(timepoint),
            "rows": [self._row(timepoint, arm) for arm in arms if self._get(timepoint, "n", arm) is not None],
        }

    def pooled(self, timepoint: Timepoint) -> dict[str, Any]:
        n = self._get(timepoint, "n", None)
        row = [POOLED, f"{n.estimate:.0f}" if n else "—", self._beyond(timepoint, None)]
        return {"title": timepoint.label, "test": "", "rows": [row]}

    def _beyond(self, timepoint: Timepoint, arm: Arm | None) -> str:
        """``2 <, 1 >``: how many values are below and above a limit of quantification."""
        found = [(s, self._get(timepoint, f"n_{s}_limit", arm)) for s in ("below", "above")]
        signs = {"below": "<", "above": ">"}
        return ", ".join(f"{e.estimate:.0f} {signs[s]}" for s, e in found if e and e.estimate) or "0"

    def _get(self, timepoint: Timepoint, quantity: str, arm: Arm | None, reference: Any = None) -> Any:
        """The estimate; what it refuses or warns about goes to the notes."""
        found = self.stored.get(self.endpoint.pk, timepoint.pk, quantity, arm.pk if arm else None, reference)
        if found is not None:
            name = NAMES.get(quantity, quantity.replace("_", " "))
            for text in [found.refused] if found.refused else found.warnings:
                self.told[timepoint.label, f"not computed: {text}" if found.refused else text].append(name)
        return found

    def _anova(self, timepoint: Timepoint) -> str:
        found = self._get(timepoint, "welch_anova", None)
        if found is None or found.refused:
            return "" if found is None else "Welch ANOVA not computed"
        degrees = f"{found.df1:.0f}, {number(found.df2, 3)}"
        return f"Welch ANOVA: F({degrees}) = {number(found.statistic, 3)}, {p_value(found.p_value)}"

    def _row(self, timepoint: Timepoint, arm: Arm) -> list[str]:
        n, _, sd = (self._get(timepoint, quantity, arm) for quantity in ("n", self.middle, "sd"))
        quartiles = [self._get(timepoint, quantity, arm) for quantity in ("median", "q1", "q3")]
        g = self._get(timepoint, "hedges_g", arm, arm.reference_id) if arm.reference_id else None
        return [
            arm.label,
            f"{n.estimate:.0f}",
            self._beyond(timepoint, arm),
            self._middle(timepoint, arm),
            number(sd.estimate if sd else None, 3),
            _median(*quartiles),
            *(["reference" if self._is_reference(arm) and g is None else _effect(g)] if self.has_pairs else []),
        ]

    def _middle(self, timepoint: Timepoint, arm: Arm) -> str:
        found = self.stored.middle(self.endpoint, timepoint.pk, arm.pk)
        censored = found is not None and found.quantity != self.middle
        self.has_censored |= censored
        return _with_interval(found) + ("†" if censored else "")

    def _is_reference(self, arm: Arm) -> bool:
        return any(other.reference_id == arm.pk for other in self.stored.design.arms)

    def notes(self) -> Iterable[str]:
        if self.has_censored:
            yield "† maximum likelihood of a lognormal, in which values beyond a limit are censored there."
        places: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (timepoint, text), names in self.told.items():
            places[", ".join(dict.fromkeys(names)), text].append(timepoint)
        for (quantities, text), timepoints in places.items():
            yield f"{', '.join(timepoints)}: {quantities}: {text}"


def _with_interval(estimate: Any, digits: int = 4) -> str:
    if estimate is None or estimate.estimate is None:
        return "—"
    between = interval(estimate.lower, estimate.upper, digits)
    return number(estimate.estimate, digits) + (f" [{between}]" if between else "")


def _effect(g: Any) -> str:
    """Two decimals: a standardised effect has a scale of its own."""
    if g is None or g.estimate is None:
        return "—"
    return f"{g.estimate:.2f} [{g.lower:.2f} to {g.upper:.2f}]".replace("-", "−")


def _median(median: Any, q1: Any, q3: Any) -> str:
    if median is None or median.estimate is None:
        return "—"
    between = interval(q1.estimate, q3.estimate, 3)
    return number(median.estimate, 3) + (f" ({between})" if between else "")
