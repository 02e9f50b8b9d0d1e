"""A PostgreSQL and a broker of the test run's own, started before Django reads its settings.

Where DATABASE_URL, DATABASE_OWNER_URL and CELERY_BROKER_URL are given, those servers are used instead; the owner's role
must then be allowed to create databases. Every worker of the run gets a clone of one migrated template database.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent
STARTED = "LABDB_TEST_SERVERS"
_stack = ExitStack()


def with_database(url: str, name: str) -> str:
    """``url`` with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def administer(statement: str, database: str = "postgres") -> None:
    with psycopg.connect(with_database(os.environ["LABDB_TEST_ADMIN_URL"], database), autocommit=True) as connection:
        connection.execute(statement)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    del early_config
    if STARTED not in os.environ:
        _start()


def _start() -> None:
    from labdb.supervisor import start_postgres, start_valkey
    from labdb.supervisor.postgres import grants

    folder = Path(tempfile.mkdtemp(prefix="labdb-test-"))
    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ[STARTED] = str(folder)
    os.environ |= {
        "LABDB_VAR": str(folder / "var"),
        "LABDB_FILES_DIR": str(folder / "files"),
        "LABDB_ENV": "development",
    }
    (folder / "var" / "static").mkdir(parents=True)
    os.environ.setdefault("SECRET_KEY", "only-for-the-tests-of-this-very-checkout-0123456789abcdef")
    if "DATABASE_URL" not in os.environ:
        postgres = start_postgres(folder / "postgres", fsync=False)
        _stack.callback(postgres.stop)
        os.environ |= {"DATABASE_URL": postgres.app_url, "DATABASE_OWNER_URL": postgres.owner_url}
        os.environ["LABDB_TEST_ADMIN_URL"] = postgres.admin_url
    os.environ.setdefault("DATABASE_OWNER_URL", os.environ["DATABASE_URL"])
    os.environ.setdefault("LABDB_TEST_ADMIN_URL", os.environ["DATABASE_OWNER_URL"])
    if "CELERY_BROKER_URL" not in os.environ:
        valkey = start_valkey(folder / "valkey")
        _stack.callback(valkey.stop)
        os.environ["CELERY_BROKER_URL"] = valkey.url
    _make_template(grants())


def _make_template(grants: str) -> None:
    template = f"labdb_template_{os.getpid()}"
    owner = urlsplit(os.environ["DATABASE_OWNER_URL"]).username
    administer(f'CREATE DATABASE {template} OWNER "{owner}"')
    _stack.callback(administer, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")
    if owner == "labdb_owner":
        administer(grants, template)
    address = {"DATABASE_OWNER_URL": with_database(os.environ["DATABASE_OWNER_URL"], template)}
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity=0", "--settings=labdb.settings"],
        env=os.environ | address | {"LABDB_DATABASE_ROLE": "owner"},
        cwd=ROOT,
        check=True,
    )
    os.environ["LABDB_TEST_TEMPLATE"] = template
    os.environ["DATABASE_URL"] = with_database(os.environ["DATABASE_URL"], template)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _stack.close()
