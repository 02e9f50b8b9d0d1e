"""One PostgreSQL cluster in one private folder.

Three roles: ``labdb_admin`` (superuser, for this package and the tests), ``labdb_owner`` (owns the database, migrates),
``labdb_app`` (runs the application: reads and writes rows, owns nothing, cannot create, drop or truncate).
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from labdb.supervisor import accounts, binaries
from labdb.supervisor.cluster import ADMIN, APP, OWNER, clear_after_crash, prepare, read_passwords
from labdb.supervisor.errors import ServiceError, last_lines
from labdb.supervisor.folders import Claim, free_port, private_folder, socket_fits
from labdb.supervisor.process import Child, end_orphan, spawn
from labdb.supervisor.state import PROJECT

DATABASE = "labdb"
START_SECONDS = 120  # a start after a crash replays the log first
FAST, IMMEDIATE = (signal.SIGINT, signal.SIGQUIT)  # PostgreSQL's own meaning of these signals
STOP_SIGNALS = ((FAST, 30.0), (IMMEDIATE, 10.0))


@dataclass
class Postgres:
    """A running cluster. The URLs carry passwords: do not print them."""

    folder: Path
    child: Child
    host: str  # socket folder, or an address
    port: int
    passwords: dict[str, str]
    claim: Claim
    account: accounts.Account
    fsync: bool

    def url(self, role: str, database: str = DATABASE) -> str:
        """``postgresql://`` URL that libpq, psycopg and labdb.env.database_settings read."""
        place = f"host={quote(self.host, safe='/')}&port={self.port}"
        return f"postgresql://{role}:{self.passwords[role]}@/{quote(database)}?{place}"

    @property
    def admin_url(self) -> str:
        return self.url(ADMIN)

    @property
    def owner_url(self) -> str:
        return self.url(OWNER)

    @property
    def app_url(self) -> str:
        return self.url(APP)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Runs SQL as the superuser with psql and returns what it prints; raises ServiceError with its message."""
        place = {"PGHOST": self.host, "PGPORT": str(self.port), "PGDATABASE": database, "PGUSER": ADMIN}
        answer = subprocess.run(
            [binaries.postgres_bin() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            # the password goes through the environment: arguments are for everybody to see
            env=place | {"PGPASSWORD": self.passwords[ADMIN], "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        if answer.returncode:
            raise ServiceError(f"PostgreSQL refused: {answer.stderr.strip()}")
        return answer.stdout

    def create_database(self, name: str = DATABASE) -> None:
        """Creates a database of the owner, with the application's rights, where it is missing. The name: [a-z0-9_]."""
        if self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip():
            return
        self.sql(f"CREATE DATABASE {name} OWNER {OWNER}")
        self.sql(grants(), name)

    def respawn(self) -> None:
        """Starts the server again, under the same URLs, after it died."""
        clear_after_crash(self.folder)
        self.child = _spawn(self.folder, self.child.log, self.account, self.host, self.port, self.fsync)
        _await_ready(self)

    def stop(self) -> None:
        self.child.stop()
        self.claim.release()


def grants() -> str:
    """SQL, for each database: what the application's role may do with the tables that the owner will create."""
    return (PROJECT / "deploy" / "roles.sql").read_text().partition("\\connect labdb\n")[2]


def start_postgres(folder: Path, *, fsync: bool = True, tcp: bool = False, log: Path | None = None) -> Postgres:
    """Starts the cluster in ``folder``, made on the first call, and returns when it accepts connections.

    ``fsync=False`` is for throw-away clusters of tests. ``tcp`` (or a path too long for a socket) listens on
    127.0.0.1 instead of a socket. Raises AlreadyRunning, or ServiceError with the reason and the log.
    """
    folder = private_folder(folder.absolute())
    claim = Claim(folder / "lock", "PostgreSQL")
    try:
        end_orphan(folder / "process.json", STOP_SIGNALS)
        clear_after_crash(folder)
        account = prepare(folder, fsync)
        passwords = read_passwords(folder)
        tcp = tcp or not socket_fits(folder / "socket" / ".s.PGSQL.5432")
        host, port = ("127.0.0.1", free_port()) if tcp else (str(folder / "socket"), 5432)
        child = _spawn(folder, log or folder / "postgres.log", account, host, port, fsync)
    except BaseException:
        claim.release()
        raise
    server = Postgres(folder, child, host, port, passwords, claim, account, fsync)
    try:
        _await_ready(server)
        _ensure_roles(server)
        server.create_database()
    except BaseException:
        server.stop()
        raise
    return server


def _spawn(folder: Path, log: Path, account: accounts.Account, host: str, port: int, fsync: bool) -> Child:
    over_socket = host.startswith("/")
    quoted = '"' + host.replace('"', '""') + '"'
    settings = {
        "listen_addresses": "" if over_socket else host,
        "port": str(port),
        "unix_socket_directories": quoted if over_socket else "",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "max_connections": "100",
    }
    if not fsync:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(binaries.postgres_bin() / "postgres"), "-D", str(folder / "cluster")]
    return spawn(
        "PostgreSQL",
        command + [word for key, value in settings.items() for word in ("-c", f"{key}={value}")],
        log=log,
        record=folder / "process.json",
        stop_signals=STOP_SIGNALS,
        death_signal=FAST,
        account=account,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        cwd=folder / "cluster",
    )


def _await_ready(server: Postgres) -> None:
    """Waits for the word that the server writes into its pid file once it accepts connections."""
    pid_file = server.folder / "cluster" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while True:
        server.child.require_alive()
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) >= 8 and lines[0] == str(server.child.pid) and lines[7].strip() == "ready":
            return
        if time.monotonic() > deadline:
            raise ServiceError(f"PostgreSQL is not ready after {START_SECONDS} s:\n{last_lines(server.child.log)}")
        time.sleep(0.01)


def _ensure_roles(server: Postgres) -> None:
    """Creates the two roles where they are missing. Their passwords are set on every start, so the file rules."""
    server.sql(
        "".join(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF;
            END $$;
            ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{server.passwords[role]}';
            """
            for role in (OWNER, APP)
        )
    )
