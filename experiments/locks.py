"""Closed experiments are kept by the database: triggers on every table whose rows lead to an experiment.

They are made from the models' own ``experiment_path`` after each migrate, so a new model joins without a line here. A
statement that writes, moves or deletes rows of a closed experiment is refused whoever sends it and however: REST, admin,
verb, import, task, ``bulk_create``, raw SQL, COPY, cascade, any role of the application or of the database.

What belongs to an experiment besides its own rows:

- An animal that is enrolled in it, with its housing: identity, strain, sex, birth, litter and cage stay as they were
  when it was closed. One that goes on in another experiment is enrolled, treated and observed there; to move it to
  another cage or to correct it, its closed experiment is reopened first.
- Rows of the whole laboratory that it refers to: ``closed_with`` leads from a strain, an endpoint, a litter or cage of
  no experiment to whoever uses them. ``open_fields`` may change nevertheless.
- ``stays_open`` exempts a model: what describes or is computed from the record rather than being it.

Nothing slips in while an experiment is being closed. Who writes takes its advisory lock, shared; who closes it takes the
same lock exclusively before the time of closing is taken (migration 0004). Rows over which the way to the experiment leads
are held until the writer ends, so that no other transaction leads them elsewhere meanwhile:

- on the way to one (a well's run): ``FOR KEY SHARE``; who moves such a row holds it ``FOR UPDATE``;
- on the way to many (an animal's enrolments): ``FOR NO KEY UPDATE``; who adds an enrolment holds the animal ``FOR SHARE``.

Who closes waits for writers while holding nothing else, and locks are taken in the order of their keys, so that no two
wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction

Model = type[models.Model]
PREFIX = "keep_closed"
NEW, OLD = "new_rows", "old_rows"


@dataclass(frozen=True)
class Hop:
    """From a row of ``table`` to the rows of ``to`` whose ``far`` is its ``near``. ``is_back``: against a foreign key."""

    table: str
    near: str
    to: str
    far: str
    is_back: bool


@dataclass(frozen=True)
class Way:
    """From a row to its experiments: over ``hops`` to the table whose column ``last`` holds their key."""

    hops: tuple[Hop, ...]
    last: str

    @property
    def onward(self) -> tuple[str, ...]:
        """The column that leads on from each hop's table."""
        return (*(hop.near for hop in self.hops), self.last)[1:]


@dataclass(frozen=True)
class Kept:
    """A table, its key, the ways from its rows to experiments, and the columns that may change after closing."""

    table: str
    key: str
    columns: tuple[str, ...]
    ways: tuple[Way, ...]
    open_columns: tuple[str, ...]


def kept_tables(found: Iterable[Model]) -> list[Kept]:
    """The tables of the models ``found`` whose rows lead to experiments, in the order of their names."""
    kept = []
    for model in found:
        ways = tuple(_way(model, path) for path in paths_of(model))
        if ways and model._meta.managed and not model._meta.proxy:
            fields = model._meta.local_concrete_fields
            names = getattr(model, "open_fields", ())
            is_open = tuple(_quoted(f) for f in fields if f.name in names)
            columns = tuple(_quoted(f) for f in fields)
            kept.append(Kept(model._meta.db_table, _quoted(model._meta.pk), columns, ways, is_open))
    return sorted(kept, key=lambda each: each.table)


def paths_of(model: Model) -> tuple[str, ...]:
    """Relations from a row to the experiments that keep it as it is once they are closed; ``self`` for their own row."""
    if model._meta.auto_created:  # between two rows: it belongs to the experiments of both
        ends: list[Any] = [field for field in model._meta.local_concrete_fields if field.is_relation]
        return tuple(_behind(end.name, path) for end in ends for path in paths_of(end.related_model))
    if getattr(model, "stays_open", False):
        return ()
    declared = getattr(model, "experiment_path", None) or ()
    paths = (declared,) if isinstance(declared, str) else declared
    own = tuple(path for path in paths if not path.startswith("@") and not path.endswith("__isnull"))
    return own + tuple(getattr(model, "closed_with", ()))


def _behind(name: str, path: str) -> str:
    return name if path == "self" else f"{name}__{path}"


def _way(model: Any, path: str) -> Way:
    hops: list[Hop] = []
    here = model
    for name in path.split("__") if path != "self" else ():
        for info in here._meta.get_field(name).path_infos:
            near, far = info.join_field.get_joining_fields()[0]
            here = info.to_opts.model
            tables = info.from_opts.db_table, here._meta.db_table
            hops.append(Hop(tables[0], _quoted(near), tables[1], _quoted(far), not info.direct))
    if hops and not hops[-1].is_back:  # the key is at hand without the experiment's own row
        return Way(tuple(hops[:-1]), hops[-1].near)
    return Way(tuple(hops), _quoted(here._meta.pk))


def _quoted(field: Any) -> str:
    return f'"{field.column}"'


def statements(found: Iterable[Model]) -> list[str]:
    """The SQL that makes functions and triggers of the models ``found``; it may run again and again.

    Raises:
        ImproperlyConfigured: the way of a model's rows leads over a table that a closed experiment does not keep.
    """
    kept = kept_tables(found)
    back: dict[str, set[tuple[Hop, str]]] = defaultdict(set)
    forth: dict[str, set[str]] = defaultdict(set)
    for each in kept:
        for way in each.ways:
            for hop, onward in zip(way.hops, way.onward, strict=True):
                if hop.to not in {other.table for other in kept}:
                    told = f"Rows of {each.table} lead to their experiment over {hop.to}, which stays open."
                    raise ImproperlyConfigured(told)
                if hop.is_back:
                    back[hop.to].add((hop, onward))
                else:
                    forth[hop.to].add(onward)
    made: list[str] = []
    for each in kept:
        made += _of_table(each, sorted(back[each.table], key=str), sorted(forth[each.table]))
    return made


