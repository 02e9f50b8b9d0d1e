"""A standard curve as SVG, and its standards read back from it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from assays.models import AssayRun, Curve, WellResult
from experiments.admin.numbers import shown_number

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 44
STEPS = 120
RECOVERY = (80, 120)  # %, ICH M10 for ligand-binding assays
LARGEST_CV = 20


def curves(request: Any, run: AssayRun) -> dict[str, Any] | None:
    """Every curve of the run as a drawing with its table of standards."""
    rows = list(run.curve_rows.select_related("plate").prefetch_related("parameters"))
    if not rows:
        return None
    standards = run.wellresult_rows.filter(role="standard", nominal_concentration__isnull=False)
    by_curve: dict[Any, list[WellResult]] = defaultdict(list)
    for standard in standards.select_related("well__plate").order_by("nominal_concentration", "well"):
        by_curve[standard.curve_id].append(standard)
    return {"curves": [_shown(curve, by_curve[curve.pk]) for curve in rows]}


def _shown(curve: Curve, standards: list[WellResult]) -> dict[str, Any]:
    parameters = list(curve.parameters.all())
    told = [
        {"name": p.name, "value": shown_number(p.estimate, 5), "se": shown_number(p.standard_error, 3)}
        for p in parameters
    ]
    return {
        "curve": curve,
        "r_squared": "–" if curve.r_squared is None else f"{curve.r_squared:.5f}",
        "rss": shown_number(curve.rss, 3),
        "parameters": told,
        "levels": _levels(standards),
        "drawing": _drawing(curve, {p.name: p.estimate for p in parameters}, standards),
    }


def _levels(standards: Iterable[WellResult]) -> list[dict[str, Any]]:
    by_level: dict[Any, list[WellResult]] = defaultdict(list)
    for standard in standards:
        by_level[standard.nominal_concentration].append(standard)
    return [_level(float(nominal), members) for nominal, members in sorted(by_level.items(), reverse=True)]


def _level(nominal: float, members: Sequence[WellResult]) -> dict[str, Any]:
    used = [m for m in members if m.is_used]
    responses = [m.response for m in used if m.response is not None]
    read_back = [m.concentration for m in used if m.concentration is not None]
    mean = sum(responses) / len(responses) if responses else None
    calculated = sum(read_back) / len(read_back) if read_back else None
    cv = _cv(responses)
    recovery = 100 * calculated / nominal if calculated is not None and nominal else None
    return {
        "nominal": shown_number(nominal),
        "wells": ", ".join(m.well.name for m in members),
        "mean": shown_number(mean, 4),
        "cv": shown_number(cv, 3),
        "is_scattered": cv is not None and cv > LARGEST_CV,
        "calculated": shown_number(calculated, 4),
        "recovery": "–" if recovery is None else f"{recovery:.1f}",
        "is_off": recovery is not None and not RECOVERY[0] <= recovery <= RECOVERY[1],
        "flags": sorted({flag for m in members for flag in m.flag_list}),
        "n_left_out": len(members) - len(used),
    }


def _cv(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return 100 * sd / mean if mean > 0 else None


class _Axis:
    """Concentrations on a logarithmic axis; zero stands apart at its left end, since it has no logarithm."""

    def __init__(self, concentrations: Sequence[float]) -> None:
        positive = [x for x in concentrations if x > 0]
        self.has_zero = any(x == 0 for x in concentrations)
        self.lowest, self.highest = math.log10(min(positive)), math.log10(max(positive))
        if self.highest - self.lowest < 0.3:
            self.lowest, self.highest = self.lowest - 0.2, self.highest + 0.2
        self.start = LEFT + (62 if self.has_zero else 18)

    def place(self, x: float) -> float:
        if x == 0:
            return LEFT + 22
        share = (math.log10(x) - self.lowest) / (self.highest - self.lowest)
        return self.start + share * (WIDTH - RIGHT - 12 - self.start)

    def ticks(self) -> list[dict[str, Any]]:
        found = [(f * 10.0**e) for e in range(math.floor(self.lowest), math.ceil(self.highest) + 1) for f in (1, 2, 5)]
        shown = [x for x in found if self.lowest - 0.02 <= math.log10(x) <= self.highest + 0.02]
        if len(shown) > 9:
            shown = [x for x in shown if math.log10(x) == round(math.log10(x))]
        return [{"x": _at(self.place(x)), "text": f"{x:g}"} for x in ([0.0] if self.has_zero else []) + shown]


def _drawing(curve: Curve, parameters: dict[str, float], standards: Sequence[WellResult]) -> dict[str, Any] | None:
    points = [
        (float(s.nominal_concentration), s.response, s)
        for s in standards
        if s.response is not None and s.nominal_concentration is not None
    ]
    if not any(x > 0 for x, _, _ in points):
        return None
    axis = _Axis([x for x, _, _ in points])
    line = _line(curve, parameters, axis)
    heights = [y for _, y, _ in points] + [y for _, y in line]
    lowest, highest = min(heights), max(heights)
    spread = (highest - lowest) or 1.0
    lowest, highest = lowest - 0.05 * spread, highest + 0.05 * spread

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - (y - lowest) / (highest - lowest) * (HEIGHT - BOTTOM - TOP)

    return {
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM,
        "break": _at(axis.start - 20) if axis.has_zero else "",
        "path": " ".join(f"{'ML'[i > 0]}{_at(axis.place(x))},{_at(up(y))}" for i, (x, y) in enumerate(line)),
        "points": [_point(axis.place(x), up(y), s) for x, y, s in points],
        "x_ticks": axis.ticks(),
        "y_ticks": [{"y": _at(up(y)), "text": f"{y:g}"} for y in _round_steps(lowest, highest)],
        "unit": curve.unit,
        "middle": (LEFT + WIDTH - RIGHT) // 2,
    }  # fmt: skip


def _line(curve: Curve, parameters: dict[str, float], axis: _Axis) -> list[tuple[float, float]]:
    """The fitted curve over the standards; none where it was refused."""
    if not curve.is_ok:
        return []
    import numpy as np

    from assays.curves import MODELS

    model = MODELS[curve.model]
    xs = np.logspace(axis.lowest, axis.highest, STEPS)
    ys = model.predict(np.array([parameters[name] for name in model.PARAMETERS]), xs)
    ys = np.exp(ys) if model.LOG_RESPONSE else ys
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]


def _point(x: float, y: float, standard: WellResult) -> dict[str, Any]:
    title = f"{standard.well.name}: {standard.nominal_concentration:g} → {shown_number(standard.response, 4)}"
    return {"x": _at(x), "y": _at(y), "is_used": standard.is_used, "title": title}


def _round_steps(lowest: float, highest: float) -> list[float]:
    step = 10 ** math.floor(math.log10((highest - lowest) / 4))
    step *= next(f for f in (1, 2, 5, 10) if (highest - lowest) / (f * step) <= 6)
    first = math.ceil(lowest / step)
    return [round(i * step, 10) for i in range(first, math.floor(highest / step) + 1)]


def _at(number: float) -> str:
    return f"{number:.1f}"
