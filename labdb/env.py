"""Typed reading of environment variables.

A value that cannot be used is noted with its variable's name and ``refuse_unsafe``, the last line of the settings,
refuses them all at once. An empty value counts as not set.
"""

import os
import secrets
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

# Transports that keep a job when a worker dies; the in-memory, file and SQL ones lose it.
BROKERS = ("redis", "rediss", "redis+socket", "amqp", "amqps")
REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "LABDB_FILES_DIR",
    "LABDB_TIME_ZONE",
)
SHORTEST_SECRET = 50  # characters

_problems: dict[str, str] = {}


def _given(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def in_production() -> bool:
    return _given("LABDB_ENV") == "production"


def refuse(name: str, reason: str) -> None:
    """Notes that a variable's value cannot be used; the first reason for a variable stays."""
    _problems.setdefault(name, reason)


def text(name: str, *, default: str) -> str:
    return _given(name) or default


def choice(name: str, allowed: Sequence[str], *, default: str) -> str:
    value = _given(name) or default
    if value not in allowed:
        refuse(name, f"is {value!r}, expected one of: {', '.join(allowed)}")
        return default
    return value


def flag(name: str, *, default: bool) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    value = _given(name)
    if value is None:
        return default
    if value.lower() not in words:
        refuse(name, f"is {value!r}, expected one of: {', '.join(words)}")
    return words.get(value.lower(), default)


def whole_number(name: str, *, default: int, smallest: int = 0) -> int:
    value = _given(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal()) or int(value) < smallest:
        refuse(name, f"is {value!r}, expected a whole number of at least {smallest}")
        return default
    return int(value)


def items(name: str, *, default: Sequence[str]) -> list[str]:
    """A list divided by commas."""
    value = _given(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def path(name: str, *, default: Path) -> Path:
    value = _given(name)
    if value and not Path(value).is_absolute():
        refuse(name, f"is {value!r}, expected an absolute path")
    return Path(value) if value else default


def time_zone(name: str, *, default: str) -> str:
    value = _given(name) or default
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        refuse(name, f"is {value!r}, expected a name like Europe/Berlin")
        return default
    return value


def secret(name: str) -> str:
    """A key that nobody can guess. In development one of this process's own takes the place of a missing one."""
    value = _given(name)
    if value and in_production() and (len(value) < SHORTEST_SECRET or len(set(value)) < 10 or "insecure" in value):
        refuse(name, f"is too easy to guess, expected at least {SHORTEST_SECRET} random characters")
    return value or secrets.token_urlsafe(SHORTEST_SECRET)


def mail(name: str, *, folder: Path) -> dict[str, object]:
    """Django's settings of outgoing mail for ``smtp://user:password@host:port``, ``smtp+tls://`` or ``smtps://``.

    Where none is given, mails become files in ``folder``.
    """
    schemes = {"smtp": (25, {}), "smtp+tls": (587, {"EMAIL_USE_TLS": True}), "smtps": (465, {"EMAIL_USE_SSL": True})}
    value = _given(name)
    if value is None:
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": str(folder)}
    try:
        parts = urlsplit(value)
        port, encryption = schemes[parts.scheme]
        if not parts.hostname:
            raise ValueError
        place = {"EMAIL_HOST": parts.hostname, "EMAIL_PORT": parts.port or port, "EMAIL_TIMEOUT": 20}
    except (KeyError, ValueError):
        refuse(name, f"cannot be read, expected {'://, '.join(schemes)}://user:password@host:port")
        return {}
    person = {"EMAIL_HOST_USER": unquote(parts.username or ""), "EMAIL_HOST_PASSWORD": unquote(parts.password or "")}
    return {**place, **person, **encryption}


def broker(name: str) -> str:
    """The broker's URL; where none is given, one that nobody answers."""
    value = _given(name)
    if value and value.partition("://")[0] not in BROKERS:
        refuse(
            name, f"starts with {value.partition(':')[0]!r}, expected one of: {', '.join(f'{b}://' for b in BROKERS)}"
        )
    return value or "redis+socket:///not-running"


def database() -> dict[str, object]:
    """Django's settings of the database, for the role that ``LABDB_DATABASE_ROLE`` asks for.

    ``app`` (DATABASE_URL) runs the application. ``owner`` (DATABASE_OWNER_URL, where there is one) changes tables.
    """
    role = choice("LABDB_DATABASE_ROLE", ("app", "owner"), default="app")
    name = "DATABASE_OWNER_URL" if role == "owner" and _given("DATABASE_OWNER_URL") else "DATABASE_URL"
    value = _given(name)
    try:
        return database_settings(value) if value else _absent_database()
    except ValueError as error:
        refuse(name, str(error))
        return _absent_database()


def _absent_database() -> dict[str, object]:
    return {"ENGINE": "labdb.base.postgresql", "NAME": "labdb", "HOST": "/not-running"}


def database_settings(url: str) -> dict[str, object]:
    """Django's settings for a ``postgresql://`` URL as libpq reads it; a socket's folder stands in ``?host=/folder``.

    Raises ValueError with the reason, never with the URL: it holds a password.
    """
    scheme = url.partition("://")[0]
    if scheme not in ("postgresql", "postgres"):
        raise ValueError(
            f"starts with {scheme.split(':')[0][:20]!r}, expected postgresql://user:password@host:port/database"
        )
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise ValueError(f"cannot be read ({type(error).__name__}), is a character not percent-encoded?") from None
    if not parts.get("dbname"):
        raise ValueError("names no database, expected postgresql://user:password@host:port/database")
    places = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, object] = {"ENGINE": "labdb.base.postgresql"}
    settings |= {key: parts.pop(part, "") for key, part in places.items()}
    return settings | {"OPTIONS": parts, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def _check_production() -> None:
    for name in REQUIRED_IN_PRODUCTION:
        if not _given(name):
            refuse(name, "is missing")
    if "*" in items("ALLOWED_HOSTS", default=[]):
        refuse("ALLOWED_HOSTS", "holds '*', expected the names under which this server is reached")
    if flag("LABDB_DEBUG", default=False):
        refuse("LABDB_DEBUG", "is on: it would show the program's inside to everybody")
    if urlsplit(_given("DATABASE_URL") or "").username in ("postgres", "labdb_admin", "labdb_owner"):
        refuse("DATABASE_URL", "names a role that owns the tables: expected the application's own role")


def refuse_unsafe() -> None:
    """Raises ImproperlyConfigured naming every variable whose value is missing or unsafe."""
    if in_production():
        _check_production()
    found = dict(_problems)
    _problems.clear()
    if found:
        lines = "".join(f"\n  {name} {reason}" for name, reason in sorted(found.items()))
        raise ImproperlyConfigured(f"the environment is not usable (deploy/env.example explains each variable):{lines}")
