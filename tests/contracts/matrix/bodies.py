"""Requests that are valid but for the permission: made from a model's own values, the schema and the pages' own forms."""

import json
from collections.abc import Iterable
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from tests.contracts.matrix.addresses import Address
from tests.contracts.matrix.special import BODIES, CHANGES
from tests.contracts.matrix.world import Situation

REASON = "because the matrix asks"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Form(HTMLParser):
    """What a browser would send of the page's POST form, untouched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._is_inside = False
        self._select: str | None = None
        self._is_chosen = False
        self._text: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name = given.get("name", "")
        if tag == "form":
            self._is_inside = given.get("method", "").lower() == "post" and "logout" not in given.get("action", "")
        elif not self._is_inside:
            return
        elif tag == "input" and name and given.get("type") not in ("submit", "button", "file"):
            is_box = given.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in given:
                self.fields.setdefault(name, []).append(given.get("value", "on" if is_box else ""))
        elif tag == "select" and name:
            self._select, self._is_chosen = name, False
        elif tag == "option" and self._select and "selected" in given:
            self.fields.setdefault(self._select, []).append(given.get("value", ""))
        elif tag == "textarea" and name:
            self._text = name
            self.fields.setdefault(name, [""])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields[self._text][0] += data


def rest_body(address: Address, method: str, place: Situation) -> dict[str, Any]:
    """The JSON or multipart members of a write over REST."""
    special = BODIES.get(address.name)
    if special is not None and method == "POST":
        return special(place)
    serializer = getattr(getattr(address.view, "cls", None), "serializer_class", None)
    action = (getattr(address.view, "actions", None) or {}).get(method.lower())
    if serializer is None or action not in ("create", "partial_update"):
        return {"reason": REASON} if action in ("reject", "mask", "unmask", "exclude", "close", "reopen") else {}
    new = place.new.get(address.model, {})
    names = [name for name, field in serializer().fields.items() if not field.read_only]
    if action == "create":
        return {name: _plain(new[name]) for name in names if name in new}
    fixed = {*getattr(address.model, "fixed_once_made", ()), *getattr(address.model, "fixed_once_set", ())}
    free = [name for name in names if name not in fixed and hasattr(address.model, name)]
    return changes_of(address.model, free, new) | {"reason_for_change": REASON}


def changes_of(model: Any, names: Iterable[str], new: dict[str, Any]) -> dict[str, Any]:
    """One harmless field of ``names``, set to something else."""
    if model in CHANGES:
        return CHANGES[model]
    for name in names:
        field = model._meta.get_field(name)
        if isinstance(field, PLAIN) and not field.choices and name in new:
            return {name: _plain(new[name])}
    return {}


PLAIN = (models.CharField, models.TextField, models.DateField, models.TimeField)


def form_body(address: Address, page: str, place: Situation) -> dict[str, Any]:
    """The page's own form with a new row's values, or the answers that a verb asks for."""
    fields: dict[str, Any] = {
        name: values if len(values) > 1 else values[0] for name, values in Form(page).fields.items()
    }
    special = BODIES.get(f"{address.name} {address.values.get('name', '')}".strip())
    given: dict[str, Any] = special(place) if special else {}
    if address.name.endswith("_add") and special is None:
        given = place.new.get(address.model, {})  # type: ignore[arg-type]
    if address.model is not None and address.name.endswith("_change") and special is None:
        names = [column.name for column in address.model._meta.local_concrete_fields if column.name in fields]
        given = changes_of(address.model, names, place.new.get(address.model, {}))  # type: ignore[arg-type]
    for name, value in given.items():
        if isinstance(value, UploadedFile):
            fields[name] = value
        elif f"{name}_0" in fields and isinstance(value, datetime):
            local = timezone.localtime(value)
            fields[f"{name}_0"], fields[f"{name}_1"] = f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}"
        elif name in fields or name in _selects(page):
            fields[name] = _text(value)
    return {name: REASON if "reason" in name and not value else value for name, value in fields.items()}


def _selects(page: str) -> set[str]:
    return {part.split('"')[0] for part in page.split('<select name="')[1:]}


def _text(value: Any) -> str:
    plain = _plain(value)
    return "" if plain is None else json.dumps(plain) if isinstance(plain, dict) else str(plain)


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, (dict, list, bool, int, float)) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def encoded(body: dict[str, Any], *, is_json: bool) -> tuple[bytes, str]:
    """The bytes of a body and their content type."""
    if any(isinstance(value, UploadedFile) for value in body.values()):
        given = {name: value for name, value in body.items() if value is not None}
        return encode_multipart(BOUNDARY, given), MULTIPART_CONTENT
    if is_json:
        return json.dumps(body, default=str).encode(), JSON
    return urlencode(body, doseq=True).encode(), FORM
