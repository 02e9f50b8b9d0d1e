"""From a run's file to wells, curves and results, in one transaction: what a worker does with a run."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from assays.actions import plate_rows, tally_rows
from assays.actions.parameters import kind_module, parameters_of
from assays.kinds import ParameterError
from assays.models import AssayRun, Curve, CurveParameter, Remark, Result, WellResult
from assays.readers import LayoutEntry, PlateFile, ReadError, read, read_layout_csv
from experiments.actions.jobs import Progress
from experiments.models import Job
from labdb.base.bulk import bulk_insert

State = AssayRun.State
REMARK_LENGTH = 1000


@transaction.atomic
def quantify_run(job: Job, progress: Progress) -> dict[str, Any]:
    """Evaluate the run anew; its wells, readings and masks stay, what was computed is replaced.

    Raises:
        ValidationError: the file, its layout or its samples cannot be used; every problem with its place.
    """
    run = AssayRun.objects.select_for_update(of=("self",)).get(pk=job.subject_id)
    if run.state not in (State.DRAFT, State.QUANTIFIED):
        return {"run": str(run.pk), "skipped": f"the run is {run.state}"}
    try:
        told = _quantify(run, progress)
    except ReadError as error:
        raise ValidationError([f"{error.filename}: {problem}" for problem in error.problems]) from error
    except ParameterError as error:
        raise ValidationError([f"{run.source_file.name}: {problem}" for problem in error.problems]) from error
    run.state, run.quantified_at, run.job = State.QUANTIFIED, timezone.now(), job
    run.save()
    return {"run": str(run.pk), **told}


def _quantify(run: AssayRun, progress: Progress) -> dict[str, Any]:
    kind = kind_module(run.kind)
    parameters = parameters_of(run.kind, run.parameters)
    evaluate = _evaluate_plates if kind.INPUT == "plate" else _evaluate_tallies
    return evaluate(run, kind, parameters, progress)


def _evaluate_plates(run: AssayRun, kind: Any, parameters: Any, progress: Progress) -> dict[str, Any]:
    progress(0, 3, "reading the file")
    file = read(run.source_file.read(), run.source_file.name)
    run.reader, run.software_version = file.format_key, (file.software_version or "")[:120]
    layout = _layout(run, file)
    specimens = plate_rows.specimens_by_code(run)
    wells = plate_rows.keep_wells(run, file, layout, specimens)
    progress(1, 3, "evaluating")
    assayed = kind.quantify(plate_rows.without_masked(file.plates, wells), layout, parameters)
    progress(2, 3, "writing the results")
    excluded = _clear(run)
    plate_rows.write_computed(run, assayed, wells)
    results = plate_rows.result_rows(run, assayed.samples, specimens, excluded)
    bulk_insert(Result, plate_rows.RESULT_NAMES, results)
    unknown = plate_rows.unknown_samples(assayed.samples, specimens)
    remarks = [(Remark.Topic.FILE, f"line {note.line}: {note.text}") for note in file.warnings]
    remarks += [(Remark.Topic.ASSAY, str(problem)) for problem in assayed.remarks]
    remarks += [(Remark.Topic.SPECIMEN, text) for text in unknown]
    _remark(run, remarks)
    verdicts = [curve.fitted.verdict for curve in assayed.curves]
    return {
        "plates": len(file.plates), "wells": len(wells), "curves": verdicts, "results": len(results),
        "samples_without_specimen": len(unknown), "remarks": len(remarks),
    }  # fmt: skip


def _layout(run: AssayRun, file: PlateFile) -> tuple[LayoutEntry, ...]:
    """The layout given as CSV, or else the one in the reader's file."""
    if run.layout_file is None:
        return file.layout
    return read_layout_csv(run.layout_file.read(), run.layout_file.name)


def _evaluate_tallies(run: AssayRun, kind: Any, parameters: Any, progress: Progress) -> dict[str, Any]:
    progress(0, 2, "reading the sheet")
    sheet = tally_rows.read_sheet(run)
    run.reader = "tally_sheet"
    tallied = kind.quantify(sheet.tallies, parameters)
    progress(1, 2, "writing the results")
    excluded = _clear(run)
    tally_rows.keep_tallies(run, sheet.tallies)
    subjects, unknown = tally_rows.subjects(run, sheet.tallies)
    results = tally_rows.result_rows(run, tallied, sheet.tallies, subjects, excluded)
    bulk_insert(Result, tally_rows.RESULT_NAMES, results)
    remarks = [(Remark.Topic.FILE, text) for text in sheet.warnings]
    remarks += [(Remark.Topic.ASSAY, str(problem)) for problem in tallied.remarks]
    remarks += [(Remark.Topic.SPECIMEN, text) for text in unknown]
    _remark(run, remarks)
    told = {"tallies": len(sheet.tallies), "results": len(results)}
    return {**told, "samples_without_specimen": len(unknown), "remarks": len(remarks)}


def _clear(run: AssayRun) -> dict[tuple, str]:
    """Take away what was computed before; the exclusions of results are handed on."""
    results = Result.objects.filter(run=run)
    excluded = {
        plate_rows.key_of(r.sample, r.group, r.dilution_factor, r.endpoint_id): r.excluded_reason
        for r in results.filter(is_excluded=True)
    }
    results.delete()
    for model in (WellResult, CurveParameter, Curve, Remark):
        model.objects.filter(run=run).delete()
    return excluded


def _remark(run: AssayRun, remarks: Sequence[tuple[str, str]]) -> None:
    bulk_insert(Remark, ("run", "position", "topic", "text"), list(_remark_rows(run, remarks)))


def _remark_rows(run: AssayRun, remarks: Iterable[tuple[str, str]]) -> Iterable[tuple]:
    for position, (topic, text) in enumerate(remarks):
        shown = text if len(text) <= REMARK_LENGTH else text[: REMARK_LENGTH - 1] + "…"
        yield run.pk, position, topic, shown
