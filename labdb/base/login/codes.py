"""Second factors: codes of an authenticator app and recovery codes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from labdb.base.login import limiter

COUNTING = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone are no second factor


def has_second_factor(person: Any) -> bool:
    return Authenticator.objects.filter(user=person, type__in=COUNTING).exists()


def is_required(person: Any) -> bool:
    """Whether the laboratory's policy (LABDB_REQUIRE_SECOND_FACTOR) asks this person for a second factor."""
    policy = settings.LABDB_REQUIRE_SECOND_FACTOR
    return policy == "everyone" or (policy == "managers" and (person.is_superuser or person.is_manager))


def checked(request: Any, person: Any, code: str) -> Authenticator | None:
    """The person's authenticator that ``code`` fits, or None. A code counts once.

    Raises:
        TooManyGuesses: before anything was compared.
    """
    with limiter.guess(request, "code", person.username, person) as reservation:
        for authenticator in Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.WEBAUTHN):
            if authenticator.wrap().validate_code(code):
                if not limiter.is_first_use(f"{person.pk} {''.join(filter(str.isalnum, code))}"):
                    return None  # allauth remembers used codes in each process only
                reservation.give_back()
                return authenticator
    return None