def _of_table(kept: Kept, back: list[tuple[Hop, str]], forth: list[str]) -> Iterator[str]:
    arrivals = [_hold_start(hop, NEW) for hop, _ in back]
    moves = [_hold_start(hop, _moved(kept.key, hop.far, onward)) for hop, onward in back]
    moves += [_hold_moved(kept, column) for column in forth]
    inserted = _function(kept, "insert", arrivals, NEW)
    deleted = _function(kept, "delete", [], OLD)
    updated = _function(kept, "update", moves, _changed(kept))
    for event, function, tables in (
        ("insert", inserted, f"NEW TABLE AS {NEW}"),
        ("update", updated, f"OLD TABLE AS {OLD} NEW TABLE AS {NEW}"),
        ("delete", deleted, f"OLD TABLE AS {OLD}"),
    ):
        yield function
        yield (
            f"CREATE OR REPLACE TRIGGER {PREFIX}_{event} AFTER {event.upper()} ON {kept.table} REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {_name(kept, event)}()"
        )
    yield (
        f"CREATE OR REPLACE TRIGGER {PREFIX}_truncate BEFORE TRUNCATE ON {kept.table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION experiments_refuse_truncate()"
    )


def _name(kept: Kept, event: str) -> str:
    return f"{kept.table}_{PREFIX}_{event}"


def _function(kept: Kept, event: str, first: list[str], rows: str) -> str:
    holds = list(dict.fromkeys(hold for way in kept.ways for hold in _holds(way, rows)))
    keys = " UNION ALL ".join(_keys(way, rows) for way in kept.ways)
    body = "".join(f"    PERFORM {each};\n" for each in first + holds)
    return (
        f"CREATE OR REPLACE FUNCTION {_name(kept, event)}() RETURNS trigger LANGUAGE plpgsql\n"
        f"SECURITY DEFINER SET search_path = public, pg_temp AS $$\nBEGIN\n{body}"
        f"    PERFORM experiments_refuse_closed(ARRAY(SELECT DISTINCT experiment FROM ({keys}) k), TG_TABLE_NAME);\n"
        f"    RETURN NULL;\nEND $$"
    )


def _changed(kept: Kept) -> str:
    """Rows of an update, before and after; where columns are open, those in which another one changed."""
    if not kept.open_columns:
        return f"(SELECT * FROM {OLD} UNION ALL SELECT * FROM {NEW})"
    closed = [column for column in kept.columns if column not in kept.open_columns]
    before, after = (", ".join(f"{side}.{column}" for column in closed) for side in "on")
    pairs = f"FROM {OLD} o FULL JOIN {NEW} n USING ({kept.key}) WHERE ({before}) IS DISTINCT FROM ({after})"
    return f"(SELECT o.* {pairs} UNION ALL SELECT n.* {pairs})"


def _moved(key: str, *columns: str) -> str:
    """Rows of an update as they are now, where one of ``columns`` is another."""
    before, after = (", ".join(f"{side}.{column}" for column in columns) for side in "on")
    return (
        f"(SELECT n.* FROM {NEW} n LEFT JOIN {OLD} o USING ({key}) WHERE ROW({after}) IS DISTINCT FROM ROW({before}))"
    )


def _hold_start(hop: Hop, rows: str) -> str:
    """Whoever is changing the row to which ``rows`` are added ends first, and finds them when they begin later."""
    return _hold(hop.table, hop.near, f"SELECT r.{hop.far} FROM {rows} r", "SHARE")


def _hold_moved(kept: Kept, column: str) -> str:
    """Whoever writes what hangs on the moved rows ends first."""
    return _hold(kept.table, kept.key, f"SELECT r.{kept.key} FROM {_moved(kept.key, column)} r", "UPDATE")


def _holds(way: Way, rows: str) -> Iterator[str]:
    """The rows between the first and the experiment keep leading to it until the writer ends."""
    for index, hop in enumerate(way.hops, 1):
        goes_back = index < len(way.hops) and way.hops[index].is_back
        if goes_back or not hop.is_back:
            mode = "NO KEY UPDATE" if goes_back else "KEY SHARE"
            key = way.hops[index].near if goes_back else hop.far
            yield _hold(hop.to, key, f"SELECT t{index}.{key} FROM {_joined(way, index, rows)}", mode)


def _hold(table: str, key: str, keys: str, mode: str) -> str:
    return f"FROM {table} WHERE {key} IN ({keys}) ORDER BY {key} FOR {mode}"


def _keys(way: Way, rows: str) -> str:
    n = len(way.hops)
    return f"SELECT t{n}.{way.last} AS experiment FROM {_joined(way, n, rows)}"


def _joined(way: Way, upto: int, rows: str) -> str:
    steps = enumerate(way.hops[:upto], 1)
    return f"{rows} t0" + "".join(f" JOIN {h.to} t{n} ON t{n}.{h.far} = t{n - 1}.{h.near}" for n, h in steps)


def install(connection: Any, found: Iterable[Model]) -> None:
    """Have the tables of ``found`` kept, and none that is exempt by now (run after each migrate, as the tables' owner)."""
    made = statements(found)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc('experiments_refuse_closed') IS NOT NULL")
        if not cursor.fetchone()[0]:  # migrated to before 0004
            return
        for statement in made:
            cursor.execute(statement)
        cursor.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE starts_with(tgname, %s) AND NOT tgisinternal",
            [PREFIX],
        )
        kept = {each.table for each in kept_tables(found)}
        for trigger, table in cursor.fetchall():
            if table not in kept:
                cursor.execute(f"DROP TRIGGER {trigger} ON {table}")
