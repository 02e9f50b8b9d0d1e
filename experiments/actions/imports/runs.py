"""An import from file to record. Every change of state is a conditional update: of two at once, one wins."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from experiments.actions.files import receive_file
from experiments.actions.imports.tables import TABLES
from experiments.actions.imports.tables.cells import DATE_FORMATS, ISO
from experiments.actions.jobs import request_job
from experiments.models import Experiment, ImportRow, ImportRun, ImportTemplate, Job, SourceFile
from experiments.sheets.delimited import DELIMITERS, ENCODINGS
from labdb.base.access import require
from labdb.base.verbs import verb

CHECK, TAKE = "check_import", "take_import"
State = ImportRun.State


@verb
def keep_template(*, name: str, kind: str, mapping: Any, by: Any) -> ImportTemplate:
    """Keep a mapping for the next file.

    Raises:
        ValidationError: the mapping cannot be used, with every fault; the name is taken.
        PermissionDenied: ``by`` is neither staff nor a scientist of the laboratory.
    """
    require(by, "add", ImportTemplate)
    template = ImportTemplate(name=name, kind=kind, mapping=mapping)
    template.save()
    return template


@verb
def check_sheet(
    *,
    data: bytes,
    name: str,
    template: ImportTemplate,
    by: Any,
    experiment: Experiment | None = None,
    masking: str | None = None,
) -> ImportRun:
    """Keep the file as it came and ask for its reading; nothing is written to the record. ``run.job`` tells how far.

    With ``experiment`` every row must be of that experiment, and its members see the run; without, the person who
    sent the file does. ``masking`` replaces the template's for the experiments that the sheet opens.

    Raises:
        ValidationError: an empty or too large file, a template of another kind of sheet, an unknown masking.
        PermissionDenied: ``by`` may not add files, or not to the experiment.
    """
    if template.kind != "animals":
        raise ValidationError({"template": f"It reads sheets of {template.kind}; expected one for animals."})
    if masking is not None and masking not in Experiment.Masking.values:
        expected = " or ".join(Experiment.Masking.values)
        raise ValidationError({"masking": f"“{masking}” is no masking; expected {expected}."})
    run = ImportRun(template=template, mapping={**template.mapping, **({"masking": masking} if masking else {})})
    run.source_file = receive_file(data=data, name=name, by=by, experiment=experiment)
    return _begun(run, by, experiment)


@verb
def check_table(
    *,
    data: bytes,
    name: str,
    table: str,
    by: Any,
    experiment: Experiment | None = None,
    decimal: str = ".",
    dates: str = ISO,
    encoding: str = "",
    delimiter: str = "",
) -> ImportRun:
    """Keep the file as it came and ask for its reading as records of one type, one a row; nothing is written.

    With ``experiment`` every row must be of that experiment, and its members see the run; without, the person who
    sent the file does. ``decimal`` and ``dates`` say how text writes numbers and dates (``strptime``).

    Raises:
        ValidationError: an empty or too large file, an unknown table or notation.
        PermissionDenied: ``by`` may not add such records, or not to the experiment.
    """
    _check_notation(table=table, decimal=decimal, dates=dates, encoding=encoding, delimiter=delimiter)
    mapping = {"decimal": decimal, "dates": dates, "encoding": encoding, "delimiter": delimiter}
    run = ImportRun(table=table, mapping=mapping)
    subject = TABLES[table].written_for(experiment)
    require(by, "add", subject)
    run.source_file = receive_file(data=data, name=name, by=by, experiment=experiment, part_of=subject)
    return _begun(run, by, experiment)


def _check_notation(**given: str) -> None:
    known = {
        "table": tuple(TABLES),
        "decimal": (".", ","),
        "dates": tuple(DATE_FORMATS),
        "encoding": ("", *ENCODINGS),
        "delimiter": ("", *DELIMITERS),
    }
    wrong = {
        name: f"“{value}” is not known; expected one of {', '.join(filter(None, map(repr, known[name])))}."
        for name, value in given.items()
        if value not in known[name]
    }
    if wrong:
        raise ValidationError(wrong)


def _begun(run: ImportRun, by: Any, experiment: Experiment | None) -> ImportRun:
    run.job = request_job(kind=CHECK, subject_id=run.pk, by=by, experiment=experiment)
    run.save()
    return run


@verb
def take_import(*, run: ImportRun, by: Any, valid_rows_only: bool) -> Job:
    """Ask for the checked rows to be written to the record, all of them or (``valid_rows_only``) the valid ones.

    A run whose taking failed may be taken again.

    Raises:
        ValidationError: the run is not checked, or has errors and ``valid_rows_only`` is not chosen.
        PermissionDenied: ``by`` may not see the run or not add to its experiment.
    """
    require_import(by, "take", run)
    _free_failed(run)
    taken = ImportRun.objects.filter(pk=run.pk, state=State.CHECKED)
    if not taken.update(state=State.TAKING, valid_rows_only=valid_rows_only):
        raise _wrong_state(run)
    held = ImportRun.objects.select_related("source_file__experiment").get(pk=run.pk)
    _check_takeable(held)
    job = request_job(kind=TAKE, subject_id=run.pk, by=by, experiment=held.source_file.experiment)
    ImportRun.objects.filter(pk=run.pk).update(job=job)
    run.refresh_from_db()
    return job


@verb
def discard_import(*, run: ImportRun, by: Any) -> ImportRun:
    """Close a checked run, or one whose check failed, without taking anything.

    Its rows stay, with what was wrong with them.

    Raises:
        ValidationError: the run is neither.
        PermissionDenied: ``by`` may not see the run or not change it.
    """
    require_import(by, "discard", run)
    _free_failed(run)
    free = Q(state=State.CHECKED)
    failed = _failed_job(run)
    if failed is not None:
        free |= Q(state=State.CHECKING, job=failed)
    if not ImportRun.objects.filter(free, pk=run.pk).update(state=State.DISCARDED):
        raise _wrong_state(run)
    run.refresh_from_db()
    return run


def require_import(by: Any, verb: str, run: ImportRun) -> None:
    """Who may see the run and add what its file holds."""
    require(by, "view", run)  # of a file that is in no experiment, only who sent it
    require(by, verb, run)
    experiment = run.source_file.experiment
    require(by, "add", TABLES[run.table].written_for(experiment) if run.table else SourceFile(experiment=experiment))


def _free_failed(run: ImportRun) -> None:
    """A run whose taking failed is a checked one again: nothing of it was written."""
    job = _failed_job(run)
    if job is not None:
        ImportRun.objects.filter(pk=run.pk, state=State.TAKING, job=job).update(state=State.CHECKED)


def _failed_job(run: ImportRun) -> Job | None:
    job = ImportRun.objects.values_list("job", flat=True).get(pk=run.pk)
    return Job.objects.filter(pk=job, state=Job.State.FAILED).first()


def _check_takeable(run: ImportRun) -> None:
    if any(problem["effect"] == "file_refused" for problem in run.problems):
        raise ValidationError({"run": [problem["message"] for problem in run.problems]})
    invalid = ImportRow.objects.filter(run=run, is_valid=False).count()
    if invalid and not run.valid_rows_only:
        told = f"{invalid} of {run.rows.count()} rows have errors; correct the sheet, or take the valid rows only."
        raise ValidationError({"valid_rows_only": told})


def _wrong_state(run: ImportRun) -> ValidationError:
    state = ImportRun.objects.values_list("state", flat=True).get(pk=run.pk)
    return ValidationError({"state": f"The import is {state}; expected checked."})
