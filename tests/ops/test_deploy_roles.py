"""deploy/roles.sql on real servers: what each role can do, and that the check tells where it was not used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from labdb.base import checks
from labdb.supervisor import Postgres, binaries, start_postgres
from labdb.supervisor.cluster import ADMIN
from labdb.supervisor.state import PROJECT
from tests.ops.trees import clean_environment

SERVERS = {
    f"{major}": place
    for place in binaries._postgres_places()
    if (place / "psql").is_file() and (major := binaries.postgres_major(place / "postgres") or 0) >= 15
}
OWNER, APP = "it's the owner's", 'the "app" \\ %'
FORBIDDEN = """
    CREATE TABLE mine (id integer)
    CREATE SCHEMA mine
    CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'
    CREATE TRIGGER mine BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
    CREATE ROLE mine
    DROP TABLE kept
    TRUNCATE kept
    ALTER TABLE kept ADD COLUMN more text
    ALTER TABLE kept DISABLE TRIGGER ALL
    ALTER TABLE kept OWNER TO labdb_app
    SET session_replication_role = 'replica'
    SET ROLE labdb_owner
    SET SESSION AUTHORIZATION labdb_owner
    ALTER ROLE labdb_owner PASSWORD 'guess'
    SELECT rolpassword FROM pg_authid
    SELECT pg_read_file('PG_VERSION')
    COPY kept TO PROGRAM 'cat'
"""
FORGERY = """
    INSERT INTO labdb_trailentry DEFAULT VALUES
    UPDATE labdb_trailentry SET new = NULL
    DELETE FROM labdb_trailentry
    INSERT INTO labdb_trailstatement DEFAULT VALUES
    UPDATE labdb_trailstatement SET person_id = NULL
    DELETE FROM labdb_trailstatement
    TRUNCATE labdb_trailstatement, labdb_trailentry
    ALTER TABLE experiments_strain DISABLE TRIGGER USER
