"""Recording what was done to an animal. It is always recordable; where it differs, with a reason and an alert."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.actions.alerts import add_alerts
from experiments.actions.deviations import Deviation, deviations_of
from experiments.actions.medications import plan_medications
from experiments.actions.proposals import details_of, propose
from experiments.models import Alert, Dose, Enrolment, Induction, PlannedProcedure, Procedure, StepKind
from labdb.base.access import require
from labdb.base.verbs import verb

State = PlannedProcedure.State


@verb
def record_procedure(
    *,
    by: Any,
    planned: PlannedProcedure | None = None,
    enrolment: Enrolment | None = None,
    induction: Mapping[str, Any] | None = None,
    dose: Mapping[str, Any] | None = None,
    deviation_reason: str = "",
    medications_given: bool = False,
    **fields: Any,
) -> Procedure:
    """Record a procedure: of the plan (``planned``), or another one of ``enrolment``.

    ``fields`` are those of Procedure (kind, name, description, performed_on, performed_at, performed_by). Of a planned
    one the details that are not given are taken as planned, computed for the weight of the day; None of ``induction`` or
    ``dose`` takes them all. In what it differs from the plan or lies outside of a limit is computed and stored, and
    raises an alert. Anaesthesia and analgesia that the step names get their deadlines; ``medications_given``: they were.

    Raises:
        ValidationError: it differs and ``deviation_reason`` is empty; it is recorded already; a field is invalid.
        PermissionDenied: ``by`` may not record procedures of the experiment.
    """
    if planned is not None:
        rows = PlannedProcedure.objects.select_for_update(of=("self",), no_key=True)
        planned = rows.select_related(
            "step__product", "enrolment__experiment__licence", "enrolment__animal__strain"
        ).get(pk=planned.pk)
        enrolment = planned.enrolment
    if enrolment is None:
        raise ValidationError({"enrolment": "Name the animal's part in the experiment, or what of its plan was done."})
    procedure = _procedure(planned, enrolment, fields, by)
    require(by, "add", procedure)
    procedure.clean()
    if planned is not None and planned.state == State.DONE:
        raise ValidationError({"planned": f"{planned} is recorded already."})
    details = _details(procedure, induction, dose)
    found = deviations_of(procedure, *details)
    explain(procedure, found, deviation_reason)
    _save(procedure, details)
    plan_medications(procedure, given_by=by if medications_given else None)
    raise_deviations(procedure, found)
    return procedure


def _procedure(planned: PlannedProcedure | None, enrolment: Enrolment, fields: dict[str, Any], by: Any) -> Procedure:
    made = Procedure(**{"performed_by": by, **fields}, experiment=enrolment.experiment, enrolment=enrolment)
    if planned is not None:
        made.planned, made.kind = planned, planned.step.kind
        made.name = made.name or planned.step.name
    if made.performed_at and not made.performed_on:
        made.performed_on = timezone.localdate(made.performed_at)
    return made


def _details(
    procedure: Procedure, induction: Mapping[str, Any] | None, dose: Mapping[str, Any] | None
) -> tuple[Induction | None, Dose | None]:
    """The rows that tell what was given: as said, else as planned."""
    planned, proposed = procedure.planned, {}
    if planned is not None:
        proposed = details_of(planned.step, propose(planned, on=procedure.performed_on or planned.due_on))
    is_induction = procedure.kind == StepKind.INDUCTION
    if induction is not None and not is_induction:
        raise ValidationError({"induction": f"A procedure of the kind {procedure.get_kind_display()} induces nothing."})
    if is_induction and (induction is not None or proposed):
        return Induction(**{**proposed, **(induction or {})}, procedure=procedure), None
    if dose is not None or "product" in proposed:
        return None, Dose(**{**proposed, **(dose or {})}, procedure=procedure)
    return None, None


def explain(procedure: Procedure, found: list[Deviation], reason: str) -> None:
    """Raises ValidationError, which tells what differs, where nobody says why."""
    procedure.deviation = "\n".join(each.told for each in found)
    procedure.deviation_reason = reason.strip() if found else ""
    if found and not reason.strip():
        told = " ".join(each.told for each in found)
        raise ValidationError({"deviation_reason": f"It differs from what is planned or allowed: {told} Say why."})


def _save(procedure: Procedure, details: tuple[Induction | None, Dose | None]) -> None:
    procedure.save()
    for row in details:
        if row is not None:
            row.save()
    if procedure.planned_id:
        PlannedProcedure.objects.filter(pk=procedure.planned_id).update(state=State.DONE)


def raise_deviations(procedure: Procedure, found: list[Deviation]) -> None:
    """One alert a kind, with an owner, in the transaction of the record."""
    animal, alerts = procedure.enrolment.animal, []
    for kind in dict.fromkeys(each.kind for each in found):
        told = " ".join(each.told for each in found if each.kind == kind)
        alerts.append(
            Alert(
                enrolment=procedure.enrolment,
                kind=kind,
                procedure=procedure,
                message=f"{animal}, {procedure.name}: {told}",
            )
        )
    add_alerts(procedure.experiment, alerts)
