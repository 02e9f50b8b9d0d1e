"""Figures of the stored summaries as SVG: every animal a point, the mean with its interval, n under each arm.

Equal inputs give equal bytes. Text is drawn as paths, so that a page, a PDF and a printer show the same.
"""

import os
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from experiments.models import Arm, Endpoint, Experiment, Timepoint
from experiments.outcomes import Design, Point, points
from experiments.reports.stored import Stored, read_stored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito 2008, Color Universal Design: told apart also with red-green blindness. Black is left to text.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
MAX_STRIPS = 3  # more timepoints than this are drawn as a course over the study days
COLUMNS = 3


@dataclass(frozen=True)
class Theme:
    text: str
    lines: str
    grid: str


THEMES = {
    "paper": Theme("#111111", "#444444", "#e6e6e6"),
    "light": Theme("#1f2937", "#6b7280", "#e5e7eb"),
    "dark": Theme("#e5e7eb", "#9ca3af", "#374151"),
}


def experiment_figures(experiment: Experiment, theme: str = "light") -> list[tuple[str, str]]:
    """(title, SVG) for every summarised endpoint of an open-label experiment; nothing by arm while blinded."""
    stored = read_stored(experiment)
    return [(stored.endpoints[key].name, svg) for key, svg in figures_of(stored, theme).items()]


def figures_of(stored: Stored, theme: str) -> dict[Any, str]:
    """SVG by primary key of the endpoint."""
    if stored.design.is_blinded:
        return {}
    found: dict[Any, list[Point]] = defaultdict(list)
    for point in points(stored.experiment):
        found[point.endpoint].append(point)
    return {
        key: figure_svg(endpoint, stored.design, found[key], stored, theme)
        for key, endpoint in stored.endpoints.items()
        if found[key]
    }


def figure_svg(endpoint: Endpoint, design: Design, shown: Sequence[Point], stored: Stored, theme: str = "light") -> str:
    """The figure of one endpoint: a strip per timepoint, or its course where there are more than three.

    Raises ValueError for a theme that is not one of ``paper``, ``light``, ``dark``.
    """
    if theme not in THEMES:
        raise ValueError(f"theme “{theme}”: expected one of {', '.join(THEMES)}")
    # Its cache of fonts belongs into the project's folder, not into somebody's home.
    os.environ.setdefault("MPLCONFIGDIR", str(Path(settings.VAR) / "matplotlib"))
    import matplotlib as mpl
    from matplotlib.figure import Figure

    present = {point.timepoint for point in shown}
    timepoints = [timepoint for timepoint in design.timepoints if timepoint.pk in present]
    look = THEMES[theme]
    with mpl.rc_context(_style(look)):
        picture = _Picture(endpoint, design.arms, timepoints, shown, stored, look, Figure(layout="constrained"))
        (picture.strips if len(timepoints) <= MAX_STRIPS else picture.course)()
        out = StringIO()
        picture.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _style(look: Theme) -> dict[str, Any]:
    colours = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor")
    return {
        "svg.hashsalt": "labdb",
        "svg.fonttype": "path",
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "axes.edgecolor": look.lines,
        "xtick.color": look.lines,
        "ytick.color": look.lines,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 8,
        "axes.titleweight": "bold",
        "axes.linewidth": 0.6,
        **dict.fromkeys(colours, look.text),
    }


