"""Figures of the stored summaries as SVG: every animal a point, the mean with its interval, n beside each arm.

Equal inputs give equal bytes. Text is drawn as paths, so that a page, a PDF and a printer show the same.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings

from experiments.models import Endpoint, Experiment
from experiments.outcomes import Design, Point, points
from experiments.reports.picture import Picture, Theme
from experiments.reports.stored import Stored, read_stored

MAX_STRIPS = 3  # more timepoints than this are drawn as a course over the study days
# Okabe & Ito 2008, Color Universal Design: told apart also with red-green blindness. Black is left to text.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F")
ON_DARK = ("#3D93DB", "#F0803C", "#27C498", "#E092BE", "#F2B632", "#96D8FF", "#C3A15A", "#B0B0B0")  # the same, lighter
THEMES = {
    "paper": Theme("#111111", "#444444", "#e6e6e6", PALETTE),
    "light": Theme("#1f2937", "#6b7280", "#e5e7eb", PALETTE),
    "dark": Theme("#e5e7eb", "#9ca3af", "#374151", ON_DARK),
}


def experiment_figures(experiment: Experiment, theme: str = "light") -> list[tuple[str, str]]:
    """(title, SVG) for every summarised endpoint of an open-label experiment; nothing by arm while blinded."""
    stored = read_stored(experiment)
    return [(stored.endpoints[key].name, svg) for key, svg in figures_of(stored, points(experiment), theme).items()]


def figures_of(stored: Stored, shown: Sequence[Point], theme: str) -> dict[Any, str]:
    """SVG by primary key of the endpoint."""
    if stored.design.is_blinded:
        return {}
    found: dict[Any, list[Point]] = defaultdict(list)
    for point in shown:
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

    from experiments.reports.course import draw_course
    from experiments.reports.strips import draw_strips

    look = THEMES[theme]
    with mpl.rc_context(_style(look)):
        picture = Picture(endpoint, design, shown, stored, look, Figure(layout="constrained"))
        (draw_strips if len(picture.timepoints) <= MAX_STRIPS else draw_course)(picture)
        out = StringIO()
        picture.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _style(look: Theme) -> dict[str, Any]:
    colours = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor")
    return {
        "svg.hashsalt": "labdb",
        "svg.fonttype": "path",
        "text.parse_math": False,  # a dollar sign in a label is a dollar sign
        "font.family": "DejaVu Sans",
        "font.size": 7.5,
        "axes.edgecolor": look.lines,
        "xtick.color": look.lines,
        "ytick.color": look.lines,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 7.5,
        "axes.titleweight": "bold",
        "axes.linewidth": 0.6,
        **dict.fromkeys(colours, look.text),
    }
