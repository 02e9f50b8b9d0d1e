"""From a row's columns to its experiment, in SQL."""

from collections.abc import Sequence
from typing import Any

from django.db import models

NONE = "NULL::uuid"


def experiment_expression(model: type[models.Model] | None, columns: Sequence[str]) -> str:
    """What gives the experiment's id of the row ``v`` (JSON), over the model's ``experiment_path``.

    ``NULL`` where nothing does, or where a row may be of several experiments.
    """
    path = getattr(model, "experiment_path", None)
    for each in (path,) if isinstance(path, str) else path or ():
        if model is not None and each and not each.startswith("@") and not each.endswith("__isnull"):
            found = _over(model, each)
            if found:
                return found
    return _column("experiment_id") if "experiment_id" in columns else NONE


def _over(model: type[models.Model], path: str) -> str | None:
    if path == "self":
        key: Any = model._meta.pk
        return _column(key.column)
    fields: list[Any] = []
    here: Any = model
    for step in path.split("__"):
        field = here._meta.get_field(step)
        if field.one_to_many or field.many_to_many or not field.concrete:
            return None
        fields.append(field)
        here = field.related_model
    first, *others = fields
    if not others:
        return _column(first.column)
    joins, last = "", ""
    for number, field in enumerate(others, start=1):
        table = f'public."{field.model._meta.db_table}" t{number}'
        if number == 1:
            joins = table
        else:
            before = fields[number - 1]
            joins += f' JOIN {table} ON t{number}."{before.target_field.column}" = t{number - 1}."{before.column}"'
        last = f't{number}."{field.column}"'
    return f'(SELECT {last} FROM {joins} WHERE t1."{first.target_field.column}" = {_column(first.column)})'


def _column(name: str) -> str:
    return f"(v ->> '{name}')::uuid"
