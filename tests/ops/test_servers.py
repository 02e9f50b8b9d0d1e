"""PostgreSQL and the broker, each in its private folder."""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from labdb.supervisor import AlreadyRunning, Postgres, start_postgres, start_valkey
from labdb.supervisor.folders import socket_fits
from labdb.supervisor.process import Identity, end_orphan, write_record


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = start_postgres(tmp_path_factory.mktemp("pg") / "postgres", fsync=False)
    with psycopg.connect(server.owner_url) as connection:
        connection.execute("CREATE TABLE kept (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text)")
    yield server
    server.stop()


def test_the_application_reads_and_writes_rows(postgres: Postgres) -> None:
    with psycopg.connect(postgres.app_url) as connection:
        connection.execute("INSERT INTO kept (word) VALUES ('a')")
        connection.execute("UPDATE kept SET word = 'b'")
        assert connection.execute("SELECT word FROM kept").fetchall() == [("b",)]
        connection.execute("DELETE FROM kept")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "DROP TABLE kept",
        "TRUNCATE kept",
        "ALTER TABLE kept ADD COLUMN more text",
        "ALTER TABLE kept DISABLE TRIGGER ALL",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE labdb_owner",
    ],
)
def test_the_application_changes_no_table(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.app_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)  # type: ignore[arg-type]


def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    url = postgres.app_url.replace(postgres.passwords["labdb_app"], "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_the_cluster_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    server = start_postgres(tmp_path / "postgres")
    try:
        with psycopg.connect(server.app_url) as connection:
            shown = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]  # type: ignore[arg-type]
    finally:
        server.stop()
    assert shown == [("on",), ("on",)]


def test_text_is_utf8_and_sorted_by_code_point_on_every_machine(postgres: Postgres) -> None:
    facts = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'labdb'"
    assert postgres.sql(facts).strip().split("|")[0] == "UTF8"
    assert postgres.sql("SELECT 'Zebra' < 'apple'", "labdb").strip() == "t"


def test_only_the_user_gets_at_sockets_and_passwords(tmp_path: Path) -> None:
    postgres, valkey = start_postgres(tmp_path / "postgres", fsync=False), start_valkey(tmp_path / "valkey")
    try:
        modes = {path.relative_to(tmp_path).as_posix(): _mode(path) for path in tmp_path.glob("*/*")}
    finally:
        postgres.stop()
        valkey.stop()
    open_to_others = {name: oct(mode) for name, mode in modes.items() if mode & 0o077}
    assert not open_to_others
    assert {"postgres/socket", "postgres/passwords.json", "valkey/socket", "valkey/valkey.conf"} <= set(modes)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_one_folder_serves_one_supervisor(tmp_path: Path) -> None:
    server = start_valkey(tmp_path / "valkey")
    try:
        with pytest.raises(AlreadyRunning):
            start_valkey(tmp_path / "valkey")
    finally:
        server.stop()


def test_a_path_too_long_for_a_socket_gets_a_port_with_a_password(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    assert not socket_fits(deep / "socket")
    postgres, valkey = start_postgres(deep / "postgres", fsync=False), start_valkey(deep / "valkey")
    try:
        with psycopg.connect(postgres.app_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host="127.0.0.1", port=postgres.port, user="labdb_app", dbname="labdb")
        assert redis.Redis.from_url(valkey.url).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=int(valkey.url.rpartition(":")[2].split("/")[0])).ping()
    finally:
        postgres.stop()
        valkey.stop()


ORPHAN = """
import os, pathlib, sys
from labdb.supervisor import process, start_postgres, start_valkey
process.LAUNCHER = pathlib.Path(sys.argv[2])  # one that forgets to bind the child's life to its parent's
folder = pathlib.Path(sys.argv[1])
postgres, valkey = start_postgres(folder / "postgres"), start_valkey(folder / "valkey")
print(postgres.child.pid, valkey.child.pid)
postgres.sql("CREATE TABLE kept AS SELECT 42 AS word")
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


def test_a_start_ends_the_orphans_of_a_killed_one_and_keeps_their_rows(tmp_path: Path) -> None:
    careless = tmp_path / "launch.py"
    careless.write_text("import os, sys\nos.execvp(sys.argv[5], sys.argv[5:])\n")
    command = [sys.executable, "-c", ORPHAN, str(tmp_path), str(careless)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    orphans = [Identity.of(int(pid)) for pid in killed.stdout.split()]
    assert len(orphans) == 2
    assert all(orphans), "the careless launcher should have left them alive"
    postgres, valkey = start_postgres(tmp_path / "postgres"), start_valkey(tmp_path / "valkey")
    try:
        assert not any(orphan and orphan.is_alive() for orphan in orphans)
        assert postgres.sql("SELECT word FROM kept").strip() == "42"
    finally:
        postgres.stop()
        valkey.stop()


def test_a_foreign_process_with_the_recorded_id_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "process.json"
    with subprocess.Popen(["sleep", "60"]) as foreign:
        write_record(record, foreign.pid, "valkey-server valkey.conf")
        end_orphan(record, ((15, 1.0),))
        assert foreign.poll() is None
        assert not record.exists()
        foreign.kill()


def test_a_pid_file_that_names_a_foreign_process_does_not_stop_the_start(tmp_path: Path) -> None:
    start_postgres(tmp_path / "postgres", fsync=False).stop()
    pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as foreign:
        pid_file.write_text(f"{foreign.pid}\n")
        server = start_postgres(tmp_path / "postgres", fsync=False)
        server.stop()
        assert foreign.poll() is None
        foreign.kill()


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    partial = tmp_path / "postgres" / "cluster.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    server = start_postgres(tmp_path / "postgres", fsync=False)
    server.stop()
    assert not partial.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must change its user for PostgreSQL")
def test_root_without_user_namespaces_runs_the_server_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labdb.supervisor.accounts._namespaces_work", lambda: False)
    with tempfile.TemporaryDirectory() as name:  # pytest closes its own folders to others whenever a run begins
        folder = Path(name)
        folder.chmod(0o711)
        server = start_postgres(folder / "postgres", fsync=False)
        try:
            status = Path(f"/proc/{server.child.pid}/status").read_text()
            assert "\nUid:\t65534\t65534\t65534" in status
            assert "\nGroups:\t \n" in status or "\nGroups:\t\n" in status
        finally:
            server.stop()
