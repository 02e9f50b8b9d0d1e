"""How Django's ``authenticate`` and every door behind it lets somebody in."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from labdb.base.login import passwords


class LimitedBackend(ModelBackend):
    """User name and password, never more often than the limiter allows."""

    def authenticate(self, request: Any, username: str | None = None, password: str | None = None, **other: Any) -> Any:
        if not username or not password:
            return None
        return passwords.checked(request, username, password)
