"""Every way in which a row of any table is written, and what the trail must then hold: what differs, and nothing else.

The expectation is made without the trail's code: two pictures of the table, before and after, compared column by column.
Rows are made from the models' own fields (``rows.py``); ways that need no model run on every table of the catalogue.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from labdb.base.acting import acting
from labdb.base.trail.install import OUTSIDE, WITHHELD
from tests.contracts.rows import make_rows, make_values

DOOR, REASON = "a test", "to see what the trail holds"
# Rows of tables that have no model here: another package made them and our own model took their place.
OF_NO_MODEL = {
    "knox_authtoken": {"digest": "d{n}", "token_key": "k{n}", "created": "2026-01-01T00:00:00+00:00", "expiry": None}
}
# The database refuses every change of their rows; a refusal leaves nothing in the trail either.
NEVER_CHANGED = {"assays_publication", "experiments_experimentlock", "experiments_stockmovement"}
WRITTEN_BY_TRIGGERS = {  # which have their entries as well
    "experiments_experimentlock": {"experiments_experiment"},
    "experiments_stockmovement": {"experiments_stockuse"},
    "experiments_dosevial": {"experiments_stockuse"},
    "experiments_lotsource": {"experiments_stockuse"},
}
CHANGES = {  # type: another value of a column
    "bool": "NOT {c}",
    "date": "coalesce({c}, '2026-01-01') + 1",
    "timestamptz": "{c} + interval '1 day 1 microsecond'",
    "time": "{c} + interval '1 minute'",
    "interval": "{c} + interval '1 minute'",
    "numeric": "{c} + 0.10",
    "float8": "{c} + 0.1",
    "int2": "{c} + 1",
    "int4": "{c} + 1",
    "int8": "{c} + 1",
    "jsonb": "jsonb_build_object('was', {c}, 'number', 1.500)",
    "varchar": "left(reverse({c}), 8) || 'é'",
    "text": "{c} || ' é'",
}


@dataclass
class Table:
    """A table with two rows that may be added to it (as JSON), and a change that it takes."""

    name: str
    model: type[models.Model] | None
    key: str
    columns: list[str]
    withheld: set[str]
    ignored: set[str]
    values: list[dict[str, Any]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    change: tuple[str, str] = ("", "")

    @property
    def sql(self) -> str:
        return f'public."{self.name}"'

    @property
    def record(self) -> str:
        """SQL of the columns of a row that is given as JSON."""
        return f"(jsonb_populate_record(NULL::{self.sql}, %s::jsonb)).*"

    def objects(self) -> list[Any]:
        assert self.model is not None
        return [self.model(**values) for values in self.values]

    def queryset(self) -> models.QuerySet:
        assert self.model is not None
        keys = [json.loads(row)[self.key] for row in self.rows]
        return self.model._base_manager.filter(**{f"{self._attname()}__in": keys})

    def _attname(self) -> str:
        assert self.model is not None
        return self.model._meta.pk.attname

    @property
    def set(self) -> str:
        column, expression = self.change
        return f'"{column}" = {expression}'

    @property
    def where(self) -> str:
        keys = ", ".join("'" + str(json.loads(row)[self.key]).replace("'", "''") + "'" for row in self.rows)
        return f'"{self.key}"::text IN ({keys})'


def table_names() -> list[str]:
    """Every table of our schema that the trail is kept of; asked of the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        return sorted({name for (name,) in cursor.fetchall()} - set(OUTSIDE))


def declared_tables() -> list[str]:
    """The tables of every model, without a database: what the tests are made for."""
    every = apps.get_models(include_auto_created=True)
    found = {model._meta.db_table for model in every if model._meta.managed and not model._meta.proxy}
    return sorted((found | set(OF_NO_MODEL)) - set(OUTSIDE))


def prepare(name: str, known: dict) -> Table:
    """``name`` with two rows that are valid but not there, and a change that the database takes."""
    every = apps.get_models(include_auto_created=True)
    model = next((m for m in every if m._meta.db_table == name and not m._meta.proxy), None)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname, i.indisprimary FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid"
            " AND i.indisprimary AND a.attnum = ANY (i.indkey)"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
            [f'public."{name}"'],
        )
        columns = cursor.fetchall()
    (key,) = [column for column, is_key in columns if is_key]
    said = (
        [[model._meta.get_field(f).column for f in getattr(model, f"trail_{kind}", ())] for kind in KINDS]
        if model
        else [[], []]
    )
    table = Table(name, model, key, [c for c, _ in columns], {*said[0], *WITHHELD.get(name, ())}, set(said[1]))
    _make(table, known)
    return table


