"""Every table whose rows lead to an experiment × every way of writing: once it is closed, the database refuses.

Nothing is listed: tables are found by walking the models. For each, a row of the closed experiment, one that could be
added to it, and one of an open experiment are made of the model's own fields (``rows.py``).
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError, Value
from django.db.models.functions import Concat
from django.test.utils import isolate_apps

from experiments.locks import Kept, install, kept_tables, paths_of, statements
from experiments.models import (
    Animal,
    Enrolment,
    Experiment,
    ExperimentLock,
    Housing,
    IsolationBatch,
    Lot,
    Observation,
    SourceFile,
    StockUse,
)
from labdb.base.access import LAB_WIDE
from labdb.base.errors import ExperimentLocked, validation_error
from labdb.base.models import User, ValidatedModel
from tests.contracts.rows import make_rows, make_values
from tests.services import with_database

EVERY = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
KEPT = {kept.table: kept for kept in kept_tables(EVERY.values())}
# What describes the record, or is computed from it, and goes on while an experiment is closed.
STAYS_OPEN = {
    *("Membership", "Job", "OutcomeSummary", "Estimate", "Report", "ReportSchedule", "ExperimentLock"),
    "NoteMention",  # a note of it is still read
    "Alert",  # a recall reaches animals of experiments that were closed since
}
FIXED_ANYWAY = {  # whether its experiment is closed or not
    "assays_publication": "assay_publication_fixed",
    "experiments_stockmovement": "stock_movement_kept",
}


def test_every_model_is_kept_or_lab_wide_or_says_that_it_stays_open():
    models_of_rows = [m for m in EVERY.values() if issubclass(m, ValidatedModel) and not m._meta.abstract]
    exempt = {m.__name__ for m in models_of_rows if m.stays_open}
    assert exempt == STAYS_OPEN
    without = {m.__name__ for m in models_of_rows if m._meta.db_table not in KEPT} - exempt
    elsewhere = {m.__name__ for m in models_of_rows if m.experiment_path == LAB_WIDE or m.experiment_path[0] == "@"}
    assert without <= elsewhere


@dataclass
class Case:
    """A table while the experiment is closed. ``row``: one of its rows; ``new``: one that could be added to it;
    ``elsewhere``: one of an open experiment; ``moved``: where a row of the open experiment could refer to."""

    kept: Kept
    model: type[models.Model]
    row: Any
    new: dict | None
    elsewhere: Any
    moved: dict | None

    @property
    def column(self) -> str:
        """A column that is not to change."""
        fields = self.model._meta.local_concrete_fields
        texts = [f for f in fields if type(f) in (models.CharField, models.TextField) and not f.choices]
        return next(f.column for f in texts if f'"{f.column}"' not in self.kept.open_columns)

    @property
    def set(self) -> str:
        if self.kept.open_columns:
            return f'"{self.column}" = "{self.column}" || \'x\''
        return f"{self.kept.key} = {self.kept.key}"

    @property
    def changed(self) -> dict[str, Any]:
        if self.kept.open_columns:
            return {self.column: Concat(F(self.column), Value("x"))}
        field = next(f for f in self.model._meta.local_concrete_fields if not f.primary_key)
        return {field.attname: F(field.attname)}

    @property
    def objects(self) -> Any:
        return self.model._base_manager.filter(pk=self.row.pk)


class World(dict):
    """The shared rows of one experiment: each is made when it is asked for, none is taken from another one."""

    def __contains__(self, model: object) -> bool:
        return True

    def __missing__(self, model: type[models.Model]) -> models.Model:
        (self[model],) = make_rows(model, 1, self)
        return self[model]


def world(code: str) -> World:
    known = World({User: User.objects.create(username=code)})
    known[Experiment] = Experiment.objects.create(code=code, title=code)
    known[SourceFile] = SourceFile(experiment=known[Experiment], sha256="0" * 63 + code[-1], name=code, size_bytes=1)
    known[SourceFile].uploaded_by = known[User]
    known[SourceFile].save()
    known[Enrolment] = Enrolment.objects.create(experiment=known[Experiment], animal=known[Animal])
    for model in (Housing, Observation):  # by which cages and endpoints are used
        assert known[model]
    for used in ({"lot": known[Lot]}, {"batch": known[IsolationBatch]}):
        StockUse.objects.create(experiment=known[Experiment], **used)
    return known


def two_of(model: type[models.Model], known: World) -> list[dict[str, Any]]:
    """Values of two rows of the experiment, neither of which is there."""
    made = make_values(model, 2, known)
    for values in made:
        for field in model._meta.local_concrete_fields:  # what may be in no experiment is in this one
            if field.is_relation and field.related_model is Experiment:
                values[field.name] = known[Experiment]
        if model is not Enrolment and values.get("animal") and not values["animal"].enrolments.exists():
            Enrolment.objects.create(experiment=known[Experiment], animal=values["animal"])
    return made


def make_case(kept: Kept) -> Case:
    model = EVERY[kept.table]
    one, other = world("CLOSED-1"), world("OPEN-2")
    is_led = not kept.ways[0].hops or not kept.ways[0].hops[0].is_back  # a new row leads to the experiment by itself
    is_led = is_led and model is not Experiment
    if is_led:
        (row, new), (elsewhere, moved) = (row_and_another(model, known) for known in (one, other))
    else:
        way = next(path for path in paths_of(model))
        found = model._base_manager.filter(**({"pk" if way == "self" else way: one[Experiment].pk})).first()
        row, elsewhere, new, moved = found, other.get(model), None, None
    ExperimentLock.objects.bulk_create([ExperimentLock(experiment=one[Experiment], closed_by=one[User], reason="done")])
    assert row is not None
    return Case(kept, model, row, new, elsewhere, moved)


def row_and_another(model: type[models.Model], known: World) -> tuple[Any, dict]:
    """A row of the experiment, and one as JSON that is not there but whose related rows are."""
    first, second = two_of(model, known)
    row = model._base_manager.create(**first)
    savepoint = transaction.savepoint()
    made = model._base_manager.create(**second)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT to_jsonb(t)::text FROM "{model._meta.db_table}" t WHERE id = %s', [made.pk])
        told = json.loads(cursor.fetchone()[0])
    transaction.savepoint_rollback(savepoint)
    return row, told


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def relations(case: Case) -> str:
    """The columns by which a row may lead to another experiment."""
    return ", ".join(f'"{f.column}"' for f in case.model._meta.local_concrete_fields if f.is_relation)


def as_object(case: Case) -> models.Model:
    fields = {f.column: f for f in case.model._meta.local_concrete_fields}
    return case.model(**{fields[c].attname: fields[c].to_python(v) for c, v in case.new.items()})


def record(case: Case) -> str:
    return f"(jsonb_populate_record(NULL::{case.kept.table}, %s::jsonb)).*"


def copy_rows(case: Case) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {record(case)}", [json.dumps(case.new)])
        names, row = [d.name for d in cursor.description], cursor.fetchone()
        arrays = {f.column for f in case.model._meta.local_concrete_fields if isinstance(f, ArrayField)}
        pairs = zip(names, row, strict=True)
        row = [json.dumps(v) if isinstance(v, (dict, list)) and name not in arrays else v for name, v in pairs]
        columns = ", ".join(f'"{name}"' for name in names)
        with connection.wrap_database_errors, cursor.copy(f"COPY {case.kept.table} ({columns}) FROM STDIN") as copy:
            copy.write_row(row)


def bulk_update(case: Case) -> None:
    (row,) = case.objects
    (name,) = case.changed
    if case.kept.open_columns:
        setattr(row, name, f"{getattr(row, name)}x")
    field = next(f for f in case.model._meta.local_concrete_fields if name in (f.name, f.attname))
    case.model._base_manager.bulk_update([row], [field.name])


def save_again(case: Case) -> None:
    (row,) = case.objects
    if case.kept.open_columns:
        setattr(row, case.column, f"{getattr(row, case.column)}x")
    row.save_base()


def insert_on_conflict(case: Case) -> None:
    """The row that is there, given once more."""
    old = f"SELECT * FROM {case.kept.table} WHERE id = %s"
    own = (
        case.set.replace(f'"{case.column}" ||', f'{case.kept.table}."{case.column}" ||')
        if case.kept.open_columns
        else (f"{case.kept.key} = EXCLUDED.{case.kept.key}")
    )
    sql(f"INSERT INTO {case.kept.table} {old} ON CONFLICT (id) DO UPDATE SET {own}", case.row.pk)


def move(case: Case, row: Any, to: dict) -> None:
    columns = relations(case)
    values = f"SELECT {columns} FROM jsonb_populate_record(NULL::{case.kept.table}, %s::jsonb)"
    sql(f"UPDATE {case.kept.table} SET ({columns}) = ({values}) WHERE id = %s", json.dumps(to), row.pk)


ADDING: dict[str, Callable[[Case], Any]] = {
    "insert": lambda c: sql(f"INSERT INTO {c.kept.table} SELECT {record(c)}", json.dumps(c.new)),
    "insert by a CTE": lambda c: sql(
        f"WITH made AS (INSERT INTO {c.kept.table} SELECT {record(c)} RETURNING 1) SELECT count(*) FROM made",
        json.dumps(c.new),
    ),
    "copy": copy_rows,
    "bulk_create": lambda c: c.model._base_manager.bulk_create([as_object(c)]),
    "bulk_create, conflicts ignored": lambda c: c.model._base_manager.bulk_create(
        [as_object(c)], ignore_conflicts=True
    ),
    "save": lambda c: as_object(c).save_base(force_insert=True),
    "move in": lambda c: move(c, c.elsewhere, c.new),
    "move out": lambda c: move(c, c.row, c.moved),
}
CHANGING: dict[str, Callable[[Case], Any]] = {
    "update": lambda c: sql(f"UPDATE {c.kept.table} SET {c.set} WHERE id = %s", c.row.pk),
    "update of all": lambda c: sql(f"UPDATE {c.kept.table} SET {c.set}"),
    "update()": lambda c: c.objects.update(**c.changed),
    "bulk_update": bulk_update,
    "save again": save_again,
    "on conflict": insert_on_conflict,
    "merge": lambda c: sql(
        f"MERGE INTO {c.kept.table} t USING (SELECT %s::uuid AS own) s ON t.id = s.own"
        f" WHEN MATCHED THEN UPDATE SET {c.set.replace('= ' + chr(34), '= t.' + chr(34))}",
        c.row.pk,
    ),
    "delete": lambda c: sql(f"DELETE FROM {c.kept.table} WHERE id = %s", c.row.pk),
    "delete of all": lambda c: sql(f"DELETE FROM {c.kept.table}"),
    "delete()": lambda c: c.objects.delete(),
    "_raw_delete": lambda c: c.objects._raw_delete("default"),
}


def ways(case: Case) -> Iterator[tuple[str, Callable[[Case], Any]]]:
    if case.new is not None:
        yield from ADDING.items()
    yield from CHANGING.items()


def refusal(case: Case, way: Callable[[Case], Any]) -> str:
    """Name of the constraint that refused; what happened instead where nothing did."""
    try:
        with transaction.atomic():
            way(case)
            transaction.set_rollback(True)
    except ProtectedError:
        return "PROTECT"
    except IntegrityError as error:
        diagnosis = error.__cause__.diag
        if diagnosis.constraint_name == "experiment_locked":
            assert isinstance(validation_error(error), ExperimentLocked)
            assert (diagnosis.sqlstate, "CLOSED-1" in diagnosis.message_primary) == ("23514", True)
        return diagnosis.constraint_name or str(error)
    return "written"


@pytest.mark.parametrize("table", sorted(KEPT))
@pytest.mark.django_db
def test_no_way_leads_into_a_closed_experiment(table):
    case = make_case(KEPT[table])
    told = {name: refusal(case, way) for name, way in ways(case)}
    assert len(told) == len(CHANGING) + (len(ADDING) if case.new is not None else 0)
    slipped = {name: how for name, how in told.items() if how != "experiment_locked"}
    for name, how in list(slipped.items()):
        is_delete_of_django = name == "delete()" and how == "PROTECT"  # refused before the database is asked
        is_referred_to = name == "delete of all" and how not in ("written", "PROTECT")  # by a key that is asked first
        is_fixed = FIXED_ANYWAY.get(table) == how and (name in CHANGING or name.startswith("move"))
        if is_delete_of_django or is_referred_to or is_fixed:
            del slipped[name]
    assert not slipped


def test_the_roles_that_own_the_tables_are_refused_too(committed_db):
    with transaction.atomic():
        case = make_case(KEPT["experiments_arm"])
    for url in (os.environ["DATABASE_OWNER_URL"], os.environ["LABDB_TEST_ADMIN_URL"]):
        with psycopg.connect(with_database(url, urlsplit(committed_db).path[1:])) as role:
            for table in KEPT:
                with pytest.raises(psycopg.errors.CheckViolation, match="CLOSED-1 was closed"), role.transaction():
                    role.execute(f"TRUNCATE {table} CASCADE")
            for way in (f"UPDATE experiments_arm SET {case.set}", "DELETE FROM experiments_arm"):
                with pytest.raises(psycopg.errors.CheckViolation, match="CLOSED-1 was closed"), role.transaction():
                    role.execute(way)


def test_without_its_trigger_a_table_is_written(committed_db):
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("DROP TRIGGER keep_closed_update ON experiments_arm")
    with transaction.atomic():
        case = make_case(KEPT["experiments_arm"])
        assert refusal(case, CHANGING["update"]) == "written"
        assert refusal(case, CHANGING["delete"]) == "experiment_locked"
        transaction.set_rollback(True)


def test_a_model_that_says_so_from_now_on_is_written(committed_db, monkeypatch):
    monkeypatch.setattr(EVERY["experiments_disposition"], "stays_open", True)
    owner = urlsplit(os.environ["DATABASE_OWNER_URL"])
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "USER", owner.username)
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", unquote(owner.password or ""))
    install(connection, [model for model in EVERY.values() if model._meta.managed])
    with transaction.atomic():
        case = make_case(KEPT["experiments_disposition"])
        assert refusal(case, CHANGING["update"]) == "written"
        transaction.set_rollback(True)
    connection.close()


@isolate_apps()
def test_a_new_model_and_its_many_to_many_relation_join_without_a_line():
    class Diary(ValidatedModel):
        experiment_path = "animal__enrolments__experiment"
        animal = models.ForeignKey(Animal, models.PROTECT, related_name="+")
        arms = models.ManyToManyField(EVERY["experiments_arm"], related_name="+")

        class Meta:
            app_label = "experiments"

    found = kept_tables([Diary, Diary.arms.through])
    assert [kept.table for kept in found] == ["experiments_diary", "experiments_diary_arms"]
    assert [[hop.to for hop in way.hops] for way in found[1].ways] == [
        ["experiments_diary", "experiments_animal", "experiments_enrolment"],
        ["experiments_arm"],
    ]
    made = "\n".join(statements([*EVERY.values(), Diary, Diary.arms.through]))
    for event in ("insert", "update", "delete"):
        assert f"CREATE OR REPLACE TRIGGER keep_closed_{event} AFTER {event.upper()} ON experiments_diary_arms" in made


def test_a_way_over_a_table_that_stays_open_is_refused_at_installation(monkeypatch):
    monkeypatch.setattr(EVERY["assays_assayrun"], "stays_open", True)
    with pytest.raises(ImproperlyConfigured, match="assays_assayrun, which stays open"):
        statements(EVERY.values())
