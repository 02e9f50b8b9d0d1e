"""The course of an endpoint over the study days: a panel an arm, a thin line an animal, the arm's mean over its reference's."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from experiments.models import Arm
from experiments.outcomes import Point
from experiments.reports.picture import MARKERS, PAGE_WIDTH_IN, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MANY_TIMEPOINTS = 10


def draw_course(picture: Picture) -> None:
    """Draw every animal as a line in its arm's panel, with the arm's middle, intervals and n."""
    from matplotlib.ticker import MaxNLocator

    columns = min(COLUMNS, len(picture.arms))
    rows = -(-len(picture.arms) // columns)
    picture.figure.set_size_inches(PAGE_WIDTH_IN * columns / COLUMNS, 0.3 + 1.5 * rows)
    grid = picture.figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, ax in enumerate(grid.flat):
        if place >= len(picture.arms):
            ax.set_visible(False)
            continue
        picture.value_axis(ax, "y", is_labelled=place % columns == 0)
        _panel(picture, ax, *picture.arms[place])
        if place + columns >= len(picture.arms):
            ax.set_xlabel("study day")
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            ax.xaxis.set_tick_params(labelbottom=True)


def _panel(picture: Picture, ax: "Axes", arm: Arm, colour: str) -> None:
    _lines(picture, ax, arm, colour)
    if arm.reference_id:
        reference = list(_middles(picture, arm.reference_id))
        ax.plot([day for day, _ in reference], [e.estimate for _, e in reference], color=picture.look.lines,
                linewidth=1.1, linestyle=(0, (3, 1.5)), zorder=3)  # fmt: skip
    middles = list(_middles(picture, arm.pk))
    ax.plot([day for day, _ in middles], [e.estimate for _, e in middles], color=colour, linewidth=1.8, zorder=4)
    bounded = [(day, e.lower, e.upper) for day, e in middles if e.lower is not None]
    if bounded:
        days, lower, upper = zip(*bounded, strict=True)
        ax.vlines(days, lower, upper, colors=colour, zorder=4,
                  linewidth=1.1 if len(middles) < MANY_TIMEPOINTS else 0.6)  # fmt: skip
    units = {point.unit for timepoint in picture.timepoints for point in picture.groups[timepoint.pk, arm.pk]}
    ax.set_title("\n".join([*textwrap.wrap(arm.label, 32), f"n = {len(units)}"]), loc="left")


def _middles(picture: Picture, arm: Any) -> Iterator[tuple[int, Any]]:
    """(study day, stored mean) of an arm, where there is one."""
    for timepoint in picture.timepoints:
        middle = picture.middle(timepoint.pk, arm)
        if middle is not None:
            yield timepoint.study_day, middle


def _lines(picture: Picture, ax: "Axes", arm: Arm, colour: str) -> None:
    course: dict[Any, list[tuple[int, Point]]] = defaultdict(list)
    for timepoint in picture.timepoints:
        for point in picture.groups[timepoint.pk, arm.pk]:
            course[point.unit].append((timepoint.study_day, point))
    for unit in sorted(course, key=str):
        days, values = zip(*((day, float(point.number)) for day, point in course[unit]), strict=True)
        ax.plot(days, values, color=colour, linewidth=0.5, alpha=0.5, marker=".", markersize=2, zorder=2)
    for marker, sign in MARKERS[1:]:
        bounds = [(day, float(p.number)) for each in course.values() for day, p in each if p.qualifier == sign]
        if bounds:
            days, values = zip(*bounds, strict=True)
            ax.scatter(days, values, s=12, marker=marker, facecolors="none", edgecolors=colour, zorder=3)
