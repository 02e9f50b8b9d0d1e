"""A small curve of one animal's weight, drawn without a plotting library so that the page stays quick."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 30
MOST_TICKS = 10
ALERT_PERCENT = 80.0  # a loss of 20 % of the reference weight


@dataclass(frozen=True)
class Point:
    """A weight on a study day, in percent of the reference weight."""

    study_day: int
    percent: float
    told: str


def weight_curve(points: Sequence[Point]) -> SafeString:
    """SVG of the points joined by a line, with 100 % and the line of a 20 % loss."""
    days = [p.study_day for p in points]
    percents = [p.percent for p in points] + [ALERT_PERCENT, 100.0]
    first, last = min(days), max(max(days), min(days) + 1)
    low, high = min(percents) - 3, max(percents) + 3

    def x(day: float) -> float:
        return round(LEFT + (day - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    def y(percent: float) -> float:
        return round(TOP + (high - percent) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    path = " ".join(f"{x(p.study_day)},{y(p.percent)}" for p in points)
    dots = ((x(p.study_day), y(p.percent), p.told) for p in points)
    shown_days = sorted({first, *days})
    ticks = shown_days[:: -(-len(shown_days) // MOST_TICKS)]
    levels = ((kind, LEFT, y(v), WIDTH - RIGHT, y(v), dash, LEFT - 6, y(v) + 4, t) for v, kind, dash, t in LEVELS)
    days_told = ((x(day), HEIGHT - 10, day) for day in ticks)
    return format_html(
        '<svg class="lab-curve" viewBox="0 0 {} {}" role="img" aria-label="Body weight by study day">{}{}'
        '<polyline class="lab-path" points="{}"/>{}</svg>',
        WIDTH,
        HEIGHT,
        format_html_join("", LEVEL, levels),
        format_html_join("", '<text x="{}" y="{}" text-anchor="middle">{}</text>', days_told),
        path,
        format_html_join("", '<circle cx="{}" cy="{}" r="3.5"><title>{}</title></circle>', dots),
    )


LEVEL = (
    '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}" stroke-dasharray="{}"/>'
    '<text x="{}" y="{}" text-anchor="end">{}</text>'
)
LEVELS = ((100.0, "lab-axis", "none", "100 %"), (ALERT_PERCENT, "lab-alert", "5 4", "80 %"))
