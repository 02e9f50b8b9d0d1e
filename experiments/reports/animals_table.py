"""The animals of the outcome report: how many were allocated, alive and measured, how they ended, and what is left out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, Value, When

from experiments.models import Allocation, Disposition, Experiment
from experiments.outcomes import POOLED, Point, flow
from experiments.reports.endpoint_table import selected
from experiments.reports.stored import Stored

# The first reason that fits is counted, so that the parts add up.
LEFT_OUT = (
    ("of a cage or a litter instead of an animal", Q(animal=None)),
    ("at no planned timepoint", Q(timepoint=None)),
    ("a category instead of a number", Q(category__isnull=False)),
    ("of one side, reader, field or section", Q(side__isnull=False) | Q(reader__isnull=False) | Q(ordinal__isnull=False)),
    ("of an animal that is allocated to no arm", Q(is_allocated=False)),
)  # fmt: skip


def animals_section(stored: Stored, shown: Sequence[Point]) -> dict[str, Any]:
    """Header, rows and notes: by arm (pooled while blinded) alive / measured on a few planned study days."""
    timepoints = selected(stored.design.timepoints)
    alive = {(row["arm_id"], row["timepoint_id"]): row["n_alive"] for row in flow(stored.experiment)}
    measured = _measured(shown)
    allocated, ends = _allocated(stored), _ends(stored)
    arms = [(None, POOLED)] if stored.design.is_blinded else [(arm.pk, arm.label) for arm in stored.design.arms]
    rows = [
        [label, str(allocated[arm])]
        + [f"{alive.get((arm, t.pk), 0)} / {len(measured[arm, t.pk])}" for t in timepoints]
        + [", ".join(f"{count} {kind}" for kind, count in sorted(ends[arm].items())) or "—"]
        for arm, label in arms
    ]
    header = ["Arm", "allocated", *(timepoint.label for timepoint in timepoints), "end"]
    return {"header": header, "rows": rows, "notes": list(_notes(stored, len(timepoints)))}


def _measured(shown: Iterable[Point]) -> dict[tuple, set]:
    """Experimental units with a value of any endpoint, by (arm, timepoint)."""
    measured: dict[tuple, set] = defaultdict(set)
    for point in shown:
        measured[point.arm, point.timepoint].add(point.unit)
    return measured


def _notes(stored: Stored, n_shown: int) -> Iterable[str]:
    experiment, planned = stored.experiment, len(stored.design.timepoints)
    if planned:
        unit = str(Experiment.Unit(experiment.experimental_unit).label).lower()
        some = f" ({n_shown} of {planned} planned timepoints)" if n_shown < planned else ""
        yield (
            f"By planned timepoint{some}: animals whose part in the experiment had not ended by that study day / "
            f"{unit}s with a value of any endpoint. Each endpoint's own n stands in its table."
        )
    if unknown := experiment.enrolments.filter(allocation=None).count():
        yield f"{unknown} enrolled animals are allocated to no arm and are in no summary."
    if left_out := _left_out(experiment):
        told = "; ".join(f"{count} {reason}" for reason, count in left_out)
        yield f"Not in this report: {sum(count for _, count in left_out)} current observations ({told})."


def _left_out(experiment: Experiment) -> list[tuple[str, int]]:
    """(reason, number) of current observations that enter no summary."""
    allocations = Allocation.objects.filter(experiment=experiment, enrolment__animal=OuterRef("animal"))
    whens = [When(condition, then=Value(reason)) for reason, condition in LEFT_OUT]
    rows = experiment.observations.filter(is_current=True).annotate(is_allocated=Exists(allocations))
    by_reason = rows.annotate(why=Case(*whens, output_field=CharField())).exclude(why=None).order_by()
    found = dict(by_reason.values_list("why").annotate(n=Count("pk")))
    return [(reason, found[reason]) for reason, _ in LEFT_OUT if reason in found]


def _allocated(stored: Stored) -> Counter:
    arms = stored.experiment.allocations.values_list("arm_id", flat=True)
    return Counter(None if stored.design.is_blinded else arm for arm in arms)


def _ends(stored: Stored) -> dict[Any, Counter]:
    """How many animals ended how, by arm."""
    found: dict[Any, Counter] = defaultdict(Counter)
    for arm, kind in stored.experiment.dispositions.values_list("enrolment__allocation__arm_id", "kind"):
        found[None if stored.design.is_blinded else arm][str(Disposition.Kind(kind).label).lower()] += 1
    return found
