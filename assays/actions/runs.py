"""A run from upload to decision. Every change of state is a conditional update: of two at once, one wins."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from assays.actions.parameters import kind_module, stored_parameters
from assays.models import AssayRun, Result, Well
from experiments.actions.closing import unfinished
from experiments.actions.files import receive_file
from experiments.actions.jobs import Progress, request_job, work
from experiments.models import Endpoint, Experiment, Job, Timepoint
from experiments.units import UnitError, factor
from labdb.base.access import require
from labdb.base.verbs import verb

QUANTIFY = "quantify_assay_run"
LONGEST_REASON = 500
State = AssayRun.State


@work(QUANTIFY)
def read_and_quantify(job: Job, progress: Progress) -> dict[str, Any]:
    """Read the file, evaluate it, and write wells, curves and results in one transaction."""
    from assays.actions.quantify import quantify_run  # numeric libraries: only workers need them

    return quantify_run(job, progress)


@verb
def upload_plate_file(
    *,
    experiment: Experiment,
    endpoint: Endpoint | None,
    kind: str,
    data: bytes,
    name: str,
    by: Any,
    parameters: Mapping[str, Any] | None = None,
    layout_csv: bytes | None = None,
    layout_name: str = "layout.csv",
    timepoint: Timepoint | None = None,
    kit_name: str = "",
    kit_lot: str = "",
    kit_lloq: Decimal | None = None,
    kit_lloq_unit: str = "",
) -> AssayRun:
    """Keep the file as it came and ask for its evaluation; ``run.job`` tells how that went.

    ``data`` is a plate reader's file, or a sheet of counts where the kind counts; ``endpoint`` is None for kinds that
    name their endpoints themselves. ``layout_csv`` replaces the layout in the file.

    Raises:
        ValidationError: an unknown kind, unfit parameters, an endpoint or unit that does not go with the kind.
        PermissionDenied: ``by`` may not add runs to the experiment.
    """
    require(by, "add", AssayRun(experiment=experiment))
    checked = stored_parameters(kind, parameters or {})
    _check_fit(kind, endpoint, checked, layout_csv, kit_lloq_unit)
    run = AssayRun(experiment=experiment, endpoint=endpoint, kind=kind, parameters=checked, timepoint=timepoint)
    run.kit_name, run.kit_lot, run.kit_lloq, run.kit_lloq_unit = kit_name, kit_lot, kit_lloq, kit_lloq_unit
    run.source_file = receive_file(data=data, name=name, by=by, experiment=experiment, part_of=run)
    if layout_csv is not None:
        run.layout_file = receive_file(data=layout_csv, name=layout_name, by=by, experiment=experiment, part_of=run)
    run.uploaded_by = by
    run.save()
    return _ask_for_quantification(run, by)


def _check_fit(kind: str, endpoint: Endpoint | None, parameters: Mapping, layout: bytes | None, lloq_unit: str) -> None:
    errors: dict[str, list[str]] = {}
    is_plate = kind_module(kind).INPUT == "plate"
    if is_plate and endpoint is None:
        errors["endpoint"] = ["Say which endpoint the plate measures."]
    if not is_plate and endpoint is not None:
        errors["endpoint"] = ["This kind of assay names its endpoints itself; leave it empty."]
    if not is_plate and layout is not None:
        errors["layout"] = ["A sheet of counts has no plate layout."]
    for field, unit in (("parameters", parameters.get("unit")), ("kit_lloq_unit", lloq_unit)):
        if unit and endpoint is not None:
            try:
                factor(unit, endpoint.unit, endpoint.key)
            except UnitError as error:
                errors[field] = [str(error)]
    if errors:
        raise ValidationError(errors)


def _ask_for_quantification(run: AssayRun, by: Any) -> AssayRun:
    """Back to draft, with a job that will quantify it again."""
    job = request_job(kind=QUANTIFY, subject_id=run.pk, by=by, experiment=run.experiment)
    AssayRun.objects.filter(pk=run.pk).update(state=State.DRAFT, job=job)
    run.refresh_from_db()
    return run


def _locked(run: AssayRun, *states: str) -> AssayRun:
    """The run, held against a worker and against other verbs, in one of ``states``. Raises ValidationError."""
    held = AssayRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if held.state not in states:
        raise _wrong_state(held, *states)
    return held


def _wrong_state(run: AssayRun, *states: str) -> ValidationError:
    return ValidationError({"state": f"The run is {run.state}; expected {' or '.join(states)}."})


def _reason(reason: str, message: str) -> str:
    told = reason.strip()
    if message and not told:
        raise ValidationError({"reason": message})
    if len(told) > LONGEST_REASON:
        raise ValidationError({"reason": f"{len(told)} characters; expected at most {LONGEST_REASON}."})
    return told


@verb
def mask_well(*, well: Well, reason: str, by: Any) -> AssayRun:
    """Leave ``well`` out, with a reason, and quantify its run again. Raises ValidationError, PermissionDenied."""
    require(by, "mask", well)
    told = _reason(reason, "A masked well needs a reason.")
    run = _locked(well.run, State.DRAFT, State.QUANTIFIED)
    mask = {"is_masked": True, "masked_by": by, "masked_at": timezone.now(), "masked_reason": told}
    if not Well.objects.filter(pk=well.pk, is_masked=False).update(**mask):
        raise ValidationError({"well": f"{well} is masked already."})
    return _ask_for_quantification(run, by)


@verb
def unmask_well(*, well: Well, reason: str, by: Any) -> AssayRun:
    """Take ``well`` back in, with a reason, and quantify its run again. Raises ValidationError, PermissionDenied."""
    require(by, "unmask", well)
    _reason(reason, "A well that was masked is taken back for a reason.")
    run = _locked(well.run, State.DRAFT, State.QUANTIFIED)
    mask = {"is_masked": False, "masked_by": None, "masked_at": None, "masked_reason": ""}
    if not Well.objects.filter(pk=well.pk, is_masked=True).update(**mask):
        raise ValidationError({"well": f"{well} is not masked."})
    return _ask_for_quantification(run, by)


@verb
def change_parameters(*, run: AssayRun, parameters: Mapping[str, Any], reason: str, by: Any) -> AssayRun:
    """Evaluate the run by other parameters (those left out keep their value), with a reason.

    Raises ValidationError, PermissionDenied.
    """
    require(by, "change", run)
    _reason(reason, "Say why the run is evaluated by other parameters.")
    held = _locked(run, State.DRAFT, State.QUANTIFIED)
    checked = stored_parameters(held.kind, {**held.parameters, **parameters})
    _check_fit(held.kind, held.endpoint, checked, None, "")
    AssayRun.objects.filter(pk=held.pk).update(parameters=checked)
    return _ask_for_quantification(held, by)


@verb
def quantify_again(*, run: AssayRun, by: Any) -> AssayRun:
    """Evaluate the run once more, e.g. after its specimens were registered. Raises ValidationError, PermissionDenied."""
    require(by, "change", run)
    return _ask_for_quantification(_locked(run, State.DRAFT, State.QUANTIFIED), by)


@verb
def exclude_result(*, result: Result, reason: str, by: Any) -> Result:
    """Keep ``result`` from being published, with a reason. Raises ValidationError, PermissionDenied."""
    require(by, "exclude", result)
    told = _reason(reason, "An excluded result needs a reason.")
    _locked(result.run, State.QUANTIFIED)
    if not Result.objects.filter(pk=result.pk, is_excluded=False).update(is_excluded=True, excluded_reason=told):
        raise ValidationError({"result": f"{result.sample} is excluded already."})
    result.refresh_from_db()
    return result


@verb
def accept_run(*, run: AssayRun, by: Any, reason: str = "") -> AssayRun:
    """A person stands for the quantified run. Raises ValidationError, PermissionDenied."""
    require(by, "accept", run)
    return _decide(run, State.ACCEPTED, _reason(reason, ""), by, State.QUANTIFIED)


@verb
def reject_run(*, run: AssayRun, reason: str, by: Any) -> AssayRun:
    """The run is kept and never published. Raises ValidationError without a reason, PermissionDenied."""
    require(by, "reject", run)
    told = _reason(reason, "A rejection needs a reason.")
    return _decide(run, State.REJECTED, told, by, State.DRAFT, State.QUANTIFIED, State.ACCEPTED)


def _decide(run: AssayRun, state: str, reason: str, by: Any, *states: str) -> AssayRun:
    decision = {"state": state, "decided_by": by, "decided_at": timezone.now(), "decision_reason": reason}
    if not AssayRun.objects.filter(pk=run.pk, state__in=states).update(**decision):
        run.refresh_from_db()
        raise _wrong_state(run, *states)
    run.refresh_from_db()
    return run


@unfinished
def undecided_runs(experiment: Experiment) -> Iterator[str]:
    """Runs that were neither rejected nor published."""
    decided = (State.REJECTED, State.PUBLISHED)
    for run in AssayRun.objects.filter(experiment=experiment).exclude(state__in=decided).select_related("source_file"):
        yield f"assay run of {run}"
