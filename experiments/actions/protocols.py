"""Versions of protocols: issuing one, after which its steps stay, and making the next from it."""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone

from experiments.models import Protocol, ProtocolStep, ProtocolVersion
from experiments.rules import study_calendar
from experiments.rules.quantities import RuleError
from labdb.base.access import require
from labdb.base.verbs import verb


@verb
def issue_version(*, version: ProtocolVersion, by: Any) -> ProtocolVersion:
    """Issue ``version``: arms may be planned by it, and its steps stay as they are.

    Raises:
        ValidationError: it is issued already, has no steps, or steps that wait for each other.
        PermissionDenied: ``by`` may not change protocols.
    """
    require(by, "change", version)
    # who is writing a step of it holds the row shared (migration 0006)
    version = ProtocolVersion.objects.select_for_update(of=("self",), no_key=True).get(pk=version.pk)
    if version.issued_at:
        raise ValidationError(f"{version} is issued already; make a new version.")
    steps = list(version.steps.all())
    if not steps:
        raise ValidationError(f"{version} has no steps.")
    try:
        study_calendar.plan([calendar_step(step) for step in steps], timezone.localdate())
    except RuleError as error:
        raise ValidationError(str(error)) from None
    version.issued_at, version.issued_by = timezone.now(), by
    version.save()
    return version


@verb
def new_version(*, version: ProtocolVersion, change_note: str, by: Any) -> ProtocolVersion:
    """Make the next version of the protocol with copies of the steps of ``version``, to be changed and issued.

    Raises:
        ValidationError: nothing is said of what is different.
        PermissionDenied: ``by`` may not change protocols.
    """
    require(by, "add", ProtocolVersion)
    if not change_note.strip():
        raise ValidationError({"change_note": "Say what is different from the version before."})
    Protocol.objects.select_for_update(of=("self",), no_key=True).get(pk=version.protocol_id)
    latest = ProtocolVersion.objects.filter(protocol=version.protocol_id).aggregate(n=Max("number"))["n"]
    made = ProtocolVersion(
        protocol=version.protocol, number=latest + 1, reference=version.reference, change_note=change_note.strip()
    )
    made.save()
    _copy_steps(version, made)
    return made


def _copy_steps(version: ProtocolVersion, made: ProtocolVersion) -> None:
    """Every step keeps the one that it follows, as its copy."""
    steps = list(version.steps.all())
    copies = {step.pk: uuid.uuid4() for step in steps}
    for step in steps:
        step.pk, step.version, step.after_id = copies[step.pk], made, copies[step.after_id] if step.after_id else None
        step._state.adding = True
    # the rows are valid already; bulk, since a step may be read before the one that it follows
    ProtocolStep.objects.bulk_create(steps)


def calendar_step(step: ProtocolStep, shift_days: int = 0) -> study_calendar.Step:
    """``step`` as the calendar counts it; ``shift_days`` is added to what counts from day 0."""
    start = step.relative_day + (0 if step.after_id else shift_days)
    return study_calendar.Step(
        key=str(step.pk),
        days=study_calendar.every(step.every_days, step.repeats, start),
        after=str(step.after_id) if step.after_id else None,
        before_days=step.window_before_days,
        after_days=step.window_after_days,
    )
