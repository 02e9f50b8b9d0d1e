"""Operations of the backend."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import operations as django_operations

TRAIL = ("labdb_trailstatement", "labdb_trailentry")


class DatabaseOperations(django_operations.DatabaseOperations):
    """Django's. ``flush`` empties every table but the trail, which tells of it."""

    def sql_flush(self, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        return super().sql_flush(style, [table for table in tables if table not in TRAIL], **options)
