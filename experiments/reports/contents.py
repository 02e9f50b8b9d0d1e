"""What the outcome report says, as plain text and tables: the record in words, numbers as a reader wants them."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from experiments.models import Experiment
from experiments.outcomes import Point
from experiments.reports.animals_table import animals_section
from experiments.reports.endpoint_table import endpoint_section
from experiments.reports.stored import Stored


def contents_of(stored: Stored, shown: Sequence[Point], figure_widths: dict[str, int]) -> dict[str, Any]:
    """Everything the template shows, ready for JSON. ``figure_widths``: percent of the text's width by endpoint."""
    experiment = stored.experiment
    return {
        "title": experiment.title,
        "code": experiment.code,
        "masking": experiment.get_masking_display(),
        "is_simulated": experiment.is_simulated,
        "facts": list(_facts(stored)),
        "warnings": list(_warnings(stored)),
        "animals": animals_section(stored, shown),
        "methods": list(_methods(stored)),
        "endpoints": [endpoint_section(stored, key, figure_widths.get(str(key))) for key in _in_order(stored)],
        "references": _references(stored),
    }


def _in_order(stored: Stored) -> list:
    """The primary endpoint first."""
    return sorted(stored.endpoints, key=lambda key: key != stored.experiment.primary_endpoint_id)


def _facts(stored: Stored) -> Iterable[tuple[str, str]]:
    experiment = stored.experiment
    yield "Experiment", experiment.code
    yield "Masking", experiment.get_masking_display()
    yield "Status", f"{experiment.get_status_display().lower()}; this report is a DRAFT"
    yield "Experimental unit", experiment.get_experimental_unit_display().lower()
    yield "Primary endpoint", str(experiment.primary_endpoint or "not recorded")
    yield "Hypothesis", experiment.hypothesis or "not recorded"
    yield "Study day 0", experiment.day_0_definition or "not recorded"
    yield "Data as of", _instant(stored) if stored.computed_at else "not summarised yet"


def _instant(stored: Stored) -> str:
    assert stored.computed_at is not None
    zone = ZoneInfo(settings.TIME_ZONE)
    return f"{stored.computed_at.astimezone(zone):%Y-%m-%d %H:%M} ({settings.TIME_ZONE}, the laboratory’s time zone)"


def _warnings(stored: Stored) -> Iterable[str]:
    if stored.is_stale:
        yield "Data changed after these summaries were computed; the numbers below are not the latest."
    if not stored.endpoints:
        yield "No endpoint has been summarised yet."
    if stored.design.is_blinded:
        yield "This experiment is blinded: counts are pooled over all arms, and no effect by arm is shown."
    else:
        yield "This experiment is open-label: whoever reads this report sees the effects by arm."
    if stored.experiment.is_simulated:
        yield "Every number in this report comes from simulated data."


def _methods(stored: Stored) -> Iterable[str]:
    unit = str(Experiment.Unit(stored.experiment.experimental_unit).label).lower()
    yield (
        f"The experimental unit is the {unit}: n counts {unit}s, and several values of one {unit} at one planned "
        f"timepoint count once, with their mean. Values are grouped by planned timepoint."
    )
    if stored.design.is_blinded:
        yield "While the experiment is blinded, only pooled counts are computed."
        return
    yield (
        "Each endpoint is compared on the scale that it declares: as measured, as natural logarithms, or as log(x + 1) "
        "for counts; no normality test chooses. On a logarithmic scale the geometric mean stands for an arm. Bars are "
        "95 % t intervals. All arms are compared by Welch's analysis of variance; an arm and its reference by Hedges g "
        "with exact small-sample correction and exact noncentral-t interval. p values are not adjusted for multiplicity."
    )
    yield (
        "Values beyond a limit of quantification are counted and never replaced by a number; what cannot be computed "
        "because of them, or because n is too small, is named below its table. Missing values are not imputed."
    )
    yield (
        f"In the figures every point, or thin line over the study days, is one {unit}; bars are the arm’s mean, or "
        "geometric mean, with its 95 % interval. Open triangles lie at a limit of quantification that the value is "
        "beyond. A dashed line repeats the mean of the arm’s reference. An interval much wider than the values is cut "
        "at the axis."
    )
    pairs = stored.design.pairs()
    yield "Comparisons: " + ("; ".join(f"{arm} against {ref}" for arm, ref in pairs) or "no reference arm") + "."


def _references(stored: Stored) -> Sequence[list[str]]:
    found = {(e.method, e.method_version, e.reference) for e in stored.estimates.values()}
    return [list(each) for each in sorted(found)]
