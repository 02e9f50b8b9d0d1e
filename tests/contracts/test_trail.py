"""The trail holds every change of every table, by every way in which rows are written, and nothing else.

The tables are found by walking the models (and the catalogue, so that none is forgotten), the ways stand in
``trail_paths.py``. What a trail without one of its parts would miss is tried as well.
"""

import pytest
from django.db import IntegrityError, connection, transaction

from labdb.base.models import User
from labdb.base.trail.install import OUTSIDE
from tests.contracts import trail_paths
from tests.contracts.trail_paths import OF_NO_MODEL, declared_tables, faults, prepare, table_names, ways

TABLES = declared_tables()
CELLS = {table: [name for name, _, _ in ways(table not in OF_NO_MODEL)] for table in TABLES}


@pytest.fixture
def person(experiment, animals):
    return User.objects.create_user("writer")


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLES)
def test_every_way_of_writing_is_told_as_it_was(name, person):
    table = prepare(name, {})
    found = {way_name: faults(table, way, there, person) for way_name, way, there in ways(table.model is not None)}
    assert list(found) == CELLS[name]
    assert {way: told for way, told in found.items() if told} == {}


@pytest.mark.django_db
def test_no_table_is_without_a_trail():
    assert table_names() == TABLES
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname LIKE 'labdb\\_trail%' AND t.tgenabled = 'A' AND t.tgname <> 'labdb_trail_guard' GROUP BY 1"
        )
        assert dict(cursor.fetchall()) == dict.fromkeys(TABLES, 5)
    assert all(OUTSIDE.values())


def test_the_cells_are_counted(record_property, capsys):
    count = sum(map(len, CELLS.values()))
    record_property("trail_cells", count)
    with capsys.disabled():
        print(f"\ntrail: {len(TABLES)} tables, {count} cells of table and way; outside: {', '.join(OUTSIDE)}")
    assert count > 1000


@pytest.mark.django_db
@pytest.mark.parametrize("name", TABLES)
def test_primary_keys_stay(name, person):
    table = prepare(name, {})
    trail_paths.add(table)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{table.key}" FROM {table.sql} WHERE {table.where} LIMIT 1')
        (key,) = cursor.fetchone()
    other = {int: "999999999", str: "'another'"}.get(type(key), "gen_random_uuid()")
    said = (
        "" if name in trail_paths.NEVER_CHANGED else "primary key of a row never changes"
    )  # another rule may come first
    with pytest.raises(IntegrityError, match=said), transaction.atomic():
        trail_paths._run(f'UPDATE {table.sql} SET "{table.key}" = {other} WHERE "{table.key}" = %s', [key])
