"""Headers that keep a page from being read, framed, cached or filled with others' scripts.

The content security policy is strict (``CONTENT_SECURITY_POLICY`` of the settings) everywhere but under the admin, whose
theme evaluates expressions in the page (Alpine) and writes styles into it.
"""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

IN_THE_ADMIN = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}
NOT_NEEDED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
PERMISSIONS = ", ".join(f"{feature}=()" for feature in NOT_NEEDED)


class HeadersMiddleware:
    """Stands behind django-csp's middleware, which writes the policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.admin = ""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        self.admin = self.admin or reverse("admin:index")
        if request.path_info.startswith(self.admin):
            response._csp_replace = IN_THE_ADMIN  # type: ignore[attr-defined]
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Cache-Control", "no-store, private")
        return response


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form without the page's token; Django's own would bring its style along."""
    return render(request, "labdb/login/refused.html", status=403)
