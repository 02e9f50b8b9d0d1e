"""Pages of what is locked: told, not offered. The models and the database keep it."""

from typing import Any, ClassVar

from django.http import HttpRequest


class KeptWhenLocked:
    """For a ModelAdmin or an inline: nothing is added, changed or deleted where the row, or its ``whole``, is locked."""

    whole: ClassVar[str] = ""

    def _is_open(self, row: Any) -> bool:
        held = getattr(row, self.whole) if row is not None and self.whole and hasattr(row, self.whole) else row
        return getattr(held, "locked_at", None) is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        given = () if obj is None else (obj,)
        return self._is_open(obj) and super().has_add_permission(request, *given)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]
