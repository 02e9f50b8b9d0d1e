"""Leaving an animal out of the analysis, and taking it in again: the animal and its values stay."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.models import Allocation, Endpoint, Enrolment, Exclusion
from labdb.base.access import require, sees_arms
from labdb.base.verbs import verb


@verb
def exclude(
    *, enrolment: Enrolment, stage: str, reason: str, is_prespecified: bool, by: Any, endpoint: Endpoint | None = None
) -> Exclusion:
    """Leave ``enrolment``'s animal out of the analysis of ``endpoint``, or of everything.

    It was decided blinded where ``by`` could not know the animal's arm: it has none yet, or they do not see arms.

    Raises:
        ValidationError: no reason, a stage that is none or does not fit the allocation, an exclusion that stands already.
        PermissionDenied: ``by`` may not decide in the experiment.
    """
    made = Exclusion(
        enrolment=enrolment, stage=stage, reason=reason.strip(), is_prespecified=is_prespecified, endpoint=endpoint,
        decided_by=by,
    )  # fmt: skip
    require(by, "exclude", made)
    Enrolment.objects.select_for_update(no_key=True).get(pk=enrolment.pk)
    is_allocated = Allocation.objects.filter(enrolment=enrolment).exists()
    if is_allocated and stage == Exclusion.Stage.BEFORE_ALLOCATION:
        raise ValidationError({"stage": f"{enrolment.animal} is in an arm already; name a later stage."})
    made.is_decided_blinded = not (is_allocated and sees_arms(by, enrolment.experiment))
    made.save()
    return made


@verb
def revoke_exclusion(*, exclusion: Exclusion, reason: str, by: Any) -> Exclusion:
    """Take the animal in again, with a reason; that it was excluded stays recorded.

    Raises:
        ValidationError: no reason, or it was revoked before.
        PermissionDenied: ``by`` may not decide in the experiment.
    """
    require(by, "exclude", exclusion)
    if not reason.strip():
        raise ValidationError({"reason": "Say why the animal is taken in again."})
    held = Exclusion.objects.select_for_update(of=("self",), no_key=True).get(pk=exclusion.pk)
    if held.revoked_at:
        raise ValidationError("This exclusion was revoked before.")
    held.revoked_at, held.revoked_by, held.revoke_reason = timezone.now(), by, reason.strip()
    held.save()
    return held
