"""The files of a PostgreSQL cluster: made once, complete or not at all."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from labdb.supervisor import accounts, binaries
from labdb.supervisor.errors import ServiceError
from labdb.supervisor.folders import private_folder
from labdb.supervisor.process import Identity, launched, wait_until, write_private

ADMIN, OWNER, APP = "labdb_admin", "labdb_owner", "labdb_app"


def prepare(folder: Path, fsync: bool) -> accounts.Account:
    """Makes the folders and, once, the cluster; it gets its name only when complete, so a half one is never used."""
    cluster, partial = folder / "cluster", folder / "cluster.partial"
    account = accounts.for_postgres(cluster)
    account.own(folder)
    account.own(private_folder(folder / "socket"))
    if cluster.exists():
        return account
    shutil.rmtree(partial, ignore_errors=True)
    account.own(private_folder(partial))
    passwords = read_passwords(folder, new=True)
    password_file = folder / "initdb.password"
    write_private(password_file, passwords[ADMIN])
    account.own(password_file)
    try:
        _initdb(partial, password_file, account, fsync)
    finally:
        password_file.unlink()
    partial.rename(cluster)
    return account


def _initdb(cluster: Path, password_file: Path, account: accounts.Account, fsync: bool) -> None:
    programs = binaries.postgres_bin()
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    has_builtin = (binaries.postgres_major(programs / "postgres") or 0) >= 17
    command = [str(programs / "initdb"), "-D", str(cluster), "-U", ADMIN, "-A", "scram-sha-256"]
    command += [f"--pwfile={password_file}", "-E", "UTF8", "--no-instructions"]
    command += builtin if has_builtin else ["--locale=C.UTF-8"]
    command += [] if fsync else ["--no-sync"]
    answer = subprocess.run(
        launched(command, signal.SIGKILL, account),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        cwd=cluster,
    )
    if answer.returncode:
        who = account.user_and_group
        hint = f" (as root it runs as user {who[0]}, who must be able to enter this path)" if who else ""
        raise ServiceError(f"initdb could not make {cluster}{hint}: {answer.stderr.strip()}")


def read_passwords(folder: Path, new: bool = False) -> dict[str, str]:
    """The roles' passwords, made together with the cluster. Raises ServiceError when their file is gone."""
    path = folder / "passwords.json"
    if new:
        write_private(path, json.dumps({role: secrets.token_urlsafe(24) for role in (ADMIN, OWNER, APP)}))
    try:
        return {str(role): str(password) for role, password in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        raise ServiceError(
            f"{path} is missing: put it back, without it nobody can open the database beside it"
        ) from None


def clear_after_crash(folder: Path) -> None:
    """Makes way for a start after the server was killed. Call it while holding the folder's claim.

    PostgreSQL refuses to start while the ids in its pid and lock files live, even where such an id is by now another
    program's or only waits to be reaped. Its files also guard against sessions of the killed server that still write:
    so those must be gone before the files are.
    """
    cluster = folder / "cluster"
    for number, patience in ((0, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 10.0)):
        for session in _sessions(cluster):
            session.kill(number)
        if wait_until(lambda: not _sessions(cluster), patience, pause=0.05):
            break
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    for left in (folder / "socket").glob(".s.PGSQL.*"):
        left.unlink(missing_ok=True)


def _sessions(cluster: Path) -> list[Identity]:
    """The living server processes in the cluster's folder, where the system shows folders of processes (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            if (process / "cwd").readlink() == cluster.resolve():
                identity = Identity.of(int(process.name))
                found += [identity] if identity and "postgres" in identity.command.split(":")[0] else []
    return found
