"""Anaesthesia and analgesia with a procedure: deadlines from its step, given, left out, overdue."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.actions.alerts import add_alerts
from experiments.actions.observations import noon
from experiments.models import Alert, Medication, Procedure
from labdb.base.access import require
from labdb.base.verbs import verb

MOST_REPEATS = 100


def plan_medications(procedure: Procedure, *, given_by: Any = None) -> None:
    """Write what the step of a planned procedure asks for beside it, each with its deadline; in the caller's transaction.

    Anaesthesia is due when the procedure is done, analgesia then and every so many hours for so long. Where only the day
    is known they count from its noon. ``given_by``: they were given in time, by this person.
    """
    step = procedure.planned.step if procedure.planned else None
    start = procedure.performed_at or (noon(procedure.performed_on) if procedure.performed_on else None)
    if step is None or start is None:
        return
    rows = []
    if step.anaesthesia and step.anaesthesia != "none":
        rows.append(Medication(kind=Medication.Kind.ANAESTHESIA, agent=step.anaesthesia, due_at=start))
    if step.analgesia and step.analgesia != "none":
        due = _deadlines(start, step.analgesia_every_h, step.analgesia_for_h)
        rows += [Medication(kind=Medication.Kind.ANALGESIA, agent=step.analgesia, due_at=at) for at in due]
    for row in rows:
        row.procedure = procedure
        if given_by is not None:
            row.given_at, row.given_by = row.due_at, given_by
        row.save()


def _deadlines(start: datetime, every_h: Decimal | None, for_h: Decimal | None) -> Iterator[datetime]:
    yield start
    if not every_h or not for_h:
        return
    repeats = int(for_h / every_h)
    if repeats > MOST_REPEATS:
        raise ValidationError(
            f"Analgesia every {every_h} h for {for_h} h is given {repeats} times; at most {MOST_REPEATS}."
        )
    for number in range(1, repeats + 1):
        yield start + timedelta(hours=float(every_h * number))


@verb
def give_medication(*, medication: Medication, by: Any, given_at: datetime | None = None) -> Medication:
    """Record that ``medication`` was given, now or at ``given_at``.

    Raises:
        ValidationError: it was given or left out before; ``given_at`` is still to come.
        PermissionDenied: ``by`` may not record what is done in the experiment.
    """
    require(by, "change", medication)
    row = _open(medication)
    row.given_at, row.given_by = given_at or timezone.now(), by
    if row.given_at > timezone.now() + timedelta(minutes=5):
        raise ValidationError({"given_at": "This instant is still to come."})
    row.save()
    return row


@verb
def omit_medication(*, medication: Medication, reason: str, by: Any) -> Medication:
    """Record that ``medication`` was left out, and why; an alert tells the director.

    Raises:
        ValidationError: no reason; it was given or left out before.
        PermissionDenied: ``by`` may not record what is done in the experiment.
    """
    require(by, "change", medication)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is left out."})
    row = _open(medication)
    row.omitted_reason = reason.strip()
    row.save()
    procedure = row.procedure
    told = f"{procedure.enrolment.animal}, {procedure.name}: {row} was left out: {row.omitted_reason}"
    alert = Alert(kind=Alert.Kind.DEVIATION, enrolment=procedure.enrolment, procedure=procedure, message=told)
    add_alerts(procedure.experiment, [alert])
    return row


def _open(medication: Medication) -> Medication:
    """The row as it stands, held. Raises ValidationError where it is no longer open."""
    rows = Medication.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("procedure__experiment", "procedure__enrolment__animal").get(pk=medication.pk)
    if row.given_at:
        raise ValidationError(f"It was given before, at {timezone.localtime(row.given_at):%Y-%m-%d %H:%M}.")
    if row.omitted_reason:
        raise ValidationError(f"It was left out before: {row.omitted_reason}")
    return row
