"""What both kinds of figures are drawn from, and what they draw alike: an arm's colour, its middle, the axis of values."""

import math
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from experiments.models import Arm, Endpoint
from experiments.outcomes import Design, Point
from experiments.reports.stored import Stored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE_WIDTH_IN = 6.69  # 170 mm, the text's width of the report
POINT_ALPHA = 0.8
BEYOND = 0.5  # how far an axis reaches beyond the values, as a share of their range
MARKERS = (("o", "="), ("v", "<"), ("^", ">"))


@dataclass(frozen=True)
class Theme:
    """Colours of text, axes, grid and arms."""

    text: str
    lines: str
    grid: str
    arms: tuple[str, ...]


class Picture:
    """The points of one endpoint by (timepoint, arm), its arms with their colours, and the figure to draw them in."""

    def __init__(
        self,
        endpoint: Endpoint,
        design: Design,
        shown: Sequence[Point],
        stored: Stored,
        look: Theme,
        figure: "Figure",
    ) -> None:
        self.endpoint, self.stored, self.look, self.figure = endpoint, stored, look, figure
        groups: dict[tuple, list[Point]] = defaultdict(list)
        for point in shown:
            groups[point.timepoint, point.arm].append(point)
        self.groups = groups
        with_points = {arm for _, arm in groups}
        present = {timepoint for timepoint, _ in groups}
        self.timepoints = [timepoint for timepoint in design.timepoints if timepoint.pk in present]
        self.arms = [(arm, look.arms[i % len(look.arms)]) for i, arm in enumerate(design.arms) if arm.pk in with_points]
        numbers = [float(point.number) for point in shown]
        self.is_log = endpoint.default_scale == Endpoint.Scale.LOG and min(numbers) > 0
        self.low, self.high = min(numbers), max(numbers)

    def share(self, value: float) -> float:
        """Where a value lies between the low end (0) and the high end (1) of its axis."""
        scale = math.log if self.is_log else float
        low, high = scale(self.low), scale(self.high)
        return 0.5 if high == low else (scale(value) - low) / (high - low)

    def _limits(self) -> tuple[float, float]:
        """The axis shows every value and most intervals: that of two values may be 100 times as wide as they are."""
        forth, back = (math.log, math.exp) if self.is_log else (float, float)
        found = [self.middle(timepoint.pk, arm.pk) for timepoint in self.timepoints for arm, _ in self.arms]
        low, high = forth(self.low), forth(self.high)
        span = (high - low) or abs(high) or 1.0
        bounds = [bound for e in found if e is not None and e.lower is not None for bound in (e.lower, e.upper)]
        told = [forth(bound) for bound in bounds if bound > 0 or not self.is_log]
        bottom = max(low - BEYOND * span, min([low, *told])) - 0.05 * span
        top = min(high + BEYOND * span, max([high, *told])) + 0.05 * span
        return back(bottom), back(top)

    def middle(self, timepoint: Any, arm: Any) -> Any:
        """The stored mean or geometric mean with its interval; None where it was refused."""
        found = self.stored.middle(self.endpoint, timepoint, arm)
        return None if found is None or found.estimate is None else found

    def counts(self, timepoint: Any, arm: Arm) -> list[str]:
        """``n = 12`` and how many of them lie beyond a limit of quantification."""
        group = self.groups[timepoint, arm.pk]
        beyond = [(sign, sum(point.qualifier == sign for point in group)) for sign in "<>"]
        return [f"n = {len(group)}", *(f"{count} {sign} limit" for sign, count in beyond if count)]

    def value_axis(self, ax: "Axes", which: Literal["x", "y"] = "y", is_labelled: bool = True) -> None:
        """Scale, grid and label of the axis of values, ``x`` or ``y``."""
        from matplotlib.ticker import FuncFormatter, NullFormatter

        axis = getattr(ax, f"{which}axis")
        if self.is_log:
            getattr(ax, f"set_{which}scale")("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            few = self.high / self.low < 20
            axis.set_minor_formatter(FuncFormatter(_leading_digit) if few else NullFormatter())
        getattr(ax, f"set_{which}lim")(*self._limits())
        ax.grid(axis=which, color=self.look.grid, linewidth=0.5, zorder=0)
        ax.set_axisbelow(True)
        if is_labelled:
            unit = f" ({self.endpoint.unit})" if self.endpoint.unit else ""
            axis.set_label_text("\n".join(textwrap.wrap(f"{self.endpoint.name}{unit}", 30)))


def _leading_digit(value: float, _: Any) -> str:
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""
