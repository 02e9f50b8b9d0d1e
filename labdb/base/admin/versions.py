"""What a form was made from: the versions of its row and of its inline rows, signed into the form."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db import models
from django.forms.models import _get_foreign_key
from django.http import HttpRequest

from labdb.base.trail import versions_of

FIELD = "_versions"


@dataclass(frozen=True)
class Versions:
    """Version by model label and primary key. A row that is not in it was unknown to the form: version 0."""

    known: dict[str, dict[str, int]]

    def of(self, model: type[models.Model], key: Any) -> int:
        return self.known.get(model._meta.label, {}).get(str(key), 0)

    def knows(self, model: type[models.Model], key: str) -> bool:
        return key in self.known.get(model._meta.label, {})


def sign(request: HttpRequest, model: type[models.Model], key: Any, versions: Versions) -> str:
    return signing.dumps(versions.known, salt=_salt(request, model, key), compress=True)


def read(request: HttpRequest, model: type[models.Model], key: Any) -> Versions | None:
    """What the sent form was made from; None where it does not say so, or says it of another row or person."""
    try:
        return Versions(signing.loads(request.POST.get(FIELD, ""), salt=_salt(request, model, key)))
    except signing.BadSignature:
        return None


def _salt(request: HttpRequest, model: type[models.Model], key: Any) -> str:
    return f"labdb.edit:{model._meta.label}:{key}:{request.user.pk}"


def present(rows: Iterable[tuple[type[models.Model], Iterable[Any]]]) -> Versions:
    """The versions that now stand of ``rows``: models with their keys."""
    known: dict[str, dict[str, int]] = {}
    for model, keys in rows:
        wanted = list(keys)
        found = versions_of(model, wanted) if wanted else {}
        told = {str(key): version for key, version in found.items()}
        known.setdefault(model._meta.label, {}).update({str(key): told.get(str(key), 0) for key in wanted})
    return Versions(known)


def of_form(model_admin: Any, request: HttpRequest, row: models.Model) -> Versions:
    """The versions of everything that a change form of ``row`` shows. Asked before the rows themselves are read."""
    rows: list[tuple[type[models.Model], Iterable[Any]]] = [(type(row), [row.pk])]
    for inline in model_admin.get_inline_instances(request, row):
        parent = _get_foreign_key(model_admin.model, inline.model, fk_name=inline.fk_name)
        keys = inline.get_queryset(request).filter(**{parent.name: row.pk}).values_list("pk", flat=True)
        rows.append((inline.model, keys))
    return present(rows)