KINDS = ("withheld", "ignored")


class _Undo(Exception):
    pass


def _make(table: Table, known: dict) -> None:
    if table.model is None:
        person = _person(known)
        made = [
            {k: v and v.format(n=n) for k, v in OF_NO_MODEL[table.name].items()} | {"user_id": str(person.pk)}
            for n in (1, 2)
        ]
        table.rows = [json.dumps(row) for row in made]
    else:
        table.values = make_values(table.model, 2, known)
        fields = [f for f in table.model._meta.local_concrete_fields if not f.primary_key]
        if all(f.is_relation for f in fields):  # some other row, to which a row of nothing but keys can be changed
            make_rows(fields[0].related_model, 1, known)
    try:
        with transaction.atomic():
            if table.model is not None:
                keys = [row.pk for row in table.model._base_manager.bulk_create(table.objects())]
                table.rows = [_stored(table, key) for key in keys]
            else:
                add(table)
            table.change = _change_that_is_taken(table)
            raise _Undo
    except _Undo:
        pass


def _person(known: dict) -> Any:
    from labdb.base.models import User

    return known.get(User) or make_rows(User, 1, known)[0]


def _stored(table: Table, key: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT to_jsonb(t)::text FROM {table.sql} t WHERE "{table.key}" = %s', [key])
        return cursor.fetchone()[0]


def _change_that_is_taken(table: Table) -> tuple[str, str]:
    for column, expression in _changes(table):
        table.change = (column, expression)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f'SELECT count(*) FROM {table.sql} WHERE {table.where} AND ({expression}) IS DISTINCT FROM "{column}"'
                )
                different = cursor.fetchone()[0] == len(table.rows)
                if different:
                    cursor.execute(f"UPDATE {table.sql} SET {table.set} WHERE {table.where}")
        except DatabaseError:
            continue
        if different:
            return table.change
    assert table.name in NEVER_CHANGED, f"{table.name}: no column could be changed"
    return table.change


def _changes(table: Table) -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname, t.typname, (SELECT c.confrelid::regclass::text FROM pg_constraint c WHERE c.contype = 'f'"
            " AND c.conrelid = a.attrelid AND c.conkey = ARRAY[a.attnum])"
            " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [table.sql],
        )
        found = [
            row for row in cursor.fetchall() if row[0] != table.key and row[0] not in table.ignored | table.withheld
        ]
    for column, kind, target in found:
        if target is None and kind in CHANGES:
            yield column, CHANGES[kind].format(c=f'"{column}"')
    for column, _, target in found:
        if target is not None:
            yield column, f'(SELECT o.id FROM {target} o WHERE o.id <> "{column}" ORDER BY o.id LIMIT 1)'


# -- the ways


Way = Callable[[Table], None]
ADDS: dict[str, Way] = {}
CHANGES_ROWS: dict[str, Way] = {}
DELETES: dict[str, Way] = {}
NEEDS_MODEL: set[str] = set()


def _way(group: dict[str, Way], name: str, *, model: bool = False) -> Callable[[Way], Way]:
    def register(way: Way) -> Way:
        group[name] = way
        if model:
            NEEDS_MODEL.add(name)
        return way

    return register


def _run(statement: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@_way(ADDS, "bulk_create", model=True)
def _bulk_create(table: Table) -> None:
    table.model._base_manager.bulk_create(table.objects())


@_way(ADDS, "save of a new row", model=True)
def _save_new(table: Table) -> None:
    for row in table.objects():
        row.save_base(force_insert=True)


@_way(ADDS, "INSERT")
def add(table: Table, count: int = 2) -> None:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    for row in table.rows[:count]:
        _run(
            f"INSERT INTO {table.sql} ({columns}) SELECT {_named(table)}"
            f" FROM jsonb_populate_record(NULL::{table.sql}, %s::jsonb) r",
            [row],
        )


def _named(table: Table) -> str:
    return ", ".join(f'r."{column}"' for column in table.columns)


@_way(ADDS, "executemany")
def _executemany(table: Table) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table.sql} SELECT {table.record}", [[row] for row in table.rows])


@_way(ADDS, "COPY")
def _copy(table: Table) -> None:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    with connection.cursor() as cursor:
        texts = []
        for row in table.rows:
            with cursor.copy(
                f"COPY (SELECT {_named(table)} FROM jsonb_populate_record(NULL::{table.sql}, %s::jsonb) r) TO STDOUT",
                [row],
            ) as out:
                texts += [bytes(block) for block in out]
        with cursor.copy(f"COPY {table.sql} ({columns}) FROM STDIN") as into:
            for text in texts:
                into.write(text)


