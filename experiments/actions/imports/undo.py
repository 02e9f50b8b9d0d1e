"""Undoing an import: exactly the rows that it wrote are taken back, or it says what stands in the way.

Which rows those are is not kept anywhere by the import: the trail, which the database writes itself, holds every row
that the taking transaction added and both values of every one that it changed. So nothing is forgotten by an importer,
and imports of earlier days can be undone as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, models, transaction

from experiments.actions.imports.runs import require_import
from experiments.actions.imports.tables import TABLES
from experiments.models import DataChange, Enrolment, Estimate, Experiment, ImportRun, Job, OutcomeSummary
from labdb.base.access import LAB_WIDE, refusal_in
from labdb.base.errors import validation_error
from labdb.base.trail.models import TrailEntry, TrailStatement
from labdb.base.trail.visibility import tables
from labdb.base.verbs import verb

LONGEST_REASON = 500
NAMED = 20
State = ImportRun.State
Model = type[models.Model]
# What the program computes from the record, and computes again: it goes with the rows that it is about.
COMPUTED: tuple[Model, ...] = (Estimate, OutcomeSummary, Job)
OWN = (ImportRun, Job)  # written by the taking itself


@dataclass
class Written:
    """What an import wrote: keys of added rows by model, latest first, and changes of rows that were there before."""

    added: dict[Model, list[UUID]] = field(default_factory=dict)
    changed: dict[Model, list[int]] = field(default_factory=dict)  # entries of the trail
    last: int = 0  # statement of the trail with which the taking ended


@verb
def undo_import(*, run: ImportRun, by: Any, reason: str) -> ImportRun:
    """Take back everything that the import wrote, in one transaction; the file can be imported again.

    Raises:
        ValidationError: the run is not taken; no reason; other rows depend on what it wrote, or it was changed since
            (with the list of both); an experiment is closed.
        PermissionDenied: ``by`` may not see the run, or not write what it wrote.
    """
    require_import(by, "undo", run)
    if not reason.strip():
        raise ValidationError({"reason": "Say why the import is undone."})
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": f"At most {LONGEST_REASON} characters, not {len(reason)}."})
    if not ImportRun.objects.filter(pk=run.pk, state=State.TAKEN).update(state=State.UNDONE):
        state = ImportRun.objects.values_list("state", flat=True).get(pk=run.pk)
        raise ValidationError({"state": f"The import is {state}; expected taken."})
    written = written_by(run)
    _require_rows(written, run, by)
    _hold(written)
    _refuse(_in_the_way(written, by))
    try:
        with transaction.atomic():
            _take_back(written)
    except IntegrityError as error:
        raise validation_error(error) from error
    run.refresh_from_db()
    return run


def written_by(run: ImportRun) -> Written:
    """What the trail says of the transaction in which ``run`` was taken.

    Raises:
        ValidationError: the trail does not know of the taking.
    """
    own = TrailEntry.objects.of_row(ImportRun, run.pk).order_by("id")
    states = dict(own.filter(new__has_key="state").values_list("new__state", "statement"))
    asked, taken = states.get(State.TAKING), states.get(State.TAKEN)
    if asked is None or taken is None:
        raise ValidationError("The trail does not tell what this import wrote, so it cannot be undone.")
    # A transaction's number alone may come again in a database that was restored from a dump.
    number = TrailStatement.objects.values_list("transaction_id", flat=True).get(pk=taken)
    statements = TrailStatement.objects.filter(id__gt=asked, id__lt=taken, transaction_id=number).order_by("-id")
    known, written = tables(), Written(last=taken)
    for statement, table, action in statements.values_list("id", "table_name", "action"):
        model = known[table]
        if model in OWN:
            continue
        entries = TrailEntry.objects.filter(statement=statement)
        if action == TrailStatement.Action.INSERT:
            keys = [UUID(key) for key in entries.values_list("row_id", flat=True)]
            written.added.setdefault(model, []).extend(keys)
        elif action == TrailStatement.Action.UPDATE:
            written.changed.setdefault(model, []).extend(entries.order_by("-id").values_list("id", flat=True))
    _leave_out_own_changes(written)
    return written


def _leave_out_own_changes(written: Written) -> None:
    """Changes of rows that the import itself added go with these."""
    for model, entries in written.changed.items():
        own = {str(key) for key in written.added.get(model, ())}
        kept = TrailEntry.objects.filter(pk__in=entries).exclude(row_id__in=own)
        written.changed[model] = list(kept.order_by("-id").values_list("id", flat=True))


def _require_rows(written: Written, run: ImportRun, by: Any) -> None:
    """Who takes rows back could import them: in each of their experiments, as things are now."""
    imported: Model = TABLES[run.table].model if run.table else Enrolment
    for model, keys in written.added.items():
        for experiments in _experiments_of(model, keys):
            told = refusal_in(by, "add", imported if experiments else model, experiments)
            if told is not None:
                raise PermissionDenied(told)


def _experiments_of(model: Model, keys: list[UUID]) -> set[tuple[UUID, ...]]:
    """The experiments of the rows, each alone; empty for rows of the laboratory."""
    path: Any = getattr(model, "experiment_path", None)
    if path in (None, LAB_WIDE):
        return {()}
    rows = model._base_manager.filter(pk__in=keys).order_by()
    found: set[tuple[UUID, ...]] = set()
    for each in (path,) if isinstance(path, str) else path:
        if not each.startswith("@") and not each.endswith("__isnull"):
            known = rows.values_list("pk" if each == "self" else each, flat=True).distinct()
            found |= {(key,) if key else () for key in known}
    return found


def _hold(written: Written) -> None:
    """Nobody changes the rows between the look at them and their end."""
    held = dict(written.added)
    for model, entries in written.changed.items():
        rows = TrailEntry.objects.filter(pk__in=entries).values_list("row_id", flat=True)
        held[model] = [*held.get(model, ()), *map(UUID, rows)]
    with connection.cursor() as cursor:
        for model in sorted(held, key=lambda each: each._meta.db_table):
            table = model._meta.db_table
            cursor.execute(f'SELECT FROM "{table}" WHERE id = ANY (%s) ORDER BY id FOR UPDATE', [held[model]])


@dataclass(frozen=True)
class Hindrance:
    """Rows of one kind that keep an import from being undone. ``names`` are those that the person may see."""

    why: str
    model: Model
    names: tuple[str, ...]
    seen: int
    hidden: int

    def __str__(self) -> str:
        if not self.seen:
            return f"Rows that you may not see {self.why}."
        meta = self.model._meta
        kind = meta.verbose_name if self.seen == 1 else meta.verbose_name_plural
        more = f" and {self.seen - len(self.names)} more" if self.seen > len(self.names) else ""
        also = " So do rows that you may not see." if self.hidden else ""
        verb = self.why if self.seen > 1 else SINGULAR[self.why]
        return f"{self.seen:,} {kind} {verb}: {', '.join(self.names)}{more}.{also}"


DEPEND, CHANGED = "depend on what this import wrote", "were changed since"
SINGULAR = {DEPEND: "depends on what this import wrote", CHANGED: "was changed since"}


def _refuse(found: list[Hindrance]) -> None:
    if found:
        raise ValidationError(["Nothing was taken back.", *map(str, found)])


def _in_the_way(written: Written, by: Any) -> list[Hindrance]:
    found = []
    own = {model._meta.db_table: keys for model, keys in written.added.items()}
    depending: dict[Model, set[UUID]] = defaultdict(set)
    for model, keys in written.added.items():
        for other, others in _referring(model._meta.db_table, keys, own).items():
            depending[tables()[other]] |= others
    for model in sorted(depending, key=lambda each: each._meta.label):
        if model not in COMPUTED:
            found.append(_told(DEPEND, model, depending[model], by))
    for model, keys in written.added.items():
        changed = _changed_since(model, keys, written.last)
        if changed:
            found.append(_told(CHANGED, model, changed, by))
    for model, entries in written.changed.items():
        told = TrailEntry.objects.filter(pk__in=entries).values_list("row_id", "new")
        changed = _changed_since(
            model, [UUID(row) for row, _ in told], written.last, {n for _, new in told for n in (new or {})}
        )
        if changed:
            found.append(_told(CHANGED, model, changed, by))
    return found


def _told(why: str, model: Any, keys: Iterable[UUID], by: Any) -> Hindrance:
    keys = set(keys)
    visible = model._default_manager.visible_to(by).filter(pk__in=keys)
    seen = visible.count()
    return Hindrance(why, model, tuple(str(row) for row in visible[:NAMED]), seen, len(keys) - seen)


REFERENCES = """
    SELECT c.relname::text, (SELECT attname::text FROM pg_attribute a JOIN pg_index i ON a.attrelid = i.indrelid
              AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary),
           (SELECT array_agg(quote_ident(attname) ORDER BY place) FROM unnest(conkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
           (SELECT array_agg(quote_ident(attname) ORDER BY place) FROM unnest(confkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = confrelid AND attnum = number)
      FROM pg_constraint JOIN pg_class c ON c.oid = conrelid WHERE contype = 'f' AND confrelid = %s::regclass"""


def _referring(table: str, keys: Sequence[UUID], own: dict[str, list[UUID]]) -> dict[str, set[UUID]]:
    """Keys by table of the rows that refer to the rows ``keys`` of ``table`` by any key of the database, but for ``own``."""
    found: dict[str, set[UUID]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES, [table])
        for other, key, columns, targets in cursor.fetchall():
            same = " AND ".join(f"d.{here} = t.{there}" for here, there in zip(columns, targets, strict=True))
            cursor.execute(
                f'SELECT d."{key}" FROM "{table}" t JOIN "{other}" d ON {same} WHERE t.id = ANY (%s)'
                f' AND NOT d."{key}" = ANY (%s)',
                [list(keys), own.get(other, [])],
            )
            found[other] |= {row for (row,) in cursor.fetchall()}
    return {other: rows for other, rows in found.items() if rows}


def _changed_since(model: Model, keys: Sequence[UUID], last: int, columns: set[str] | None = None) -> set[UUID]:
    """Rows of which a column (of ``columns``, or any) holds something else than the import left there."""
    entries = TrailEntry.objects.filter(table_name=model._meta.db_table, row_id__in=[str(key) for key in keys])
    later = entries.filter(statement__gt=last, new__isnull=False, old__isnull=False).order_by("id")
    left: dict[tuple[str, str], Any] = {}
    now: dict[tuple[str, str], Any] = {}
    for row, old, new in later.values_list("row_id", "old", "new"):
        before, after = old or {}, new or {}
        for name in after.keys() if columns is None else after.keys() & columns:
            left.setdefault((row, name), before[name])
            now[row, name] = after[name]
    return {UUID(row) for row, name in now if now[row, name] != left[row, name]}


def _take_back(written: Written) -> None:
    _forget_computed(written)
    for model, entries in written.changed.items():
        _restore(model, entries)
    with connection.cursor() as cursor:
        for model, keys in written.added.items():  # what was added last goes first
            cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE id = ANY (%s)', [keys])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    DataChange.objects.filter(experiment__in=written.added.get(Experiment, ())).delete()


def _forget_computed(written: Written) -> None:
    """Summaries that name a row of the import go whole; what is left of their experiment is computed again."""
    summaries: set[UUID] = set()
    jobs: set[UUID] = set()
    for model, keys in written.added.items():
        found = _referring(model._meta.db_table, keys, {})
        estimates = found.get(Estimate._meta.db_table, set())
        summaries |= set(Estimate.objects.filter(pk__in=estimates).values_list("summary", flat=True))
        summaries |= found.get(OutcomeSummary._meta.db_table, set())
        jobs |= found.get(Job._meta.db_table, set())
    Estimate.objects.filter(summary__in=summaries)._raw_delete(connection.alias)
    OutcomeSummary.objects.filter(pk__in=summaries)._raw_delete(connection.alias)
    Job.objects.filter(pk__in=jobs)._raw_delete(connection.alias)


def _restore(model: Model, entries: list[int]) -> None:
    """Give the changed columns the values that they held before, as the trail tells them."""
    table = model._meta.db_table
    for entry in TrailEntry.objects.filter(pk__in=entries).order_by("-id"):
        columns = ", ".join(f'"{name}"' for name in sorted(entry.old or ()))
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{table}" SET ({columns}) = (SELECT {columns} FROM labdb_trailentry e,'
                f' jsonb_populate_record(NULL::"{table}", e.old) WHERE e.id = %s) WHERE id = %s',
                [entry.pk, entry.row_id],
            )
