"""Logging in and out: a token for a user name and password, shown once."""

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from labdb.base.models import AccessToken
from labdb.base.rest.authentication import AccessTokens
from labdb.base.rest.serializers import StrictSerializer
from labdb.base.rest.views import StrictView


class Credentials(StrictSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class IssuedToken(serializers.Serializer):
    token = serializers.CharField(help_text="Shown this once; only its hash is kept.")
    expires_at = serializers.DateTimeField(allow_null=True)


class LoggingIn(AccessTokens):
    """Asks for no token, yet says in a refusal how to authenticate."""

    def authenticate(self, request: Any) -> None:
        return None


class Tokens(StrictView):
    def get_authenticators(self) -> list[BaseAuthentication]:
        logging_in = getattr(self, "request", None) is not None and self.request.method == "POST"
        return [LoggingIn()] if logging_in else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.request.method == "POST" else IsAuthenticated()]

    @extend_schema(request=Credentials, responses={201: IssuedToken}, auth=[])
    def post(self, request: Request) -> Response:
        """Log in: a new access token. A refusal does not say which part was wrong."""
        serializer = Credentials(data=request.data)
        serializer.is_valid(raise_exception=True)
        person = authenticate(request._request, **serializer.validated_data)
        if person is None:
            raise AuthenticationFailed("User name and password do not belong together.")
        issued, token = AccessToken.objects.create(user=person)
        return Response({"token": token, "expires_at": issued.expiry}, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out: the token of this request is revoked."""
        if request.auth is None:
            raise ValidationError({"detail": "This request came with a session, not with a token."})
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