@_way(ADDS, "WITH … INSERT")
def _cte_insert(table: Table) -> None:
    _run(
        f"WITH x AS (INSERT INTO {table.sql} SELECT {table.record} RETURNING 1) SELECT count(*) FROM x", [table.rows[0]]
    )


@_way(ADDS, "MERGE that adds")
def _merge_insert(table: Table) -> None:
    _run(
        f"MERGE INTO {table.sql} t USING jsonb_populate_record(NULL::{table.sql}, %s::jsonb) r"
        f' ON t."{table.key}" = r."{table.key}" WHEN NOT MATCHED THEN INSERT VALUES ({_named(table)})',
        [table.rows[0]],
    )


@_way(ADDS, "COPY out adds nothing")
def _copy_out(table: Table) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table.sql} TO STDOUT") as out:
        list(out)


@_way(CHANGES_ROWS, "QuerySet.update", model=True)
def _update(table: Table) -> None:
    from django.db.models.expressions import RawSQL

    name = next(f.name for f in table.model._meta.local_concrete_fields if f.column == table.change[0])
    table.queryset().update(**{name: RawSQL(table.change[1], [])})


@_way(CHANGES_ROWS, "bulk_update", model=True)
def _bulk_update(table: Table) -> None:
    rows, name = _changed_objects(table)
    table.model._base_manager.bulk_update(rows, [name])


@_way(CHANGES_ROWS, "save of a changed row", model=True)
def _save_changed(table: Table) -> None:
    rows, name = _changed_objects(table)
    for row in rows:
        row.save_base(force_update=True, update_fields=[name])


def _changed_objects(table: Table) -> tuple[list[Any], str]:
    """The rows with the values that the change gives, read and not written."""
    wanted = next(f for f in table.model._meta.local_concrete_fields if f.column == table.change[0])
    rows = list(table.queryset())
    with connection.cursor() as cursor:
        for row in rows:
            cursor.execute(f'SELECT {table.change[1]} FROM {table.sql} WHERE "{table.key}" = %s', [row.pk])
            (value,) = cursor.fetchone()
            setattr(row, wanted.attname, json.loads(value) if isinstance(wanted, models.JSONField) else value)
    return rows, wanted.name


@_way(CHANGES_ROWS, "UPDATE")
def _raw_update(table: Table) -> None:
    _run(f"UPDATE {table.sql} SET {table.set} WHERE {table.where}")


@_way(CHANGES_ROWS, "WITH … UPDATE")
def _cte_update(table: Table) -> None:
    _run(f"WITH x AS (UPDATE {table.sql} SET {table.set} WHERE {table.where} RETURNING 1) SELECT count(*) FROM x")


@_way(CHANGES_ROWS, "MERGE that changes")
def _merge_update(table: Table) -> None:
    column, expression = table.change
    source = f'SELECT "{table.key}" AS k, {expression} AS changed FROM {table.sql} WHERE {table.where}'
    _run(
        f'MERGE INTO {table.sql} t USING ({source}) r ON t."{table.key}" = r.k'
        f' WHEN MATCHED THEN UPDATE SET "{column}" = r.changed'
    )


@_way(CHANGES_ROWS, "ON CONFLICT DO UPDATE")
def _upsert(table: Table) -> None:
    """One row is changed by it, the other added."""
    column, expression = table.change
    expression = expression.replace(f'"{column}"', f't."{column}"')
    for row in table.rows:
        _run(
            f"INSERT INTO {table.sql} AS t SELECT {table.record}"
            f' ON CONFLICT ("{table.key}") DO UPDATE SET "{column}" = {expression}',
            [row],
        )


@_way(CHANGES_ROWS, "UPDATE to the same values")
def _same(table: Table) -> None:
    _run(f'UPDATE {table.sql} SET "{table.change[0]}" = "{table.change[0]}"')


@_way(CHANGES_ROWS, "UPDATE of no row")
def _none(table: Table) -> None:
    _run(f"UPDATE {table.sql} SET {table.set} WHERE false")


@_way(CHANGES_ROWS, "UPDATE rolled back")
def _back(table: Table) -> None:
    try:
        with transaction.atomic():
            _raw_update(table)
            raise _Undo
    except _Undo:
        pass


@_way(DELETES, "QuerySet.delete", model=True)
def _delete(table: Table) -> None:
    table.queryset().delete()


@_way(DELETES, "DELETE")
def _raw_delete(table: Table) -> None:
    _run(f"DELETE FROM {table.sql} WHERE {table.where}")


