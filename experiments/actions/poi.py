"""Locking the criteria of POI, making another version of them, and applying them to animals."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone

from experiments import cohorts
from experiments.models import Arm, Enrolment, Experiment, PoiConfirmation, PoiCriteria, PoiCriterion
from experiments.rules.poi_confirmation import Confirmation
from experiments.rules.quantities import RuleError, listed
from labdb.base.access import require
from labdb.base.bulk import bulk_insert
from labdb.base.verbs import verb


@verb
def lock_poi_criteria(*, criteria: PoiCriteria, by: Any) -> PoiCriteria:
    """From now on the list stays as it is, and animals are judged by it.

    Raises:
        ValidationError: it is locked already, or cannot be applied (k above the number of criteria, none at all).
        PermissionDenied: ``by`` may not design the experiment.
    """
    require(by, "lock", criteria)
    held = PoiCriteria.objects.select_for_update(of=("self",), no_key=True).get(pk=criteria.pk)
    if held.locked_at:
        raise ValidationError("These criteria are locked already.")
    _applied(lambda: cohorts.poi_criteria(held))
    held.locked_at, held.locked_by = timezone.now(), by
    held.save()
    return held


@verb
def new_poi_criteria_version(*, criteria: PoiCriteria, by: Any) -> PoiCriteria:
    """An open copy of locked criteria, which can be changed before it is locked in its turn.

    Raises:
        ValidationError: ``criteria`` are not locked.
        PermissionDenied: ``by`` may not design the experiment.
    """
    require(by, "copy", criteria)
    Experiment.objects.select_for_update(no_key=True).get(pk=criteria.experiment_id)
    if not PoiCriteria.objects.filter(pk=criteria.pk, locked_at__isnull=False).exists():
        raise ValidationError("These criteria are not locked: change them as they are.")
    last = PoiCriteria.objects.filter(experiment=criteria.experiment_id).aggregate(n=Max("version"))["n"]
    made = PoiCriteria(experiment=criteria.experiment, version=last + 1, required=criteria.required)
    made.save()
    for row in criteria.criteria.all():
        PoiCriterion(
            criteria=made, rule=row.rule, endpoint=row.endpoint, timepoint=row.timepoint, threshold=row.threshold
        ).save()
    return made


@verb
def confirm_poi(
    *, experiment: Experiment, by: Any, enrolments: Collection[Enrolment] | None = None
) -> list[PoiConfirmation]:
    """Judge ``enrolments``, or every animal that got the induction, by the newest locked criteria, from what is observed
    by now. Each call adds rows: what was judged before stays.

    Those that got it are in an arm other than normal control and sham, and are not excluded.

    Raises:
        ValidationError: no locked criteria, an animal of another experiment (named), no animal to judge, a value that
            the rule cannot work with.
        PermissionDenied: ``by`` may not decide in the experiment.
    """
    require(by, "confirm_poi", experiment)
    criteria = experiment.poi_criteria.filter(locked_at__isnull=False).order_by("-version").first()
    if criteria is None:
        raise ValidationError("The experiment has no locked criteria of POI; lock them first.")
    rows = _induced(experiment) if enrolments is None else _own(experiment, enrolments)
    if not rows:
        raise ValidationError({"enrolments": "No animal is in an arm that gets the induction."})
    found = _applied(lambda: cohorts.confirmations(criteria, rows))
    at = timezone.now()
    names = ("enrolment", "criteria", "verdict", "findings", "assessed_at", "assessed_by")
    told = [
        (UUID(each.animal), criteria.pk, each.verdict.value, _findings(criteria, each), at, by.pk) for each in found
    ]
    bulk_insert(PoiConfirmation, names, told)
    made = PoiConfirmation.objects.filter(criteria=criteria, assessed_at=at, enrolment__in=rows)
    return list(made.select_related("enrolment__animal").order_by("enrolment__animal__lab_id"))


def _induced(experiment: Experiment) -> list[Enrolment]:
    healthy = (Arm.Kind.NORMAL_CONTROL, Arm.Kind.SHAM)
    rows = Enrolment.objects.filter(~cohorts.is_excluded(), experiment=experiment, allocation__isnull=False)
    return list(rows.exclude(allocation__arm__kind__in=healthy).select_related("animal"))


def _own(experiment: Experiment, enrolments: Collection[Enrolment]) -> list[Enrolment]:
    foreign = [str(each.animal) for each in enrolments if each.experiment_id != experiment.pk]
    if foreign:
        raise ValidationError({"enrolments": f"Of another experiment: {listed(foreign, len(foreign))}."})
    return list(enrolments)


def _findings(criteria: PoiCriteria, found: Confirmation) -> dict[str, Any]:
    rows = [{"criterion": a.criterion, "state": a.state.value, "sentence": a.sentence} for a in found.assessments]
    return {"required": criteria.required, "criteria": rows}


def _applied(rule: Any) -> Any:
    try:
        return rule()
    except RuleError as refused:
        raise ValidationError(str(refused)) from None
