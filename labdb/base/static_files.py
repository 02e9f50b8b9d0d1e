"""Addresses of the admin's own style sheet and icon, which the settings of its theme name."""

from django.http import HttpRequest
from django.templatetags.static import static


def styles(request: HttpRequest) -> str:
    return static("labdb/admin.css")


def icon(request: HttpRequest) -> str:
    return static("labdb/icon.svg")
