"""The rows that a table's cells name, found in a fixed number of queries, whatever the number of rows."""

from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q

from experiments.actions.imports.tables.columns import Column
from experiments.actions.imports.tables.reading import Cells

Found = dict[tuple[Any, str], list[models.Model]]  # (experiment's key, name) → rows


class Links:
    """Replaces the names in the cells by keys; ``rows`` holds what was found, by key, for rules that read it.

    A row that the person may not see is answered like one that does not exist.
    """

    def __init__(self, cells: Cells, by: Any) -> None:
        self.cells, self.by = cells, by
        self.rows: dict[str, dict[UUID, models.Model]] = {}
        self.ids = [uuid4() for _ in cells.numbers]  # of the rows that the file adds

    def resolve(self) -> None:
        columns = [column for column in self.cells.table.columns if column.target is not None]
        for column in sorted(columns, key=lambda each: bool(each.key.within)):  # those that others are sought in first
            self._resolve(column)

    def _resolve(self, column: Column) -> None:
        names = self.cells.values[column.header]
        scopes = self._scopes(column)
        found = self._found(column, set(filter(None, names)), set(scopes))
        own = self._own(column, scopes)
        keys: list[UUID | None] = []
        for index, (name, scope) in enumerate(zip(names, scopes, strict=True)):
            key = None
            if name and not (column.key.within and scope is None and self._is_scope_wrong(column, index)):
                key = own.get((scope, name)) or self._one(column, index, found.get((scope, name), []), name, scope)
            keys.append(key)
        self.cells.values[column.header] = keys

    def _scopes(self, column: Column) -> list[Any]:
        within = column.key.within
        known = within and within in {each.header for each in self.cells.table.columns}
        return self.cells.values[within] if known else [None] * len(self.cells.numbers)

    def _is_scope_wrong(self, column: Column, index: int) -> bool:
        """The experiment's own cell was refused, so that nothing is said of what should stand in it."""
        return bool(str(self.cells.shown(index, column.key.within) or "").strip())

    def _found(self, column: Column, names: set[str], scopes: set[Any]) -> Found:
        target, key = column.target, column.key
        if not names or target is None:
            return {}
        rows = target._default_manager.visible_to(self.by).filter(**{f"{key.name}__in": names})  # type: ignore[attr-defined]
        may_be_free = key.within and target._meta.get_field(key.within).null
        if key.within:
            inside = Q(**{f"{key.within}__in": scopes - {None}})
            rows = rows.filter(inside | Q(**{f"{key.within}__isnull": True}) if may_be_free else inside)
        found: Found = defaultdict(list)
        self.rows[column.header] = {}
        for row in rows.select_related(*key.joined):
            self.rows[column.header][row.pk] = row
            scope = getattr(row, f"{key.within}_id") if key.within else None
            for each in scopes if key.within and scope is None else (scope,):
                found[each, _named(row, key.name)].append(row)
        return found

    def _own(self, column: Column, scopes: list[Any]) -> dict[tuple[Any, str], UUID]:
        """Rows that the file itself adds, where the column names rows of its own table."""
        if column.target is not self.cells.table.model:
            return {}
        names = self.cells.values[self.cells.table.by_field[column.key.name].header]
        return {(scope, name): key for scope, name, key in zip(scopes, names, self.ids, strict=True) if name}

    def _one(self, column: Column, index: int, found: list[models.Model], name: str, scope: Any) -> UUID | None:
        if len(found) == 1:
            return found[0].pk
        told = str(column.target._meta.verbose_name)  # type: ignore[union-attr]
        if found:
            sentence = f"“{name}” names {len(found)} {column.target._meta.verbose_name_plural}; one is expected."  # type: ignore[union-attr]
        else:
            code = str(self.cells.shown(index, column.key.within) or "") or self._code(scope)
            within = code or "the laboratory"
            missing = column.key.missing or f"There is no {told} “{{value}}”" + (f" in {within}." if code else ".")
            sentence = missing.format(value=name, within=within)
        self.cells.refuse(index, column.header, sentence, f"unknown_{column.header}")
        return None

    def _code(self, scope: Any) -> str:
        known = self.rows.get("experiment", {}).get(scope)
        return str(known) if known else ""


def _named(row: Any, path: str) -> str:
    for step in path.split("__"):
        row = getattr(row, step)
    return row