@_way(DELETES, "WITH … DELETE")
def _cte_delete(table: Table) -> None:
    _run(f"WITH x AS (DELETE FROM {table.sql} WHERE {table.where} RETURNING 1) SELECT count(*) FROM x")


@_way(DELETES, "MERGE that deletes")
def _merge_delete(table: Table) -> None:
    source = f'SELECT "{table.key}" AS k FROM {table.sql} WHERE {table.where}'
    _run(f'MERGE INTO {table.sql} t USING ({source}) r ON t."{table.key}" = r.k WHEN MATCHED THEN DELETE')


def ways(has_model: bool) -> Iterator[tuple[str, Way, int]]:
    """Name, way, and how many of the table's rows are there before."""
    for group, there in ((ADDS, 0), (CHANGES_ROWS, 2), (DELETES, 2)):
        for name, way in group.items():
            if has_model or name not in NEEDS_MODEL:
                yield name, way, 1 if way is _upsert else there


# -- the expectation


class Number(str):
    """A number as it is written."""


def _exactly(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_float=Number, parse_int=Number)


def picture(table: Table) -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{table.key}"::text, row_to_json(t)::text FROM {table.sql} t')
        return {key: _exactly(row) for key, row in cursor.fetchall()}


def expected(table: Table, before: dict, after: dict) -> dict[str, set[tuple]]:
    """By row: what the trail must hold of the difference, as a set of (action, old, new) in JSON."""
    found: dict[str, set[tuple]] = {}
    for key in before.keys() | after.keys():
        was, now = before.get(key), after.get(key)
        if was is None:
            found[key] = {("I", None, _told(table, now))}
        elif now is None:
            found[key] = {("D", _told(table, was), None)}
        else:
            changed = [c for c in now if now[c] != was[c] and c not in table.ignored]
            if changed:
                old, new = ({c: row[c] for c in changed} for row in (was, now))
                found[key] = {("U", _told(table, old), _told(table, new))}
    return found


def _told(table: Table, row: dict[str, Any]) -> str:
    shown = {c: "(withheld)" if c in table.withheld and v is not None else v for c, v in row.items()}
    return json.dumps(shown, sort_keys=True)


def last_entry() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM labdb_trailentry")
        return cursor.fetchone()[0]


def written(since: int) -> list[tuple]:
    """(table, row, action, old, new, person, door, reason, role) of every entry after ``since``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.table_name, e.row_id, s.action, e.old::text, e.new::text, s.person_id, s.door, s.reason, s.db_role"
            " FROM labdb_trailentry e LEFT JOIN labdb_trailstatement s ON s.id = e.statement_id AND s.table_name = e.table_name"
            " WHERE e.id > %s ORDER BY e.id",
            [since],
        )
        return cursor.fetchall()


def faults(table: Table, way: Way, there: int, person: Any) -> list[str]:
    """What the trail misses, tells wrongly or tells too much when ``table`` is written by ``way``. Leaves nothing."""
    found: list[str] = []
    try:
        with transaction.atomic():
            add(table, there)
            since, before = last_entry(), picture(table)
            with acting(person=person, door=DOOR, reason=REASON):
                _go(way, table)
            found = _differences(table, expected(table, before, picture(table)), written(since), person)
            raise _Undo
    except _Undo:
        pass
    return found


def _go(way: Way, table: Table) -> None:
    try:
        with transaction.atomic():
            way(table)
    except DatabaseError:
        if table.name not in NEVER_CHANGED:
            raise


def _differences(table: Table, wanted: dict[str, set[tuple]], entries: list[tuple], person: Any) -> list[str]:
    found, got = [], {}
    for name, row, action, old, new, who, door, reason, role in entries:
        if name != table.name:
            if name not in WRITTEN_BY_TRIGGERS.get(table.name, ()):
                found.append(f"an entry of {name}")
            continue
        told = tuple(None if text is None else json.dumps(_exactly(text), sort_keys=True) for text in (old, new))
        got.setdefault(row, set()).add((action, *told))
        if (str(who), door, reason, role) != (str(person.pk), DOOR, REASON, _role()):
            found.append(f"row {row} by {who} through {door!r} for {reason!r} as {role}")
    if table.key in table.withheld:
        from hashlib import sha256

        wanted = {sha256(key.encode()).hexdigest(): each for key, each in wanted.items()}
    if _replaced(wanted) != _replaced(got):
        found.append(f"expected {wanted}\n     got {got}")
    return found


def _replaced(entries: dict[str, set[tuple]]) -> dict[str, list]:
    return {key: sorted(map(repr, each)) for key, each in entries.items()}


def _role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        return cursor.fetchone()[0]
