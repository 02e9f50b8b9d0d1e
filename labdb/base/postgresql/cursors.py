"""Cursors that tell the database who acts before the first statement of a transaction that may write.

The settings are local to the transaction, so none is left over for the next request on the connection. A rollback to a
savepoint takes them back: then they are told anew. A statement outside of a transaction gets one of its own.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base as django_base
from psycopg.pq import TransactionStatus

from labdb.base.acting import current

NOTHING = ("", "", "")
TELL = (
    "SELECT set_config('labdb.person', %s, true), set_config('labdb.door', %s, true),"
    " set_config('labdb.reason', %s, true)"
)
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([a-z]+)", re.IGNORECASE | re.DOTALL)
_WRITING_WORD = re.compile(r"\b(?:insert|update|delete|merge|truncate)\b", re.IGNORECASE)
_COPY_OUT = re.compile(r"\bto\s+(?:stdout\b|program\b|')", re.IGNORECASE)
_ENDING = frozenset(["rollback", "abort", "commit", "end", "begin", "start", "discard", "reset"])
# No row of a table with triggers is written by them. Several of the last ones run outside of transactions only.
_READING = frozenset(
    ["show", "set", "savepoint", "release", "fetch", "move", "close", "listen", "unlisten", "notify", "lock", "load"]
    + ["vacuum", "analyze", "reindex", "cluster", "refresh", "checkpoint", "create", "alter", "drop", "comment"]
    + ["grant", "revoke", "security", "reassign", "deallocate"]
)
# They write where a writing word stands in them.
_PERHAPS = frozenset(["with", "select", "values", "table", "explain", "declare", "prepare"])


def first_word(statement: str) -> str:
    found = _FIRST_WORD.match(statement)
    return found[1].lower() if found else ""


def may_write(statement: str) -> bool:
    """Whether ``statement`` may change rows; in doubt yes, for telling once too often costs a round trip and no more.

    A SELECT of a function that writes is not seen: the trail then has what was told before in the transaction.
    """
    word = first_word(statement)
    if ";" in statement and ";" in statement.rstrip("; \n\t"):  # several statements, or a semicolon in a text
        return True
    if word == "select":  # also FOR UPDATE
        return False
    if word == "copy":
        return not _COPY_OUT.search(statement) or _WRITING_WORD.search(statement) is not None
    if word in _PERHAPS:
        return _WRITING_WORD.search(statement) is not None
    return word not in _READING and word not in _ENDING


class Told:
    """What PostgreSQL was told of who acts, on one connection; ``what`` is None where that is not known."""

    __slots__ = ("connection", "what")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.what: tuple[str, str, str] | None = NOTHING

    @classmethod
    def of(cls, connection: Any) -> "Told":
        told = getattr(connection, "told", None)
        if told is None:
            told = connection.told = cls(connection)
        return told

    def forget(self) -> None:
        self.what = None

    @contextmanager
    def before_writing(self) -> Iterator[None]:
        wanted = current().told()
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            self.what = NOTHING
            if wanted == NOTHING:
                yield
                return
            if self.connection.autocommit:
                with self.connection.transaction():
                    self._tell(wanted)
                    yield
                self.forget()
                return
        if self.what != wanted:
            self._tell(wanted)
        yield

    def _tell(self, wanted: tuple[str, str, str]) -> None:
        with psycopg.ClientCursor(self.connection) as cursor:
            cursor.execute(TELL, wanted)
        self.what = wanted


class TellingMixin:
    """Tells before ``execute``, ``executemany``, ``copy``, ``stream`` and ``callproc``."""

    connection: Any

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        with self._telling(query):
            return super().execute(query, *args, **kwargs)  # type: ignore[misc]

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        with self._telling(query):
            super().executemany(query, *args, **kwargs)  # type: ignore[misc]

    def stream(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self._telling(query):
            yield from super().stream(query, *args, **kwargs)  # type: ignore[misc]

    def callproc(self, *args: Any, **kwargs: Any) -> Any:
        with self._telling("CALL"):
            return super().callproc(*args, **kwargs)  # type: ignore[misc]

    @contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self._telling(statement), super().copy(statement, *args, **kwargs) as copy:  # type: ignore[misc]
            yield copy

    def _telling(self, query: Any) -> Any:
        text = query if isinstance(query, str) else self._text(query)
        if may_write(text):
            return Told.of(self.connection).before_writing()
        return _forgetting(self.connection) if first_word(text) in _ENDING else _NOTHING_TO_DO

    def _text(self, query: Any) -> str:
        if isinstance(query, bytes):
            return query.decode(errors="replace")
        return query.as_string(self.connection) if hasattr(query, "as_string") else "unknown"


class _NothingToDo:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


_NOTHING_TO_DO = _NothingToDo()


@contextmanager
def _forgetting(connection: Any) -> Iterator[None]:
    """A rollback to a savepoint takes back what was told since; other words may have ended the transaction."""
    try:
        yield
    finally:
        Told.of(connection).forget()


class Cursor(TellingMixin, django_base.Cursor):
    """Django's ordinary cursor."""


class ServerBindingCursor(TellingMixin, django_base.ServerBindingCursor):
    """The cursor where the option ``server_side_binding`` is set."""
