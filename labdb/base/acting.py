"""Who acts, through which door and why: what the trail writes down beside every change.

Doors say it once around their work (``acting``), verbs add their ``by`` and ``reason`` (``labdb.base.verbs``), and the
database connection passes it on before the first write of a transaction (``labdb.base.postgresql``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

DOORS = (("/api/", "REST"), ("/accounts/", "log-in"))  # by the address; every other page is the admin's


class Acting:
    """The person, door and reason of what goes on now; each may still be unknown (None, "").

    ``person`` may be set to a user, or to a function that is asked for one whenever it is needed.
    """

    __slots__ = ("_is_asking", "_person", "door", "reason")

    def __init__(self, person: Any = None, door: str = "", reason: str = "") -> None:
        self._person, self.door, self.reason = person, door, reason
        self._is_asking = False

    @property
    def person(self) -> Any:
        """The user who acts, or None."""
        if self._is_asking:  # finding out who it is writes something itself (an outdated session is deleted)
            return None
        self._is_asking = True
        try:
            person = self._person() if callable(self._person) else self._person
            return person if getattr(person, "pk", None) else None
        finally:
            self._is_asking = False

    @person.setter
    def person(self, person: Any) -> None:
        self._person = person

    def told(self) -> tuple[str, str, str]:
        """Person's key, door and reason as the database is told them; empty where unknown."""
        person = self.person
        return str(person.pk) if person is not None else "", self.door, self.reason


_current: ContextVar[Acting | None] = ContextVar("acting", default=None)


def current() -> Acting:
    """What goes on now. Outside of every ``acting`` nothing is known, and setting it there has no effect."""
    return _current.get() or Acting()


@contextmanager
def acting(*, person: Any = None, door: str | None = None, reason: str | None = None) -> Iterator[Acting]:
    """Say who acts, through which door and why; what is left out (or empty) stays as it is outside."""
    outer = current()
    inner = Acting(
        person=outer._person if person is None else person,
        door=door or outer.door,
        reason=(reason or "").strip() or outer.reason,
    )
    token = _current.set(inner)
    try:
        yield inner
    finally:
        _current.reset(token)


def name_who_acts(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the request's person, who is asked for only when something is written, and the request's door."""

    def answer(request: HttpRequest) -> HttpResponse:
        door = next((door for prefix, door in DOORS if request.path_info.startswith(prefix)), "admin")
        with acting(person=lambda: getattr(request, "user", None), door=door):
            return get_response(request)

    return answer
