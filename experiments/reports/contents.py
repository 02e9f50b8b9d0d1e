"""What the outcome report says, as plain text and tables: the record in words, numbers as a reader wants them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from experiments.models import Disposition, Experiment
from experiments.outcomes import POOLED, flow
from experiments.reports.endpoint_table import endpoint_section, selected
from experiments.reports.stored import Stored


def contents_of(stored: Stored, figure_widths: dict[str, int]) -> dict[str, Any]:
    """Everything the template shows, ready for JSON. ``figure_widths``: percent of the text's width by endpoint."""
    experiment = stored.experiment
    return {
        "title": experiment.title,
        "code": experiment.code,
        "masking": experiment.get_masking_display(),
        "is_simulated": experiment.is_simulated,
        "facts": list(_facts(stored)),
        "warnings": list(_warnings(stored)),
        "flow": _flow(stored),
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
    yield "Status", f"{experiment.get_status_display()}; this report is a DRAFT"
    yield "Experimental unit", experiment.get_experimental_unit_display()
    yield "Primary endpoint", str(experiment.primary_endpoint or "not recorded")
    yield "Hypothesis", experiment.hypothesis or "not recorded"
    yield "Study day 0", experiment.day_0_definition or "not recorded"
    yield "Data as of", _instant(stored) if stored.computed_at else "not summarised yet"


def _instant(stored: Stored) -> str:
    assert stored.computed_at is not None
    zone = ZoneInfo(settings.TIME_ZONE)
    return f"{stored.computed_at.astimezone(zone):%Y-%m-%d %H:%M} ({settings.TIME_ZONE})"


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


def _flow(stored: Stored) -> dict[str, Any]:
    """Animals by arm: allocated, how they ended, and alive on a few planned study days."""
    timepoints = selected(stored.design.timepoints)
    rows = flow(stored.experiment)
    kinds = _dispositions(stored)
    shown = [kind for kind in Disposition.Kind if any(counts[kind] for counts in kinds.values())]
    alive = {(row["arm_id"], row["timepoint_id"]): row["n_alive"] for row in rows}
    header = ["Arm", "allocated", *(f"alive, {t.label}" for t in timepoints), *(str(kind.label) for kind in shown)]
    arms = [(None, POOLED)] if stored.design.is_blinded else [(a.pk, a.label) for a in stored.design.arms]
    allocated = _allocated(stored)
    table = [
        [label, str(allocated[arm])]
        + [str(alive.get((arm, t.pk), 0)) for t in timepoints]
        + [str(kinds.get(arm, Counter())[kind]) for kind in shown]
        for arm, label in arms
    ]
    notes = (
        ["“alive” counts animals whose part in the experiment had not ended by that study day."] if timepoints else []
    )
    if len(timepoints) < len(stored.design.timepoints):
        notes.append(f"{len(timepoints)} of {len(stored.design.timepoints)} planned timepoints are shown.")
    if unknown := stored.experiment.enrolments.filter(allocation=None).count():
        notes.append(f"{unknown} enrolled animals are allocated to no arm and are in no summary.")
    return {"header": header, "rows": table, "notes": notes}


def _allocated(stored: Stored) -> Counter:
    arms = stored.experiment.allocations.values_list("arm_id", flat=True)
    return Counter(None if stored.design.is_blinded else arm for arm in arms)


def _dispositions(stored: Stored) -> dict[Any, Counter]:
    found: dict[Any, Counter] = {}
    rows = stored.experiment.dispositions.values_list("enrolment__allocation__arm_id", "kind")
    for arm, kind in rows:
        found.setdefault(None if stored.design.is_blinded else arm, Counter())[Disposition.Kind(kind)] += 1
    return found


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
    pairs = stored.design.pairs()
    yield "Comparisons: " + ("; ".join(f"{arm} against {ref}" for arm, ref in pairs) or "no reference arm") + "."


def _references(stored: Stored) -> Sequence[list[str]]:
    found = {(e.method, e.method_version, e.reference) for e in stored.estimates.values()}
    return [list(each) for each in sorted(found)]
