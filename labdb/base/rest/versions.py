"""Versions of rows over REST: ``ETag``, ``If-Match``, ``If-None-Match``, and what changed since the client read a row.

The tag of a row is its version, the id of its last entry in the trail; where an answer holds computed fields as well, a
short digest of them follows (``"4711-0badcafe"``), so that a cached answer is never a wrong one. For ``If-Match`` the
version alone counts. A tag that a proxy has made weak (``W/"4711"``) is taken like the tag itself.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.db import models
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError

from labdb.base.rest.wire import to_json
from labdb.base.trail import changes_since, versions_of

TAG = re.compile(r'(?:W/)?"([^"\x00-\x20]*)"')
TAGS = re.compile(rf"\s*(?:{TAG.pattern}\s*,\s*)*{TAG.pattern}\s*")
ANY = "*"


class NotConditional(APIException):
    """428: a change did not say which version of the row it was made from."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = (
        "Send the header If-Match with the ETag that came with this row when you read it (GET this address), "
        "or “If-Match: *” to change whatever stands."
    )


class Stale(APIException):
    """412: the row changed since the client read it; the answer tells what changed."""

    status_code = status.HTTP_412_PRECONDITION_FAILED

    def __init__(self, version: int, changed: list[dict[str, Any]]) -> None:
        super().__init__()
        told = "The row has changed since you read it; nothing was written. Read it again and decide."
        self.detail: Any = {"detail": told, "version": version, "changed": changed}


def current_version(model: type[models.Model], pk: Any) -> int:
    """The version of a row, 0 where it has none."""
    return versions_of(model, [pk]).get(pk, 0)


def tag_of(model: type[models.Model], row: Mapping[str, Any], version: int) -> str:
    """The ETag of ``row`` as it is answered."""
    stored = {field.name for field in model._meta.local_concrete_fields}
    computed = {name: value for name, value in row.items() if name not in stored}
    if not computed:
        return f'"{version}"'
    return f'"{version}-{hashlib.sha256(to_json(computed)).hexdigest()[:8]}"'


def tags_in(header: str, name: str) -> list[str]:
    """The tags of an ``If-Match`` or ``If-None-Match``, without quotes; ``["*"]`` for any. Raises ValidationError."""
    if header.strip() == ANY:
        return [ANY]
    if len(header) > 1000 or not TAGS.fullmatch(header):
        raise ValidationError({name: [f'“{header[:60]}” is not *, and no list of tags like "4711".']})
    return TAG.findall(header)


def versions_in(header: str) -> list[int] | None:
    """The versions that an ``If-Match`` names; None for ``*``. Tags that are no version of ours name none."""
    tags = tags_in(header, "If-Match")
    if tags == [ANY]:
        return None
    numbers = [tag.partition("-")[0] for tag in tags]
    return [int(number) for number in numbers if number.isascii() and number.isdecimal() and len(number) < 19]


def told_changes(
    record: models.Model, now: Mapping[str, Any], seen: int, yours: Any, person: Any
) -> list[dict[str, Any]]:
    """What happened to the fields in ``now`` (the row as it is answered) after the version ``seen``, by field.

    ``was`` is the value then, ``by``, ``at`` and ``reason`` are of the latest change; ``yours`` is given where the request
    would have set the field.
    """
    fields = {f.column: f for f in record._meta.local_concrete_fields}
    told: dict[str, dict[str, Any]] = {}
    entries: Any = changes_since(type(record), record.pk, seen)
    for entry in entries.visible_to(person):
        if entry.old is None or entry.new is None:
            continue
        for column, was in entry.old.items():
            field = fields.get(column)
            if field is None or field.name not in now:
                continue
            change = told.setdefault(field.name, {"field": field.name, "was": _as_answered(field, was)})
            who = entry.statement.person
            change |= {
                "now": now[field.name],
                "by": entry.statement.db_role if who is None else who.username,
                "at": entry.statement.at,
                "reason": entry.statement.reason,
            }
    for name, change in told.items():
        if isinstance(yours, Mapping) and name in yours:
            change["yours"] = yours[name]
    return list(told.values())


def _as_answered(field: Any, stored: Any) -> Any:
    """A value of the trail as the row's own answer would hold it: an instant in UTC, a number with its digits."""
    target = field.target_field if field.is_relation else field
    return target.to_python(stored) if isinstance(target, (models.DateTimeField, models.DecimalField)) else stored
