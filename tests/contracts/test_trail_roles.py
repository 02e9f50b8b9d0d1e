"""What nobody can do to the trail: the application's role anything, its owner not without leaving the tables' rules;
and what a trail without one of its parts misses, so that the coverage means something."""

import os

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from experiments.models import Strain
from labdb.base.models import User
from labdb.base.postgresql import cursors
from labdb.base.trail import sql, version_of, versions_of
from labdb.base.trail.models import TrailEntry, TrailStatement
from tests.contracts.trail_paths import declared_tables, faults, prepare, ways

FORGERIES = {
    "insert": "INSERT INTO labdb_trailentry (statement_id, table_name, row_id) VALUES (1, 'x', 'y')",
    "insert a statement": "INSERT INTO labdb_trailstatement (id, at, table_name, action, db_role, door, reason, transaction_id)"
    " VALUES (-1, now(), 'x', 'I', 'x', '', '', 1)",
    "update": "UPDATE labdb_trailentry SET new = NULL",
    "update a statement": "UPDATE labdb_trailstatement SET reason = 'another'",
    "delete": "DELETE FROM labdb_trailentry",
    "delete statements": "DELETE FROM labdb_trailstatement",
    "truncate": "TRUNCATE labdb_trailentry",
    "copy": "COPY labdb_trailentry FROM STDIN",
    "take ids": "SELECT nextval('labdb_trailentry_id_seq')",
    "set ids back": "SELECT setval('labdb_trailentry_id_seq', 1)",
    "disable a trigger": "ALTER TABLE experiments_strain DISABLE TRIGGER labdb_trail_update",
    "drop a trigger": "DROP TRIGGER labdb_trail_update ON experiments_strain",
    "be a replica": "SET session_replication_role = replica",
    "call the function": "SELECT labdb_trail_write()",
    "replace the function": "CREATE OR REPLACE FUNCTION labdb_trail_write() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NULL; END $$",
    "hang it on a table of one's own": "CREATE TEMP TABLE experiments_strain (id uuid);"
    " CREATE TRIGGER forged AFTER INSERT ON pg_temp.experiments_strain FOR EACH STATEMENT EXECUTE FUNCTION"
    " public.labdb_trail_write('INSERT INTO public.labdb_trailentry (statement_id, table_name, row_id)"
    " VALUES ($1, ''x'', ''y'')')",
    "truncate a table": "TRUNCATE experiments_strain CASCADE",
    "become the owner": "SET ROLE labdb_owner",
}


@pytest.mark.django_db
@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_application_cannot_forge(forgery):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(os.environ["DATABASE_URL"]) as app:
        app.execute(FORGERIES[forgery])


@pytest.mark.django_db
def test_a_temporary_table_fools_nobody():
    before = TrailEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE labdb_trailentry (LIKE public.labdb_trailentry) ON COMMIT DROP")
        cursor.execute("CREATE TEMP TABLE labdb_trailstatement (LIKE public.labdb_trailstatement) ON COMMIT DROP")
        cursor.execute("CREATE TEMP TABLE new_rows (id uuid) ON COMMIT DROP")
        cursor.execute("SET LOCAL search_path = pg_temp, public")
        cursor.execute(
            "INSERT INTO public.experiments_strain (id, name, species, mgi_id, rrid)"
            " VALUES (gen_random_uuid(), 'x', 'mouse', '', '')"
        )
        cursor.execute("SELECT count(*) FROM pg_temp.labdb_trailentry")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM public.labdb_trailentry")
        assert cursor.fetchone() == (before + 1,)


@pytest.fixture
def owner(committed_db):
    """The owner's connection to a database of this test's own."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as as_owner:
        yield as_owner


GUARDED = ("UPDATE {} SET table_name = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE")


@pytest.mark.parametrize("statement", GUARDED)
def test_the_owner_does_not_change_the_trail_by_mistake(statement, owner):
    for table in (sql.STATEMENTS, sql.ENTRIES):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only added to"):
            owner.execute(statement.format(table))


def _migrate() -> None:
    """As ``manage.py migrate`` does, in this process: with the owner's role."""
    from labdb.env import database_settings

    settings = connections["default"].settings_dict
    app = {name: settings[name] for name in ("USER", "PASSWORD")}
    connection.close()
    settings |= {name: database_settings(os.environ["DATABASE_OWNER_URL"])[name] for name in app}
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        settings |= app


def test_what_the_owner_switches_off_the_next_migrate_puts_back_and_tells(owner):
    kept, strain = (Strain(name=name) for name in ("kept", "changed unseen"))
    kept.save()
    strain.save()
    version = version_of(strain)
    owner.execute("ALTER TABLE experiments_strain DISABLE TRIGGER labdb_trail_update")
    Strain.objects.filter(pk=strain.pk).update(name="unseen")
    assert version_of(strain) == version
    _migrate()
    last = TrailEntry.objects.of_row(Strain, strain.pk).select_related("statement").first()
    assert (last.statement.action, last.statement.db_role, last.new["name"]) == ("B", "labdb_owner", "unseen")
    Strain.objects.filter(pk=strain.pk).update(name="seen")
    assert TrailEntry.objects.of_row(Strain, strain.pk).first().old == {"name": "unseen"}
    entries = TrailEntry.objects.count()
    _migrate()
    assert TrailEntry.objects.count() == entries


