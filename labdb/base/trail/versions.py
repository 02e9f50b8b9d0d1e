"""The version of a row: the id of its last entry in the trail."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Max

from labdb.base.trail.visibility import TrailQuerySet


def version_of(row: models.Model) -> int:
    """The id of the row's last entry in the trail, 0 where it has none."""
    return versions_of(type(row), [row.pk]).get(row.pk, 0)


def versions_of(model: type[models.Model], pks: Iterable[Any]) -> dict[Any, int]:
    """Versions of rows by primary key, in one query; rows without entries are left out."""
    from labdb.base.trail.models import TrailEntry

    by_id = {str(pk): pk for pk in pks}
    entries = TrailEntry.objects.filter(table_name=model._meta.db_table, row_id__in=list(by_id))
    found = entries.order_by().values("row_id").annotate(last=Max("id")).values_list("row_id", "last")
    return {by_id[row_id]: last for row_id, last in found}


def changes_since(model: type[models.Model], pk: Any, version: int) -> TrailQuerySet:
    """The row's entries after ``version``, the earliest first, with their statements and people."""
    from labdb.base.trail.models import TrailEntry

    entries = TrailEntry.objects.of_row(model, pk).filter(id__gt=version)
    return entries.select_related("statement__person").order_by("id")