"""


class Server:
    """A PostgreSQL that knows nothing of the program, as an operator meets it."""

    def __init__(self, cluster: Postgres, programs: Path) -> None:
        self.cluster, self.programs = cluster, programs

    def psql(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        place = {"PGHOST": self.cluster.host, "PGPORT": str(self.cluster.port), "PGDATABASE": "postgres"}
        who = {"PGUSER": ADMIN, "PGPASSWORD": self.cluster.passwords[ADMIN], "PATH": os.environ["PATH"]}
        command = [str(self.programs / "psql"), "-X", "-q", *words]
        return subprocess.run(command, env=place | who | environment, capture_output=True, text=True, check=False)

    def make_roles(self, owner: str = OWNER, app: str = APP) -> None:
        passwords = {"LABDB_OWNER_PASSWORD": owner, "LABDB_APP_PASSWORD": app}
        answer = self.psql("-f", str(PROJECT / "deploy" / "roles.sql"), **passwords)
        assert (answer.returncode, answer.stderr) == (0, "")

    def connect(self, role: str, password: str) -> psycopg.Connection:
        place = {"host": self.cluster.host, "port": self.cluster.port, "dbname": "labdb"}
        return psycopg.connect(**place, user=role, password=password, autocommit=True)

    def app(self) -> psycopg.Connection:
        return self.connect("labdb_app", APP)

    def owner(self) -> psycopg.Connection:
        return self.connect("labdb_owner", OWNER)

    def manage(self, tmp_path: Path, *words: str, as_owner: bool = False) -> subprocess.CompletedProcess[str]:
        """``manage.py`` in production, with the URLs of this server; ``as_owner`` runs the program as the wrong role."""
        place = f"@/labdb?host={quote(self.cluster.host, safe='/')}&port={self.cluster.port}"
        owner = f"postgresql://labdb_owner:{quote(OWNER, safe='')}{place}"
        app = f"postgresql://labdb_app:{quote(APP, safe='')}{place}"
        given = filled_in(DATABASE_URL=app, DATABASE_OWNER_URL=owner, LABDB_FILES_DIR=str(tmp_path / "files"))
        given |= {"LABDB_DATABASE_ROLE": "owner"} if as_owner else {}
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=clean_environment(tmp_path / "var", tmp_path) | given | {"LABDB_VAR": str(tmp_path / "var")},
            capture_output=True,
            text=True,
            check=False,
        )


def filled_in(**values: str) -> dict[str, str]:
    """deploy/env.example as an operator leaves it: what stands there, with the secret and these values."""
    lines = (PROJECT / "deploy" / "env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and line[0].isupper())
    return given | {"SECRET_KEY": "k3-Zt9_wQx7LmV2bNc8RfYh4JpSd6GaUe1TiOo5KvXzBqWlMnE0rPy"} | values


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    programs = SERVERS[request.param]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binaries, "postgres_bin", lambda: programs)
        cluster = start_postgres(tmp_path_factory.mktemp("pg") / "postgres", fsync=False)
        bare = Server(cluster, programs)
        try:
            bare.psql("-c", "DROP DATABASE labdb", "-c", "DROP ROLE labdb_app", "-c", "DROP ROLE labdb_owner")
            bare.make_roles()
            yield bare
        finally:
            cluster.stop()


def refused(connection: psycopg.Connection, statements: str) -> None:
    done = []
    for statement in filter(None, map(str.strip, statements.splitlines())):
        try:
            connection.execute(statement)  # type: ignore[call-overload]
            done.append(statement)
        except psycopg.errors.InsufficientPrivilege:
            connection.execute("RESET ALL")
    assert not done, f"the application's role could: {done}"


def test_the_owner_makes_tables_and_the_application_fills_them(server: Server) -> None:
    with server.owner() as owner:
        owner.execute("CREATE TABLE kept (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text)")
        owner.execute("CREATE SEQUENCE counter")
    with server.app() as app:
        app.execute("INSERT INTO kept (word) VALUES ('a')")
        app.execute("UPDATE kept SET word = upper(word)")
        app.execute("CREATE TEMP TABLE scratch (id integer)")
        assert app.execute("SELECT nextval('counter'), word FROM kept").fetchall() == [(1, "A")]
        refused(app, FORBIDDEN)
        own = app.execute("SELECT relname FROM pg_class WHERE relowner = 'labdb_app'::regrole AND relname !~ 'scratch'")
        assert own.fetchall() == []
    with server.owner() as owner:
        owner.execute("DROP TABLE kept")
        owner.execute("DROP SEQUENCE counter")


def test_running_it_again_changes_nothing_but_the_passwords(server: Server) -> None:
    with server.owner() as owner:
        owner.execute("CREATE TABLE closed (id integer)")
        owner.execute("REVOKE INSERT ON closed FROM labdb_app")
    server.make_roles(app="another one")
    with pytest.raises(psycopg.OperationalError):
        server.app()
    with server.connect("labdb_app", "another one") as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("INSERT INTO closed VALUES (1)")
    server.make_roles()
    with server.owner() as owner:
        owner.execute("DROP TABLE closed")


def test_without_a_password_nothing_is_made(server: Server) -> None:
    answer = server.psql("-f", str(PROJECT / "deploy" / "roles.sql"), LABDB_OWNER_PASSWORD="x")
    assert answer.returncode != 0
    assert "LABDB_APP_PASSWORD" in answer.stderr
    server.owner().close()


def test_other_roles_of_the_server_stay_outside(server: Server) -> None:
    assert server.psql("-c", "CREATE ROLE stranger LOGIN PASSWORD 'pw'").returncode == 0
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        server.connect("stranger", "pw")
    server.psql("-c", "DROP ROLE stranger")


@pytest.mark.parametrize("server", [min(SERVERS)], indirect=True)
def test_the_installed_program_can_be_run_but_not_forge_its_trail(server: Server, tmp_path: Path) -> None:
    migrated = server.manage(tmp_path, "migrate", "--noinput", "-v", "0")
    assert migrated.returncode == 0, migrated.stderr
    with server.app() as app:
        refused(app, FORGERY)
        # a table of one's own in front of the real one catches nothing
        app.execute("CREATE TEMP TABLE labdb_trailentry AS SELECT * FROM public.labdb_trailentry LIMIT 0")
        app.execute("CREATE TEMP TABLE labdb_trailstatement AS SELECT * FROM public.labdb_trailstatement LIMIT 0")
        before = _count(app)
        app.execute(
            "INSERT INTO experiments_strain (id, name, species, mgi_id, rrid) VALUES (gen_random_uuid(), 'X', 'mouse', '', '')"
        )
        assert _count(app) == before + 1
        assert app.execute("SELECT count(*) FROM pg_temp.labdb_trailentry").fetchone() == (0,)
        powers = "TRUNCATE, REFERENCES, TRIGGER"
        more = app.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            f" AND (has_table_privilege(oid, '{powers}') OR relowner = 'labdb_app'::regrole)"
        )
        assert more.fetchall() == []
    right = server.manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", "--database", "default")
    assert (right.returncode, right.stderr) == (0, ""), right.stderr
    assert "no issues" in right.stdout
    wrong = server.manage(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING", "--database", "default", as_owner=True
    )
    assert wrong.returncode == 1
    for words in ("labdb.W001", "'labdb_owner', which runs the program", "tables, among them", "labdb_trailentry"):
        assert words in wrong.stderr


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM public.labdb_trailentry").fetchone()
    assert row
    return int(row[0])


def test_an_old_server_is_refused(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.is_new_enough(["default"]) == []
    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    (error,) = checks.is_new_enough(["default"])
    assert error.is_serious()
    assert "the oldest that will do is 99" in error.msg
