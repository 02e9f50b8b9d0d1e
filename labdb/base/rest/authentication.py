"""Access tokens: ``Authorization: Token …``."""

import base64
import binascii
from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from labdb.base.models import AccessToken
from labdb.base.tokens import note_use, scope_of


class AccessTokens(TokenAuthentication):
    """Knox's tokens, read with one query a request; an expired one is refused and stays for its owner to see.

    What the token may reach goes with the person as ``user.token_scope``, which ``visible_to`` and ``may`` respect.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        try:
            token.decode("ascii")
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        return super().authenticate_credentials(token)

    def validate_user(self, auth_token: AccessToken) -> tuple[Any, Any]:
        person, token = super().validate_user(auth_token)
        person.token_scope = scope_of(token)
        note_use(token)
        return person, token

    def _cleanup_token(self, auth_token: AccessToken) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()


class CalendarTokens(AccessTokens):
    """The token as the password of HTTP's basic authentication, whatever the name: calendars can send nothing else, and
    an address with a secret in it would stand in logs and histories."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "basic":
            return AccessTokens().authenticate(request)  # knox takes the scheme that it expects from the header below
        try:
            _, _, token = base64.b64decode(given, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            raise AuthenticationFailed("Name and token are expected as basic authentication sends them.") from None
        return self.authenticate_credentials(token)

    def authenticate_header(self, request: Any) -> str:
        return 'Basic realm="labdb", charset="UTF-8"'
