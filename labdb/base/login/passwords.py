"""The one place that compares a password with its hash."""

import unicodedata
from typing import Any

from django.contrib.auth.hashers import make_password

from labdb.base.login import codes, limiter
from labdb.base.models import User

NOT_ASKED = object()


def checked(request: Any, username: str, password: str, code: Any = NOT_ASKED) -> User | None:
    """The active person whose user name and password these are; None says not which was wrong.

    With ``code`` (a string, perhaps empty) a person who has a second factor must show it as well.

    Raises:
        TooManyGuesses: before anything was compared.
    """
    username = unicodedata.normalize("NFKC", username)
    person = User.objects.filter(username=username).first()
    with limiter.guess(request, "password", username, person) as reservation:
        if person is None:
            make_password(password)  # costs what a comparison costs
            return None
        if not person.check_password(password) or not person.is_active:
            return None
        if code is not NOT_ASKED and codes.has_second_factor(person) and not _code_fits(request, person, code):
            return None
        reservation.give_back()
    return person


def _code_fits(request: Any, person: User, code: str) -> bool:
    try:
        return codes.checked(request, person, code) is not None
    except limiter.TooManyGuesses:  # told apart, it would say that the password was right
        return False
