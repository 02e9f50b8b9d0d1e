"""``manage.py import FILE --template …`` or ``--table …``: a laboratory's own sheet, or a table of records."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from experiments.actions import jobs
from experiments.actions.imports import check_sheet, check_table, discard_import, keep_template, take_import
from experiments.actions.imports.tables import TABLES
from experiments.actions.imports.tables.cells import ISO
from experiments.models import Experiment, ImportRow, ImportRun, ImportTemplate, Job
from labdb.base.models import User

ENDED = (Job.State.DONE, Job.State.FAILED)


class Command(BaseCommand):
    help = "Check a file and take it into the record: every error is named, and with errors nothing is taken."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="an .xlsx or .csv file")
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--template", help="a JSON file with the mapping, or the name of a kept one")
        how.add_argument("--table", choices=list(TABLES), help="the type of record, where a row of the file is one")
        parser.add_argument("--user", required=True, help="in whose name")
        parser.add_argument("--dry-run", action="store_true", help="check only; nothing is taken")
        parser.add_argument("--valid-rows-only", action="store_true", help="take the rows without errors")
        parser.add_argument("--decimal", choices=[".", ","], default=".", help="of numbers in text, of a table")
        parser.add_argument("--dates", default=ISO, help="how text writes dates, of a table, e.g. %%d.%%m.%%Y")
        parser.add_argument("--masking", choices=Experiment.Masking.values, help="of the experiments that are opened")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(**options)
        except (ValidationError, PermissionDenied) as error:
            raise CommandError("\n".join(getattr(error, "messages", [str(error)]))) from error

    def _import(self, *, file: Path, user: str, **options: Any) -> None:
        by = User.objects.filter(username=user).first()
        if by is None:
            raise CommandError(f"There is no person with the user name “{user}”.")
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        run = _checked(file, by, **options)
        self._wait(run)
        has_errors = self._tell(run)
        if options["dry_run"] or (has_errors and not options["valid_rows_only"]):
            discard_import(run=run, by=by)
            self._say("Nothing was taken.")
            if has_errors:
                raise SystemExit(1)
            return
        take_import(run=run, by=by, valid_rows_only=options["valid_rows_only"])
        self._wait(run)
        self._say("Taken:")
        self._tell_counts(run.counts["new"], run.counts["already"])

    def _wait(self, run: ImportRun) -> None:
        """Do the run's job here, or wait for the worker that was quicker."""
        start = time.monotonic()
        assert run.job is not None
        job = run.job
        if not jobs.run(job.pk):
            while job.state not in ENDED:
                time.sleep(0.2)
                job.refresh_from_db()
        job.refresh_from_db()
        run.refresh_from_db()
        if job.state == Job.State.FAILED:
            raise CommandError(f"Nothing was taken.\n{job.error}")
        self._say(f"{job.kind}: {time.monotonic() - start:.1f} s")

    def _tell(self, run: ImportRun) -> bool:
        """Print every problem, then the counts; whether there are errors."""
        rows = ImportRow.objects.filter(run=run).exclude(problems=[]).order_by("sheet", "row_number")
        problems = [problem for row in rows for problem in row.problems]
        problems = [*run.problems, *problems]
        for problem in problems:
            self._say(f"{problem['severity']}: {problem['message']}")
        counts = run.counts
        self._say(f"{counts['rows']} rows, {counts['rows_excluded']} of them with errors")
        self._say(f"{counts['errors']} errors, {counts['warnings']} warnings")
        self._tell_counts(counts["new"], counts["already"])
        return bool(counts["errors"])

    def _tell_counts(self, new: dict[str, int], already: dict[str, int]) -> None:
        for name, count in new.items():
            known = already.get(name, 0)
            if count or known:
                self._say(f"  {name.replace('_', ' ')}: {count} new" + (f", {known} already recorded" if known else ""))

    def _say(self, text: str) -> None:
        self.stdout.write(text)


def _checked(file: Path, by: User, *, template: str | None, table: str | None, **options: Any) -> ImportRun:
    given: dict[str, Any] = {"data": file.read_bytes(), "name": file.name, "by": by}
    if table:
        return check_table(table=table, decimal=options["decimal"], dates=options["dates"], **given)
    return check_sheet(template=_template(template or "", by), masking=options["masking"], **given)


def _template(told: str, by: User) -> ImportTemplate:
    """The kept template of this name, or the one in this .json file, kept under the name in it."""
    if not told.endswith(".json"):
        named = ImportTemplate.objects.filter(name=told).first()
        if named is None:
            raise CommandError(f"There is no template “{told}”, and it is no .json file.")
        return named
    mapping = _mapping(Path(told))
    name = str(mapping.get("name", "")) if isinstance(mapping, dict) else ""
    kept = ImportTemplate.objects.filter(name=name).first()
    if kept is None:
        return keep_template(name=name, kind=_kind(mapping), mapping=mapping, by=by)
    if kept.mapping != mapping:
        raise CommandError(f"Another template is kept as “{name}”; change the name in {told}, or the kept template.")
    return kept


def _mapping(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"The template {path} cannot be read: {error}") from error


def _kind(mapping: Any) -> str:
    return str(mapping.get("kind", "animals")) if isinstance(mapping, dict) else "animals"
