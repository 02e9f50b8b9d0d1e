"""What the database must be and must refuse, asked by ``manage.py check --database default`` and before each migration."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

OLDEST_POSTGRES = 15
# Each row is a power with which the role that runs the program could forge or switch off the trail.
POWERS = """
SELECT 'is a superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT 'may create roles' FROM pg_roles WHERE rolname = current_user AND rolcreaterole AND NOT rolsuper
UNION ALL
SELECT 'owns ' || count(*) || CASE count(*) WHEN 1 THEN ' table' ELSE ' tables' END || ', among them ' || min(relname)
FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user) HAVING count(*) > 0
UNION ALL
SELECT 'may act as ' || rolname FROM pg_roles
WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')
AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper)
AND (rolsuper OR oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace))
UNION ALL
SELECT 'may create tables in the schema public' WHERE has_schema_privilege('public', 'CREATE')
UNION ALL
SELECT 'may truncate or add triggers to ' || min(relname) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
AND has_table_privilege(oid, 'TRUNCATE, TRIGGER') HAVING count(*) > 0
UNION ALL
SELECT 'may write into ' || relname FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
AND relname IN ('labdb_trailstatement', 'labdb_trailentry') AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE')
"""


def register_all() -> None:
    register(is_new_enough, Tags.database)
    register(cannot_forge_the_trail, Tags.database, deploy=True)


def is_new_enough(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """An error where the server is older than what the tables need."""
    del kwargs
    found: list[CheckMessage] = []
    for alias in databases or ():
        server: Any = connections[alias]
        version = server.pg_version // 10_000
        if version < OLDEST_POSTGRES:
            message = (
                f"The PostgreSQL server of the database {alias!r} has version {version}, the oldest that will do is "
                f"{OLDEST_POSTGRES}."
            )
            hint = "Move the database to a newer server (pg_dump, pg_restore) and point DATABASE_URL to it."
            found.append(Error(message, hint=hint, id="labdb.E001"))
    return found


def cannot_forge_the_trail(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A warning that names every power over the tables that the role of DATABASE_URL has and must not have."""
    del kwargs
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(POWERS)
            rows = cursor.fetchall()
            cursor.execute("SELECT current_user")
            role = cursor.fetchone()[0]
        if rows:
            powers = "; ".join(power for (power,) in rows)
            found.append(
                Warning(
                    f"The role {role!r}, which runs the program, has powers with which it could forge the trail: {powers}.",
                    hint="Make the two roles with deploy/roles.sql: DATABASE_URL for labdb_app, DATABASE_OWNER_URL for "
                    "labdb_owner, which migrates and owns the tables.",
                    id="labdb.W001",
                )
            )
    return found
