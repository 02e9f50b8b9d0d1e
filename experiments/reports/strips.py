"""Strips of points by arm, a panel a timepoint: arms side by side, or under each other where their labels need room."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.models import Arm, Timepoint
from experiments.outcomes import Point
from experiments.reports.picture import MARKERS, PAGE_WIDTH_IN, POINT_ALPHA, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL_PT = 6.5
LINE_IN = 0.115
HEIGHT_IN = 2.05
WIDEST_STRIP_IN, NARROWEST_STRIP_IN = 0.95, 0.6
AXIS_IN = 0.75  # the axis of values with its label
GAP_IN = 0.12  # between panels
MOST_LINES = 3  # of a label below its strip


def draw_strips(picture: Picture) -> None:
    """Draw every animal as a point beside those of its arm, with the arm's middle, interval and n."""
    strips = len(picture.arms) * len(picture.timepoints)
    room_in = PAGE_WIDTH_IN - AXIS_IN - GAP_IN * (len(picture.timepoints) - 1)
    width_in = min(WIDEST_STRIP_IN, room_in / strips)
    labels = [_wrapped(arm.label, (width_in - 0.06) * 72) for arm, _ in picture.arms]
    if width_in >= NARROWEST_STRIP_IN and all(0 < len(lines) <= MOST_LINES for lines in labels):
        _side_by_side(picture, width_in, labels)
    else:
        _stacked(picture)


def _side_by_side(picture: Picture, strip_in: float, labels: Sequence[list[str]]) -> None:
    strips = len(picture.arms) * len(picture.timepoints)
    gaps_in = GAP_IN * (len(picture.timepoints) - 1)
    picture.figure.set_size_inches(max(2.6, AXIS_IN + strip_in * strips + gaps_in), HEIGHT_IN)
    axes = picture.figure.subplots(1, len(picture.timepoints), sharey=True, squeeze=False)[0]
    for place, (ax, timepoint) in enumerate(zip(axes, picture.timepoints, strict=True)):
        picture.value_axis(ax, "y", is_labelled=place == 0)
        ax.set_title(timepoint.label, loc="left")
        for x, (arm, colour) in enumerate(picture.arms):
            _strip(picture, ax, (timepoint, arm), x, colour, upright=True)
        arms = zip(picture.arms, labels, strict=True)
        told = ["\n".join([*lines, *picture.counts(timepoint.pk, arm)]) for (arm, _), lines in arms]
        ax.set_xticks(range(len(told)), told, fontsize=LABEL_PT)
        ax.set_xlim(-0.5, len(told) - 0.5)


def _stacked(picture: Picture) -> None:
    """Arms from top to bottom: a label has a line of its own, so any number of arms and any length finds its room."""
    labels = [textwrap.wrap(arm.label, 32) for arm, _ in picture.arms]
    counts = [picture.counts(timepoint.pk, arm) for timepoint in picture.timepoints for arm, _ in picture.arms]
    pitch_in = LINE_IN * (max(len(lines) for lines in [*labels, *counts]) + 0.4)
    picture.figure.set_size_inches(PAGE_WIDTH_IN, 0.7 + pitch_in * len(labels))
    axes = picture.figure.subplots(1, len(picture.timepoints), sharex=True, sharey=True, squeeze=False)[0]
    for ax, timepoint in zip(axes, picture.timepoints, strict=True):
        picture.value_axis(ax, "x")
        ax.set_title(timepoint.label, loc="left")
        for y, (arm, colour) in enumerate(picture.arms):
            _strip(picture, ax, (timepoint, arm), y, colour, upright=False)
            told = "\n".join(picture.counts(timepoint.pk, arm))
            ax.text(1.01, y, told, transform=ax.get_yaxis_transform(), va="center", fontsize=LABEL_PT - 0.5)
        ax.set_yticks(range(len(labels)), ["\n".join(label) for label in labels], fontsize=LABEL_PT)
        ax.set_ylim(len(labels) - 0.5, -0.5)


def _strip(
    picture: Picture, ax: "Axes", group: tuple[Timepoint, Arm], at: float, colour: str, *, upright: bool
) -> None:
    timepoint, arm = group
    _points(picture, ax, picture.groups[timepoint.pk, arm.pk], at, colour, upright)
    middle = picture.middle(timepoint.pk, arm.pk)
    if middle is None:
        return
    across, along = (ax.hlines, ax.vlines) if upright else (ax.vlines, ax.hlines)
    across(middle.estimate, at - 0.3, at + 0.3, colors=picture.look.text, linewidth=1.4, zorder=4)
    if middle.lower is not None:
        along(at, middle.lower, middle.upper, colors=picture.look.text, linewidth=1.1, zorder=4)


def _points(picture: Picture, ax: "Axes", group: Sequence[Point], at: float, colour: str, upright: bool) -> None:
    ordered = sorted(group, key=lambda point: (point.number, str(point.unit)))
    places = _spread(
        [picture.share(float(point.number)) for point in ordered], *((0.085, 0.04) if upright else (0.13, 0.02))
    )
    for marker, sign in MARKERS:
        chosen = [(at + d, float(p.number)) for d, p in zip(places, ordered, strict=True) if p.qualifier == sign]
        if chosen:
            across, values = zip(*chosen, strict=True)
            ax.scatter(*((across, values) if upright else (values, across)), s=10, marker=marker,
                       facecolors=colour if sign == "=" else "none", edgecolors=colour, linewidths=0.7,
                       alpha=POINT_ALPHA, zorder=2)  # fmt: skip


def _spread(shares: Sequence[float], step: float, near: float, widest: int = 3) -> list[float]:
    """Offsets beside the middle for points at ascending ``shares``, so that ``near`` ones stand ``step`` apart."""
    order = [0, *(sign * k for k in range(1, widest + 1) for sign in (1, -1))]
    placed: list[tuple[float, int]] = []
    for share in shares:
        taken = {slot for other, slot in placed[-4 * widest :] if share - other < near}
        placed.append((share, next((slot for slot in order if slot not in taken), len(placed) % len(order) - widest)))
    return [slot * step for _, slot in placed]


def _wrapped(label: str, width_pt: float) -> list[str]:
    """``label`` in lines no wider than ``width_pt`` as they will be drawn; none where one of its words is wider."""
    lines = [""]
    for word in label.split():
        longer = f"{lines[-1]} {word}".strip()
        if _width_pt(longer) <= width_pt:
            lines[-1] = longer
        elif _width_pt(word) <= width_pt:
            lines.append(word)
        else:
            return []
    return [line for line in lines if line]


def _width_pt(text: str) -> float:
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=LABEL_PT).get_extents().width