def test_rows_from_before_the_trail_have_a_version(owner):
    """The state that an upgrade finds: rows, and no triggers."""
    owner.execute(
        "ALTER TABLE labdb_trailentry DISABLE TRIGGER USER; ALTER TABLE labdb_trailstatement DISABLE TRIGGER USER"
    )
    owner.execute("DROP FUNCTION labdb_trail_write() CASCADE")
    rows = [Strain(name=f"strain {number}") for number in range(3)]
    Strain.objects.bulk_create(rows)
    assert versions_of(Strain, [row.pk for row in rows]) == {}
    _migrate()
    assert len(versions_of(Strain, [row.pk for row in rows])) == 3
    assert TrailStatement.objects.get(table_name="experiments_strain").action == "B"


def test_an_emptied_table_tells_its_rows(owner):
    Strain(name="one").save()
    Strain(name="two").save()
    rows = {str(pk) for pk in Strain.objects.values_list("pk", flat=True)}
    owner.execute("ALTER TABLE experiments_animal DISABLE TRIGGER USER")
    try:
        owner.execute("TRUNCATE experiments_strain CASCADE")
    except psycopg.errors.DatabaseError as refused:  # closed experiments keep their rows
        pytest.skip(str(refused))
    told = TrailEntry.objects.filter(table_name="experiments_strain", statement__action="T")
    assert {entry.row_id for entry in told} == rows
    assert {entry.old["name"] for entry in told} == {"one", "two"}


def test_grants_to_others_are_taken_back(owner):
    owner.execute("GRANT ALL ON labdb_trailentry TO labdb_app; GRANT UPDATE (reason) ON labdb_trailstatement TO PUBLIC")
    _migrate()
    rights = owner.execute(
        "SELECT has_any_column_privilege('labdb_app', t, 'INSERT, UPDATE'),"
        " has_table_privilege('labdb_app', t, 'DELETE, TRUNCATE'),"
        " has_table_privilege('labdb_app', t, 'SELECT') FROM unnest(ARRAY['labdb_trailentry', 'labdb_trailstatement']) t"
    ).fetchall()
    assert rights == [(False, False, True)] * 2


@pytest.fixture
def coverage(committed_db):
    """Coverage of one table in a database of its own: way → faults."""
    person = User.objects.create_user("writer")

    def run(name="experiments_strain"):
        with transaction.atomic():
            table = prepare(name, {})
            found = {way_name: faults(table, way, there, person) for way_name, way, there in ways(True)}
            transaction.set_rollback(True)
        return {way: told for way, told in found.items() if told}

    assert run() == {}
    return run


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("DROP TRIGGER labdb_trail_insert ON experiments_strain", "COPY"),
        ("ALTER TABLE experiments_strain DISABLE TRIGGER labdb_trail_update", "QuerySet.update"),
        ("ALTER TABLE experiments_strain DISABLE TRIGGER labdb_trail_delete", "WITH … DELETE"),
        ("ALTER FUNCTION labdb_trail_write() SECURITY INVOKER", None),
    ],
)
def test_without_a_part_of_it_the_coverage_has_holes(statement, missing, coverage):
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(statement)
    if missing is None:  # the application's role may not write the trail, so nothing is written at all
        with pytest.raises(Exception, match="permission denied"):
            coverage()
    else:
        assert missing in coverage()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("AS changed\n", "|| ARRAY['rrid'] AS changed\n"),  # tells too much
        ("IS DISTINCT FROM (o.v -> e.key)::text", "IS DISTINCT FROM (o.v -> e.key)::text AND e.key <> 'name'"),
    ],
)
def test_a_statement_that_tells_too_much_or_swallows_a_value(before, after, coverage, monkeypatch):
    assert before in sql._CHANGED
    monkeypatch.setattr(sql, "_CHANGED", sql._CHANGED.replace(before, after))
    _migrate()
    assert "UPDATE" in coverage()


def test_without_the_hook_of_the_connection_nobody_is_named(coverage, monkeypatch):
    monkeypatch.setattr(cursors, "may_write", lambda statement: False)
    found = coverage()
    assert {"bulk_create", "COPY", "executemany", "UPDATE", "WITH … DELETE"} <= set(found)
    assert all("by None" in " ".join(told) for told in found.values())


def test_a_hook_that_forgets_savepoints_names_the_wrong_one(db, monkeypatch):
    from tests.contracts import test_trail_people as people

    monkeypatch.setattr(cursors, "_ENDING", frozenset())
    ann, ben = (User.objects.create_user(name) for name in ("ann", "ben"))
    with pytest.raises(AssertionError):
        people.test_a_rollback_to_a_savepoint_takes_back_what_was_told(ann, ben)


def test_every_declared_table_is_there(db):
    assert set(declared_tables()) <= set(connection.introspection.table_names())
