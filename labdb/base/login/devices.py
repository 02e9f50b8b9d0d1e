"""The cookie of a browser that has logged in before: it earns a budget of guesses of its own.

It holds an entry for each of the last accounts, because people share the computers at the bench. An entry is bound to the
account and to its password: after a change of password, devices of before are strangers.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing

COOKIE = "labdb_device"
SALT = "labdb.device"
AGE = 400 * 24 * 3600  # seconds; browsers keep no cookie longer
MOST_ACCOUNTS = 10
_ISSUED = "_labdb_device_for"

Entry = list[str]  # account, device, what stands for the password


def known(request: Any, person: Any) -> str | None:
    """The device's name where ``request`` shows a cookie for ``person``."""
    for account, device, mark in entries(request):
        if account == person.pk.hex:
            return device if secrets.compare_digest(mark, _mark(person)) else None
    return None


def entries(request: Any) -> list[Entry]:
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return []


def issue(request: Any, person: Any) -> None:
    """The answer to ``request`` will carry the cookie (``labdb.base.login.middleware`` sets it)."""
    setattr(request, _ISSUED, person)


def set_cookie(request: Any, response: Any) -> None:
    person = getattr(request, _ISSUED, None)
    if person is None:
        return
    entry = [person.pk.hex, known(request, person) or secrets.token_hex(12), _mark(person)]
    others = [other for other in entries(request) if other[0] != person.pk.hex]
    value = signing.dumps([entry, *others][:MOST_ACCOUNTS], salt=SALT)
    response.set_cookie(
        COOKIE, value, max_age=AGE, httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
    )


def _mark(person: Any) -> str:
    return person.get_session_auth_hash()[:24]