class _Picture:
    def __init__(
        self,
        endpoint: Endpoint,
        arms: Sequence[Arm],
        timepoints: Sequence[Timepoint],
        shown: Sequence[Point],
        stored: Stored,
        look: Theme,
        figure: Any,
    ) -> None:
        self.endpoint, self.stored, self.look, self.figure = endpoint, stored, look, figure
        groups: dict[tuple, list[Point]] = defaultdict(list)
        for point in shown:
            groups[point.timepoint, point.arm].append(point)
        self.groups, self.timepoints = groups, timepoints
        with_points = {arm for _, arm in groups}
        self.arms = [(arm, PALETTE[i % len(PALETTE)]) for i, arm in enumerate(arms) if arm.pk in with_points]
        numbers = [float(point.number) for point in shown]
        self.is_log = endpoint.default_scale == Endpoint.Scale.LOG and min(numbers) > 0
        self.low, self.high = min(numbers), max(numbers)

    def strips(self) -> None:
        self.figure.set_size_inches(max(3.4, 0.8 + 0.62 * len(self.arms) * len(self.timepoints)), 2.9)
        axes = self.figure.subplots(1, len(self.timepoints), sharey=True, squeeze=False)[0]
        for place, (ax, timepoint) in enumerate(zip(axes, self.timepoints, strict=True)):
            self._axis(ax, first=place == 0)
            ax.set_title(timepoint.label, loc="left")
            for x, (arm, colour) in enumerate(self.arms):
                self._strip(ax, x, self.groups[timepoint.pk, arm.pk], colour)
                self._middle(ax, [(x, timepoint.pk)], arm, colour)
            slanted = len(self.arms) * len(self.timepoints) > 6
            labels = [self._arm_label(arm, timepoint, slanted) for arm, _ in self.arms]
            turn = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
            ax.set_xticks(range(len(self.arms)), labels, fontsize=7, **turn)
            ax.set_xlim(-0.6, len(self.arms) - 0.4)

    def _arm_label(self, arm: Arm, timepoint: Timepoint, slanted: bool) -> str:
        """Label, n and censored values: under each other, or shortened to two lines where there is little room."""
        group = self.groups[timepoint.pk, arm.pk]
        counts = [f"n = {len(group)}"]
        for sign in "<>":
            if censored := sum(point.qualifier == sign for point in group):
                counts.append(f"{censored} {sign} limit")
        if slanted:
            return textwrap.shorten(arm.label, 24, placeholder=" …") + "\n" + ", ".join(counts)
        return "\n".join([*textwrap.wrap(arm.label, 16), *counts])

    def _strip(self, ax: "Axes", x: float, group: Sequence[Point], colour: str) -> None:
        ordered = sorted(group, key=lambda point: (point.number, str(point.unit)))
        places = _spread([self._height(float(point.number)) for point in ordered])
        for marker, sign in (("o", "="), ("v", "<"), ("^", ">")):
            chosen = [(x + dx, float(p.number)) for dx, p in zip(places, ordered, strict=True) if p.qualifier == sign]
            if chosen:
                face = colour if sign == "=" else "none"
                ax.scatter(*zip(*chosen, strict=True), s=11, marker=marker, facecolors=face, edgecolors=colour,
                           linewidths=0.7, alpha=0.75, zorder=2)  # fmt: skip

    def _height(self, value: float) -> float:
        """Where a value lies between the bottom (0) and the top (1) of the axis."""
        import math

        scale = math.log if self.is_log else float
        low, high = scale(self.low), scale(self.high)
        return 0.5 if high == low else (scale(value) - low) / (high - low)

    def _middle(self, ax: "Axes", places: Sequence[tuple[float, Any]], arm: Arm, colour: str) -> None:
        """The stored mean with its interval at each (x, timepoint), joined where there are several."""
        found = [(x, self.stored.middle(self.endpoint, timepoint, arm.pk)) for x, timepoint in places]
        given = [(x, e) for x, e in found if e is not None and e.estimate is not None]
        bounded = [(x, e) for x, e in given if e.lower is not None]
        strong = self.look.text if len(places) == 1 else colour
        if len(places) == 1:
            for x, e in given:
                ax.plot([x - 0.26, x + 0.26], [e.estimate] * 2, color=strong, linewidth=1.4, zorder=4)
        else:
            ax.plot([x for x, _ in given], [e.estimate for _, e in given], color=strong, linewidth=1.8, zorder=4)
        ax.vlines([x for x, _ in bounded], [e.lower for _, e in bounded], [e.upper for _, e in bounded],
                  colors=strong, linewidth=1.1 if len(places) < 10 else 0.6, zorder=4)  # fmt: skip

    def course(self) -> None:
        columns = min(COLUMNS, len(self.arms))
        rows = -(-len(self.arms) // columns)
        self.figure.set_size_inches(2.35 * columns, 0.35 + 1.75 * rows)
        grid = self.figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for place, ax in enumerate(grid.flat):
            if place >= len(self.arms):
                ax.set_visible(False)
                continue
            arm, colour = self.arms[place]
            self._axis(ax, first=place % columns == 0)
            self._lines(ax, arm, colour)
            self._middle(ax, [(t.study_day, t.pk) for t in self.timepoints], arm, colour)
            units = {p.unit for t in self.timepoints for p in self.groups[t.pk, arm.pk]}
            ax.set_title("\n".join([*textwrap.wrap(arm.label, 30), f"n = {len(units)}"]), loc="left")
            if place + columns >= len(self.arms):
                ax.set_xlabel("study day")
                ax.xaxis.set_tick_params(labelbottom=True)

    def _lines(self, ax: "Axes", arm: Arm, colour: str) -> None:
        course: dict[Any, list[tuple[int, Point]]] = defaultdict(list)
        for timepoint in self.timepoints:
            for point in self.groups[timepoint.pk, arm.pk]:
                course[point.unit].append((timepoint.study_day, point))
        for unit in sorted(course, key=str):
            xs, ys = zip(*((day, float(point.number)) for day, point in course[unit]), strict=True)
            ax.plot(xs, ys, color=colour, linewidth=0.5, alpha=0.45, marker=".", markersize=2, zorder=2)
        bounds = [(day, float(p.number)) for each in course.values() for day, p in each if p.qualifier != "="]
        if bounds:
            ax.scatter(*zip(*bounds, strict=True), s=12, marker="v", facecolors="none", edgecolors=colour, zorder=3)

    def _axis(self, ax: "Axes", first: bool) -> None:
        from matplotlib.ticker import FuncFormatter, NullFormatter

        if self.is_log:
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            few = self.high / self.low < 20
            ax.yaxis.set_minor_formatter(FuncFormatter(_leading_digit) if few else NullFormatter())
        ax.grid(axis="y", color=self.look.grid, linewidth=0.5, zorder=0)
        ax.set_axisbelow(True)
        if first:
            unit = f" ({self.endpoint.unit})" if self.endpoint.unit else ""
            ax.set_ylabel("\n".join(textwrap.wrap(f"{self.endpoint.name}{unit}", 32)))


def _leading_digit(value: float, _: Any) -> str:
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def _spread(heights: Sequence[float], step: float = 0.085, near: float = 0.035, widest: int = 4) -> list[float]:
    """Offsets beside the middle for points of ascending ``heights``, so that near ones stand next to each other."""
    order = [0, *(sign * k for k in range(1, widest + 1) for sign in (1, -1))]
    placed: list[tuple[float, int]] = []
    for height in heights:
        taken = {slot for other, slot in placed[-4 * widest :] if height - other < near}
        placed.append((height, next((slot for slot in order if slot not in taken), len(placed) % len(order) - widest)))
    return [slot * step for _, slot in placed]
