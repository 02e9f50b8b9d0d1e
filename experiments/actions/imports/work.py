"""What the workers do for an import: read and compare, and write it in one transaction."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError

from experiments.actions.imports.conflicts import find_conflicts
from experiments.actions.imports.known import Known, look_up
from experiments.actions.imports.plan import Plan, make_plan
from experiments.actions.imports.runs import CHECK, TAKE
from experiments.actions.imports.table_work import TableRead, read_record_table
from experiments.actions.imports.tables.checking import TableReading
from experiments.actions.imports.writing import Writer
from experiments.actions.jobs import Progress, work
from experiments.models import ImportRow, ImportRun, Job
from experiments.sheets.animals import interpret
from experiments.sheets.files import read_workbook
from experiments.sheets.problems import Problem
from experiments.sheets.reading import SheetReading, SourceRow
from experiments.sheets.template import AnimalSheetTemplate
from experiments.sheets.workbook import WorkbookRefused
from labdb.base.bulk import bulk_insert

State = ImportRun.State
SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class Reading:
    """A sheet beside the record: what it says, what contradicts, what is new."""

    sheet: SheetReading
    known: Known
    plan: Plan
    template: AnimalSheetTemplate

    def counts(self) -> dict[str, Any]:
        return {**self.sheet.counts(), **self.plan.counts()}

    def size(self) -> int:
        return len(self.plan.weighings) + len(self.plan.scores)

    def write(self, run: ImportRun, progress: Progress) -> dict[str, Any]:
        Writer(self.sheet, self.plan, self.known, run.source_file, progress).write(self.template)
        return self.counts()


@work(CHECK)
def check_import(job: Job, progress: Progress) -> dict[str, Any]:
    """Store every row with its problems, and what taking them would write. Nothing else is written."""
    run = _locked(job)
    if run.state != State.CHECKING:  # done before, by a worker that was lost after it
        return run.counts
    progress(0, None, "reading the sheet")
    read = _read(run, job, is_check=True)
    rows = read.sheet.source_rows
    progress(len(rows), len(rows), "storing the rows")
    _store_rows(run, read.sheet)
    shown = {row.number for row in rows}
    whole = [problem.as_dict() for problem in read.sheet.problems if problem.place.row not in shown]
    counts = read.counts()
    ImportRun.objects.filter(pk=run.pk).update(state=State.CHECKED, problems=storable(whole), counts=counts)
    return counts


@work(TAKE)
def write_import(job: Job, progress: Progress) -> dict[str, Any]:
    """Read the file once more beside the record of now, and write what is new: all of it, or nothing.

    Raises:
        ValidationError: the sheet contradicts the record by now (of valid rows only: in a row that was valid when it
            was checked), or the database refuses a row.
    """
    run = _locked(job)
    if run.state != State.TAKING:
        raise ValidationError(f"The import is {run.state}; expected taking.")
    progress(0, None, "reading the sheet")
    read = _read(run, job)
    errors = read.sheet.errors
    if read.sheet.is_refused or (errors and not run.valid_rows_only):
        raise _refusal(errors)
    _refuse_late_errors(run, read.sheet)
    progress(0, read.size(), "writing the rows")
    counts = read.write(run, progress)
    ImportRun.objects.filter(pk=run.pk).update(state=State.TAKEN, counts=counts)
    return counts


def _locked(job: Job) -> ImportRun:
    """The run, held until the transaction ends: of two jobs for it the later one sees what the earlier one did."""
    runs = ImportRun.objects.select_related("source_file__experiment").select_for_update(of=("self",), no_key=True)
    return runs.get(pk=job.subject_id)


def _refuse_late_errors(run: ImportRun, sheet: SheetReading | TableReading) -> None:
    """A row that was valid when the person saw it is not left out behind their back."""
    valid = set(ImportRow.objects.filter(run=run, is_valid=True).values_list("row_number", flat=True))
    late = {row.number for row in sheet.source_rows if not row.is_valid} & valid
    if late:
        first = ", ".join(map(str, sorted(late)[:SHOWN_PROBLEMS]))
        more = f" and {len(late) - SHOWN_PROBLEMS} more" if len(late) > SHOWN_PROBLEMS else ""
        told = f"Rows that were valid when the sheet was checked have errors by now: {first}{more}. Check it once more."
        errors = tuple(problem for problem in sheet.errors if problem.place.row in late)
        raise ValidationError([told, *_refusal(errors).messages])


def _read(run: ImportRun, job: Job, *, is_check: bool = False) -> Reading | TableRead:
    if job.requested_by is None:
        raise PermissionDenied("An import needs the person who asked for it.")
    if run.table:
        return read_record_table(run, job.requested_by, rehearse=is_check)
    return _read_sheet(run, job)


def _read_sheet(run: ImportRun, job: Job) -> Reading:
    template = AnimalSheetTemplate.from_json(run.mapping)
    file = run.source_file
    try:
        workbook = read_workbook(file.read(), file.name, encoding=template.encoding, delimiter=template.delimiter)
    except WorkbookRefused as refusal:
        refused = SheetReading(sheet="", problems=refusal.problems)
        known = look_up(refused, job.requested_by)
        return Reading(refused, known, make_plan(refused, known), template)
    sheet = interpret(workbook, template)
    known = look_up(sheet, job.requested_by)
    conflicts = find_conflicts(sheet, known, template, file.experiment)
    if conflicts:
        sheet = interpret(workbook, template, conflicts)
    return Reading(sheet, known, make_plan(sheet, known), template)


def _refusal(errors: tuple[Problem, ...]) -> ValidationError:
    told = [str(problem) for problem in errors[:SHOWN_PROBLEMS]]
    if len(errors) > len(told):
        told.append(f"and {len(errors) - len(told)} more; check the sheet once more to see them all")
    return ValidationError(told)


def _store_rows(run: ImportRun, sheet: SheetReading | TableReading) -> None:
    ImportRow.objects.filter(run=run).delete()
    name = storable(sheet.sheet)
    bulk_insert(ImportRow, STORED, [(run.pk, name, *_stored(row)) for row in sheet.source_rows])


STORED = ("run", "sheet", "row_number", "cells", "problems", "is_valid")


def _stored(row: SourceRow) -> tuple:
    problems = storable([problem.as_dict() for problem in row.problems])
    return row.number, storable(row.cells), problems, row.is_valid


def storable(value: Any) -> Any:
    """``value`` with the two kinds of character that PostgreSQL's text cannot hold made visible (␀, �)."""
    if isinstance(value, str):
        return value.replace("\x00", "\u2400").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return [storable(each) for each in value] if isinstance(value, list) else value
