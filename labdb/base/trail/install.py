"""Puts the trail's triggers on every table, after every migrate.

Tables are found in the catalogue, so those of many-to-many relations and of other packages are among them. A model may
say ``trail_ignored`` (columns that beat like a heart: a change of them alone is no entry) and ``trail_withheld``
(secrets: the trail tells that they changed, not what).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction

from labdb.base.trail import sql
from labdb.base.trail.paths import experiment_expression
from labdb.base.triggers import register_installer

OUTSIDE = {
    "labdb_trailstatement": "the trail itself",
    "labdb_trailentry": "the trail itself",
    "django_migrations": "which migrations ran; part of the program, not of the record",
    "django_session": "written by every visit and signed for the browser alone",
    "labdb_guessbudget": "times of wrong guesses, written before anybody is known",
    "experiments_datachange": "a queue that the database itself fills and summaries empty",
}
# Secrets in tables of other packages; our own models say theirs themselves.
WITHHELD = {
    "knox_authtoken": ("digest", "token_key"),
    "mfa_authenticator": ("data",),
    "account_emailconfirmation": ("key",),
}
EVENTS = {  # trigger: (what it records, event, names of the rows)
    "labdb_trail_insert": ("added", "AFTER INSERT", "REFERENCING NEW TABLE AS new_rows"),
    "labdb_trail_update": ("changed", "AFTER UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"),
    "labdb_trail_delete": ("deleted", "AFTER DELETE", "REFERENCING OLD TABLE AS old_rows"),
    "labdb_trail_truncate": ("truncated", "BEFORE TRUNCATE", ""),
}
TABLES = """
    SELECT c.relname, (SELECT array_agg(a.attname::text) FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid
            AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary),
           (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"""
TRIGGERS = """
    SELECT c.relname, t.tgname, t.tgenabled, encode(t.tgargs, 'escape')
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'public'::regnamespace AND t.tgname LIKE 'labdb\\_trail%' AND NOT t.tgisinternal"""


class Trigger(NamedTuple):
    """A trigger as it should stand in the catalogue."""

    name: str
    table: str
    arguments: tuple[str, ...]
    definition: str

    @property
    def create(self) -> str:
        return (
            f"CREATE OR REPLACE TRIGGER {self.name} {self.definition} ({', '.join(map(sql.literal, self.arguments))});"
            # also where a session claims to be a replica
            f' ALTER TABLE public."{self.table}" ENABLE ALWAYS TRIGGER {self.name};'
        )

    @property
    def stored(self) -> tuple[str, str]:
        return "A", "".join(f"{argument}\\000" for argument in self.arguments)


@register_installer
def install(connection: Any, models_with_table: Sequence[type[models.Model]]) -> None:
    """Create what is missing or different. A table that gets its triggers while it holds rows tells them as they are."""
    by_table = {model._meta.db_table: model for model in models_with_table}
    if "labdb_trailentry" not in by_table:  # migrated back to before the trail
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(sql.PROTECT)
        cursor.execute(sql.FUNCTIONS)
        cursor.execute(TABLES)
        tables = {name: (keys, columns) for name, keys, columns in cursor.fetchall()}
        cursor.execute(TRIGGERS)
        present = {(table, name): (enabled, arguments) for table, name, enabled, arguments in cursor.fetchall()}
        _run(cursor, (t for t in guards() if present.get((t.table, t.name)) != t.stored))
        for table, (keys, columns) in sorted(tables.items()):
            if table in OUTSIDE:
                continue
            wanted = list(triggers(by_table.get(table), table, keys, columns))
            missing = [t for t in wanted if present.get((t.table, t.name), ("", ""))[0] != "A"]
            _run(cursor, (t for t in wanted if present.get((t.table, t.name)) != t.stored))
            if any(t.name in EVENTS for t in missing):
                _tell_rows(cursor, by_table.get(table), table, keys, columns)


def triggers(
    model: type[models.Model] | None, table: str, keys: list[str] | None, columns: list[str]
) -> Iterator[Trigger]:
    """The triggers of one table."""
    key, withheld, ignored = _columns_of(model, table, keys)
    experiment = experiment_expression(model, columns)
    for name, (rows, event, referencing) in EVENTS.items():
        arguments = [sql.entries(table, key, experiment, rows, withheld, ignored)]
        if "SELECT" in experiment:
            arguments.append(sql.entries(table, key, "NULL::uuid", rows, withheld, ignored))
        definition = f'{event} ON public."{table}" {referencing} FOR EACH STATEMENT'
        yield Trigger(name, table, tuple(arguments), f"{definition} EXECUTE FUNCTION public.labdb_trail_write")
    definition = f'BEFORE UPDATE OF "{key}" ON public."{table}" FOR EACH ROW'
    condition = f'WHEN (OLD."{key}" IS DISTINCT FROM NEW."{key}")'
    function = "EXECUTE FUNCTION public.labdb_trail_refuse_key"
    yield Trigger("labdb_trail_key", table, (key,), f"{definition} {condition} {function}")


def guards() -> Iterator[Trigger]:
    """The triggers that keep the trail itself, also from its owner."""
    for table in (sql.STATEMENTS, sql.ENTRIES):
        name = table.removeprefix("public.")
        definition = f'BEFORE UPDATE OR DELETE OR TRUNCATE ON public."{name}" FOR EACH STATEMENT'
        yield Trigger("labdb_trail_guard", name, (), f"{definition} EXECUTE FUNCTION public.labdb_trail_refuse")


def _columns_of(
    model: type[models.Model] | None, table: str, keys: list[str] | None
) -> tuple[str, list[str], list[str]]:
    """Column of the primary key, withheld columns, ignored columns."""
    if not keys or len(keys) != 1:
        raise ImproperlyConfigured(f"{table} has the primary key {keys}; the trail expects one of one column.")
    withheld, ignored = list(WITHHELD.get(table, ())), []
    if model is not None:
        meta: Any = model._meta
        withheld += [meta.get_field(name).column for name in getattr(model, "trail_withheld", ())]
        ignored += [meta.get_field(name).column for name in getattr(model, "trail_ignored", ())]
    return keys[0], withheld, ignored


def _run(cursor: Any, needed: Iterator[Trigger]) -> None:
    statements = [trigger.create for trigger in needed]
    if statements:
        cursor.execute("\n".join(statements))


def _tell_rows(
    cursor: Any, model: type[models.Model] | None, table: str, keys: list[str] | None, columns: list[str]
) -> None:
    """One statement “B” with every row of the table, so that each has a version."""
    key, withheld, _ = _columns_of(model, table, keys)
    written = sql.entries(table, key, experiment_expression(model, columns), "there", withheld)
    cursor.execute(f"SELECT nextval('{sql.STATEMENTS}_id_seq')")
    (statement,) = cursor.fetchone()
    cursor.execute(written.replace("$1", str(statement), 1))
    if cursor.rowcount:
        cursor.execute(
            f"INSERT INTO {sql.STATEMENTS} (id, at, table_name, action, person_id, db_role, door, reason, transaction_id)"
            " VALUES (%s, clock_timestamp(), %s, 'B', NULL, session_user, coalesce(current_setting('labdb.door', true), ''), '',"
            " pg_current_xact_id()::text::bigint)",
            [statement, table],
        )
