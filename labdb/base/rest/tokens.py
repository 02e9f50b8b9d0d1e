"""Access tokens: logging in for one, making another that is no wider, listing one's own, revoking."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
    Throttled,
    ValidationError,
)
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from labdb.base.login import codes, passwords
from labdb.base.login.limiter import TooManyGuesses
from labdb.base.models import AccessToken
from labdb.base.rest.authentication import AccessTokens
from labdb.base.rest.paging import Pages
from labdb.base.rest.serializers import StrictSerializer
from labdb.base.rest.views import StrictView
from labdb.base.tokens import DAYS, LONGEST_DAYS, issue_token, revoke_token

SCOPES = [("read", "read"), ("write", "read and write")]


class TokenWish(StrictSerializer):
    """A token to be made. Without user name and password it is one for whoever asks, no wider than their own token."""

    username = serializers.CharField(max_length=150, required=False)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, required=False)
    code = serializers.CharField(
        max_length=20, default="", allow_blank=True, help_text="Of the second factor, where the person has one."
    )
    name = serializers.CharField(max_length=120, default="log-in", help_text="What it is for: a script, a computer.")
    scope = serializers.ChoiceField(SCOPES, default="read")
    experiments = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=1000,
        help_text="Those that it reaches; all of yours unless told.",
    )
    expires_in_days = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_DAYS,
        required=False,
        help_text=f"{DAYS} unless told, and never longer than the token with which this is asked.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = {"username", "password"} - attrs.keys()
        if len(missing) == 1:
            raise serializers.ValidationError({missing.pop(): ["User name and password go together."]})
        return attrs


class TokenRow(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(SCOPES)
    experiments = serializers.ListField(child=serializers.UUIDField(), allow_null=True, help_text="null: all of yours.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")


class IssuedToken(TokenRow):
    token = serializers.CharField(help_text="Shown this once; only its hash is kept.")


class TokenPage(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = TokenRow(many=True)


AUTHENTICATION: Any = [{}, {"token": []}, {"cookieAuth": []}]
PAGING = [OpenApiParameter(name, int) for name in ("limit", "offset")]


def told(token: AccessToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "scope": "write" if token.can_write else "read",
        "experiments": token.experiments,
        "created_at": token.created,
        "expires_at": token.expiry,
        "last_used_at": token.last_used_at,
    }


def _shown(request: Request) -> AccessToken | None:
    """The token that the request shows; None where it came with a session or a password."""
    shown: Any = request.auth
    return shown


class LoggingIn(AccessTokens):
    """Who sends a user name asks for no token, whatever else the request carries."""

    def authenticate(self, request: Any) -> Any:
        data = request.data
        return (AnonymousUser(), None) if isinstance(data, dict) and "username" in data else None


class Tokens(StrictView):
    query_parameters = {"get": ("limit", "offset")}
    field_names = {"days": "expires_in_days"}

    def get_authenticators(self) -> list[BaseAuthentication]:
        logging_in = getattr(self, "request", None) is not None and self.request.method == "POST"
        return [*([LoggingIn()] if logging_in else []), *super().get_authenticators()]

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.request.method == "POST" else IsAuthenticated()]

    @extend_schema(parameters=PAGING, responses=TokenPage)
    def get(self, request: Request) -> Response:
        """Your own tokens, never their secrets."""
        pages = Pages()
        page: Any = pages.paginate_queryset(AccessToken.objects.filter(user=request.user), request, self)
        return pages.get_paginated_response([told(token) for token in page or ()])

    @extend_schema(request=TokenWish, responses={201: IssuedToken}, auth=AUTHENTICATION)
    def post(self, request: Request) -> Response:
        """Log in: a new access token. A refusal does not say which part was wrong."""
        serializer = TokenWish(data=request.data)
        serializer.is_valid(raise_exception=True)
        wish = serializer.validated_data
        person = self.who(request, wish)
        token, secret = issue_token(
            by=person,
            name=wish["name"],
            can_write=wish["scope"] == "write",
            experiments=wish.get("experiments"),
            days=wish.get("expires_in_days"),
            through=_shown(request),
        )
        return Response({**told(token), "token": secret}, status.HTTP_201_CREATED)

    def who(self, request: Request, wish: dict[str, Any]) -> Any:
        """Whose token it will be.

        Raises AuthenticationFailed, NotAuthenticated, PermissionDenied where a second factor must be set up first.
        """
        person: Any = request.user
        if "username" in wish:
            person = self.logged_in(request._request, wish["username"], wish["password"], wish["code"])
        if not person.is_authenticated:
            raise NotAuthenticated
        if codes.is_required(person) and not codes.has_second_factor(person):
            raise PermissionDenied("Set up your second factor first, in the browser at /accounts/2fa/.")
        return person

    def logged_in(self, request: Any, username: str, password: str, code: str) -> Any:
        """Raises AuthenticationFailed, Throttled."""
        try:
            person = passwords.checked(request, username, password, code)
        except TooManyGuesses as refusal:
            raise Throttled(refusal.seconds) from None
        if person is None:
            raise AuthenticationFailed("User name, password and code of the second factor do not belong together.")
        return person

    @extend_schema(operation_id="tokens_log_out", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out: the token of this request is revoked."""
        shown = _shown(request)
        if shown is None:
            raise ValidationError({"detail": "This request came with a session, not with a token."})
        revoke_token(token=shown, by=request.user, through=shown)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Token(StrictView):
    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: Any) -> Response:
        """Revoke a token: one of your own, or anybody's for administrators."""
        token = AccessToken.objects.visible_to(request.user).filter(pk=pk).first()
        if token is None:
            raise Http404("There is no such access token.")
        revoke_token(token=token, by=request.user, through=_shown(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
