"""Changes to what was recorded: the deviation of a procedure follows from what stands in the record now."""

from typing import Any

from experiments.actions.deviations import deviations_of
from experiments.actions.medications import plan_medications
from experiments.actions.procedures import explain, raise_deviations
from experiments.models import Dose, Induction, PlannedProcedure, Procedure
from labdb.base.access import require
from labdb.base.verbs import verb

Recorded = Procedure | Induction | Dose


@verb
def save_recorded(*, row: Recorded, by: Any, deviation_reason: str | None = None) -> Recorded:
    """Save ``row``, a procedure that was changed or details that are added or changed, and see anew in what it differs.

    Raises:
        ValidationError: it differs, and neither ``deviation_reason`` nor the procedure says why; a field is invalid.
        PermissionDenied: ``by`` may not record procedures of the experiment.
    """
    is_new = row._state.adding
    require(by, "add" if is_new else "change", row)
    key = row.pk if isinstance(row, Procedure) else row.procedure_id
    row.save()
    rows = Procedure.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related(
        "experiment__licence", "enrolment__animal__strain", "planned__step__product", "induction", "dose__product"
    ).get(pk=key)
    before = found.deviation
    told = deviations_of(found, getattr(found, "induction", None), getattr(found, "dose", None))
    explain(found, told, found.deviation_reason if deviation_reason is None else deviation_reason)
    # no person wrote the text, so nobody is asked why it changes
    Procedure.objects.filter(pk=key).update(deviation=found.deviation, deviation_reason=found.deviation_reason)
    if is_new and isinstance(row, Procedure) and found.planned_id:
        PlannedProcedure.objects.filter(pk=found.planned_id).update(state=PlannedProcedure.State.DONE)
        plan_medications(found)
    raise_deviations(found, [each for each in told if each.told not in before.split("\n")])
    row.refresh_from_db()
    return row
