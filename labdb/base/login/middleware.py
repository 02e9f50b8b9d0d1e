"""What log-in asks of every request: a second factor where the laboratory wants one, an end to idle sessions."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from labdb.base.login import codes, devices
from labdb.base.login.limiter import TooManyGuesses

OPEN = ("/accounts/", "/static/", "/api/v1/tokens")


class LogInMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        lacking = _second_factor_page(request) if has_session else None
        response = lacking or self.get_response(request)
        if has_session:
            request.session.keep_alive()  # type: ignore[attr-defined]
        devices.set_cookie(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyGuesses):
            return None
        response = render(request, "labdb/login/too_many.html", {"problem": exception}, status=429)
        response["Retry-After"] = str(exception.seconds)
        return response


def _second_factor_page(request: Any) -> HttpResponse | None:
    """Where a person is led who must set up a second factor first; None for everyone else."""
    if settings.LABDB_REQUIRE_SECOND_FACTOR == "off" or request.path_info.startswith(OPEN):
        return None
    if not request.user.is_authenticated or not codes.is_required(request.user):
        return None
    if codes.has_second_factor(request.user):
        return None
    if request.path_info.startswith("/api/"):
        return JsonResponse({"detail": "Set up your second factor first, at /accounts/2fa/."}, status=403)
    messages.info(request, "This laboratory asks you for a second factor. Set it up to go on.")
    return HttpResponseRedirect(reverse("mfa_activate_totp"))
