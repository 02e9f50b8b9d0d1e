"""The environment's variables: what production refuses, and that each one is explained."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labdb import env
from labdb.supervisor.state import PROJECT
from tests.ops.trees import clean_environment

SAFE = {
    "LABDB_ENV": "production",
    "SECRET_KEY": "k3-Zt9_wQx7LmV2bNc8RfYh4JpSd6GaUe1TiOo5KvXzBqWlMnE0rPy",
    "ALLOWED_HOSTS": "labdb.example.org",
    "DATABASE_URL": "postgresql://labdb_app:pw@127.0.0.1:1/labdb",
    "CELERY_BROKER_URL": "redis://:pw@127.0.0.1:1/0",
    "LABDB_FILES_DIR": "/srv/labdb/files",
    "LABDB_TIME_ZONE": "Europe/Berlin",
}
# what the tests themselves and the shell use, and the URLs' roles that only the supervisor sets
NOT_THE_OPERATORS = {"LABDB_TEST_SERVERS", "LABDB_TEST_TEMPLATE", "LABDB_TEST_ADMIN_URL"}


def read_settings(var: Path, home: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(var, home) | SAFE | changes
    command = [
        sys.executable,
        "-c",
        "import labdb.settings as s; print(s.SECURE_SSL_REDIRECT, s.DATABASES['default']['USER'])",
    ]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_safe_values_start(var: Path, home: Path) -> None:
    answer = read_settings(var, home)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == ["True", "labdb_app"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        *((name, "", "is missing") for name in env.REQUIRED_IN_PRODUCTION),
        ("SECRET_KEY", "short", "too easy to guess"),
        ("SECRET_KEY", "a" * 60, "too easy to guess"),
        ("ALLOWED_HOSTS", "*", "holds '*'"),
        ("DATABASE_URL", "sqlite:///labdb.sqlite3", "expected postgresql://"),
        ("DATABASE_URL", "postgresql://labdb_app:pw@database", "names no database"),
        ("DATABASE_URL", "postgresql://postgres:pw@database/labdb", "the application's own role"),
        ("CELERY_BROKER_URL", "memory://", "expected one of"),
        ("CELERY_BROKER_URL", "filesystem://", "expected one of"),
        ("LABDB_FILES_DIR", "files", "absolute path"),
        ("LABDB_TIME_ZONE", "Berlin", "Europe/Berlin"),
        ("LABDB_DEBUG", "on", "is on"),
        ("LABDB_MAX_UPLOAD_MB", "ten", "whole number"),
        ("LABDB_ENV", "prod", "expected one of: development, production"),
    ],
)
def test_a_missing_or_unsafe_value_stops_the_start_and_is_named(
    var: Path, home: Path, name: str, value: str, reason: str
) -> None:
    answer = read_settings(var, home, **{name: value})
    assert answer.returncode != 0
    complaints = [line for line in answer.stderr.splitlines() if line.startswith("  ") and reason in line]
    assert [line.split()[0] for line in complaints] == [name], answer.stderr


def test_all_problems_are_named_at_once(var: Path, home: Path) -> None:
    answer = read_settings(var, home, SECRET_KEY="", ALLOWED_HOSTS="*", LABDB_TIME_ZONE="Mars/Olympus")
    assert all(name in answer.stderr for name in ("SECRET_KEY", "ALLOWED_HOSTS", "LABDB_TIME_ZONE"))


def test_a_refusal_shows_no_password(var: Path, home: Path) -> None:
    answer = read_settings(var, home, DATABASE_URL="postgresql://labdb_app:s3cret%ZZ@database/labdb")
    assert answer.returncode != 0
    assert "DATABASE_URL" in answer.stderr
    assert "s3cret" not in answer.stderr


def test_the_database_url_may_name_a_socket() -> None:
    settings = env.database_settings("postgresql://labdb_app:p%40w@/labdb?host=/srv/sock&port=5432&sslmode=disable")
    wanted = {"NAME": "labdb", "USER": "labdb_app", "PASSWORD": "p@w", "HOST": "/srv/sock", "PORT": "5432"}
    assert settings.items() >= wanted.items()
    assert settings["OPTIONS"] == {"sslmode": "disable"}


def test_every_variable_is_explained() -> None:
    explained = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (PROJECT / "deploy" / "env.example").read_text(), re.M))
    sources = [path for app in ("labdb", "experiments", "assays") for path in (PROJECT / app).rglob("*.py")]
    reads = r"(?:env\.\w+\(|environ(?:ment)?\.get\(|_given\(|environ\[)\s*\"([A-Z][A-Z_]+)\""
    read = {name for path in sources for name in re.findall(reads, path.read_text())}
    read -= {"PATH", "HOME", "DJANGO_SETTINGS_MODULE"} | NOT_THE_OPERATORS
    assert {"SECRET_KEY", "LABDB_VAR", "LABDB_JOB_WORKERS"} <= read
    assert read <= explained, f"not in deploy/env.example: {sorted(read - explained)}"
