"""Locking the analysis plan, and making another version of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, Q
from django.utils import timezone

from experiments.models import AnalysisPlan, Experiment, PlannedComparison, PlannedEndpoint
from labdb.base.access import require
from labdb.base.verbs import verb

COPIED = (
    "experiment", "primary_endpoint", "primary_timepoint", "scale", "method", "experimental_unit", "multiplicity",
    "alpha", "exclusion_rules", "missing_data",
)  # fmt: skip


@verb
def lock_plan(*, plan: AnalysisPlan, by: Any) -> AnalysisPlan:
    """From now on the plan and its comparisons stay as they are.

    Raises:
        ValidationError: it is locked already, compares nothing, or its primary endpoint is not planned.
        PermissionDenied: ``by`` may not design the experiment.
    """
    require(by, "lock", plan)
    held = AnalysisPlan.objects.select_for_update(of=("self",), no_key=True).get(pk=plan.pk)
    if held.locked_at:
        raise ValidationError("This plan is locked already.")
    if not held.comparisons.exists():
        raise ValidationError("The plan compares nothing; add a comparison before it is locked.")
    planned = PlannedEndpoint.objects.filter(experiment=held.experiment_id, endpoint=held.primary_endpoint_id)
    if not planned.filter(Q(timepoint=None) | Q(timepoint=held.primary_timepoint_id)).exists():
        at = f" at {held.primary_timepoint}" if held.primary_timepoint else ""
        told = f"The experiment does not plan to measure {held.primary_endpoint}{at}; add it to the planned endpoints."
        raise ValidationError({"primary_endpoint": told})
    held.locked_at, held.locked_by = timezone.now(), by
    held.save()
    return held


@verb
def new_plan_version(*, plan: AnalysisPlan, change_note: str, by: Any) -> AnalysisPlan:
    """An open copy of a locked plan with its comparisons; ``change_note`` says what will be different and why.

    Raises:
        ValidationError: ``plan`` is not locked, or no note.
        PermissionDenied: ``by`` may not design the experiment.
    """
    require(by, "copy", plan)
    Experiment.objects.select_for_update(no_key=True).get(pk=plan.experiment_id)
    if not AnalysisPlan.objects.filter(pk=plan.pk, locked_at__isnull=False).exists():
        raise ValidationError("This plan is not locked: change it as it is.")
    last = AnalysisPlan.objects.filter(experiment=plan.experiment_id).aggregate(n=Max("version"))["n"]
    fields = {name: getattr(plan, name) for name in COPIED}
    made = AnalysisPlan(**fields, version=last + 1, change_note=change_note.strip())
    made.save()
    for row in plan.comparisons.all():
        PlannedComparison(
            plan=made, arm=row.arm, reference=row.reference, endpoint=row.endpoint, is_primary=row.is_primary
        ).save()
    return made
