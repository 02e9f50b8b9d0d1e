"""What came out, as text: the summary as a table, and the simulated truth beside the measured values."""

import csv
import io
import statistics
import urllib.request
from collections.abc import Iterable
from typing import Any

from labdb.demo import files
from labdb.demo.client import NO_PROXY, Row

CENTRES = ("geometric_mean", "censored_geometric_mean", "mean", "median")
EFFECTS = {"hedges_g": "g", "censored_geometric_mean_ratio": "ratio"}
HEAD = (
    "endpoint",
    "arm",
    "n",
    "<LLOQ",
    "centre [95 % interval]",
    "effect [95 % interval]: Hedges g, or ratio with values < LLOQ",
)


def summary_table(summaries: Iterable[Row]) -> list[str]:
    """One line an endpoint and arm, at the last planned timepoint that was measured."""
    lines: list[tuple[str, ...]] = [HEAD]
    for summary in summaries:
        last = max(e["study_day"] for e in summary["estimates"])
        shown = [e for e in summary["estimates"] if e["study_day"] == last and e["arm_label"]]
        found: dict[str, dict[str, Row]] = {e["arm_label"]: {} for e in shown if e["quantity"] == "n"}
        for estimate in shown:
            found[estimate["arm_label"]][estimate["quantity"]] = estimate
        name = f"{summary['endpoint_name']}, day {last}" + (f", {summary['unit']}" if summary["unit"] else "")
        for arm, by_quantity in found.items():
            lines.append((name, *_cells(arm, by_quantity)))
            name = ""
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cells(arm: str, by_quantity: dict[str, Row]) -> tuple[str, ...]:
    centre = next((by_quantity[q] for q in CENTRES if _number(by_quantity.get(q))), None)
    shown = "–" if centre is None else f"{centre['quantity'].replace('_', ' ')} {_interval(centre)}"
    effect = next((by_quantity[q] for q in EFFECTS if _number(by_quantity.get(q))), by_quantity.get("hedges_g"))
    return arm, _count(by_quantity, "n"), _count(by_quantity, "n_below_limit"), shown, _effect(effect)


def _effect(effect: Row | None) -> str:
    if effect is None:
        return ""
    if effect["refused"]:
        return f"refused: {effect['refused']}"
    return f"{EFFECTS[effect['quantity']]} {_interval(effect)} against {effect['reference_arm_label']}"


def _number(estimate: Row | None) -> bool:
    return estimate is not None and estimate["estimate"] is not None


def _count(by_quantity: dict[str, Row], quantity: str) -> str:
    return f"{by_quantity[quantity]['estimate']:g}" if quantity in by_quantity else ""


def _interval(estimate: Row) -> str:
    if estimate["lower"] is None:
        return _digits(estimate["estimate"])
    return f"{_digits(estimate['estimate'])} [{_digits(estimate['lower'])}, {_digits(estimate['upper'])}]"


def _digits(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def truth_lines(loader: Any) -> list[str]:
    """How far the concentrations that came through plate and curve lie from those that were simulated."""
    lines = []
    for kit in (files.E2, files.AMH):
        truth = files.plate_run(kit, loader.mice, 0).truth
        deviations, censored = compare_with_truth(dataset(loader), kit.endpoint, truth)
        middle, worst = statistics.median(deviations), max(deviations)
        lines.append(
            f"{kit.endpoint.upper()} against the simulated truth: {len(deviations)} values, median deviation"
            f" {middle:.1f} %, worst {worst:.1f} %; {censored} below or above the standards"
        )
    return lines


def dataset(loader: Any) -> list[Row]:
    """The tidy table of the experiment, as any script would fetch it."""
    request = urllib.request.Request(
        f"{loader.client.root}/experiments/{loader.id}/dataset?format=csv",
        headers={"Authorization": f"Token {loader.client.token}"},
    )
    with NO_PROXY.open(request, timeout=60) as answer:
        return list(csv.DictReader(io.TextIOWrapper(answer, "utf-8")))


def compare_with_truth(rows: Iterable[Row], endpoint: str, truth: dict[str, float]) -> tuple[list[float], int]:
    """Deviations (%) of the quantified specimens from the truth, and how many carry a qualifier instead of a value."""
    found = {row["specimen"]: row for row in rows if row["endpoint"] == endpoint}
    missing = set(truth) - set(found)
    if missing:
        raise AssertionError(f"specimens without a result: {', '.join(sorted(missing))}")
    quantified = {code: float(row["value"]) for code, row in found.items() if row["value"]}
    return [abs(value / truth[code] - 1) * 100 for code, value in quantified.items()], len(found) - len(quantified)
