"""Dataclasses of templates to and from JSON, with every wrong key and type named."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class TemplateRefused(ValueError):
    """A template that cannot be used. `faults` names each key, what stands there and what was expected."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def decode(cls: type[T], data: Any) -> T:
    """Build `cls` from parsed JSON. Raises TemplateRefused with all faults."""
    faults: list[str] = []
    value = _object(cls, data, "", faults)
    if faults:
        raise TemplateRefused(faults)
    return typing.cast(T, value)


def encode(value: Any) -> dict[str, Any]:
    """The dataclass as JSON-ready dicts and lists; what equals its default is left out, except name, kind, version."""
    kept = {}
    for part in dataclasses.fields(value):
        item = getattr(value, part.name)
        default = part.default_factory() if part.default_factory is not dataclasses.MISSING else part.default
        if item != default or part.name in ("name", "kind", "version"):
            kept[part.name] = _plain(item)
    return kept


def _plain(item: Any) -> Any:
    if dataclasses.is_dataclass(item):
        return encode(item)
    if isinstance(item, Mapping):
        return {key: _plain(part) for key, part in item.items()}
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    return str(item) if isinstance(item, Decimal) else item


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _object(cls: type, data: Any, path: str, faults: list[str]) -> Any:
    if not isinstance(data, Mapping):
        faults.append(f"{path or 'template'}: {data!r:.80} — expected an object")
        return None
    known = {part.name: part for part in dataclasses.fields(cls)}
    before = len(faults)
    faults += [f"{path}{key}: unknown — expected one of {', '.join(known)}" for key in data if key not in known]
    for name, part in known.items():
        required = part.default is dataclasses.MISSING and part.default_factory is dataclasses.MISSING
        if required and name not in data:
            faults.append(f"{path}{name}: missing — expected a value")
    values = {name: _value(_hints(cls)[name], data[name], f"{path}{name}", faults) for name in known if name in data}
    return cls(**values) if len(faults) == before else None


def _value(hint: Any, data: Any, path: str, faults: list[str]) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if data is None else _value(inner[0], data, path, faults)
    if origin is tuple:
        if not isinstance(data, list | tuple):
            faults.append(f"{path}: {data!r:.80} — expected a list")
            return ()
        return tuple(_value(inner[0], item, f"{path}[{index}]", faults) for index, item in enumerate(data))
    if origin is Mapping and dataclasses.is_dataclass(inner[1]):
        if not isinstance(data, Mapping):
            faults.append(f"{path}: {data!r:.80} — expected an object")
            return {}
        return {key: _object(typing.cast(type, inner[1]), item, f"{path}.{key}.", faults) for key, item in data.items()}
    if origin is Mapping:
        if not isinstance(data, Mapping) or not all(isinstance(x, str) for pair in data.items() for x in pair):
            faults.append(f"{path}: {data!r:.80} — expected an object of texts")
            return {}
        return dict(data)
    if dataclasses.is_dataclass(hint):
        return _object(typing.cast(type, hint), data, f"{path}.", faults)
    if hint is Decimal:
        return _decimal(data, path, faults)
    if not isinstance(data, hint) or isinstance(data, bool) is not (hint is bool):
        faults.append(f"{path}: {data!r:.80} — expected {'text' if hint is str else 'a whole number'}")
    return data


def _decimal(data: Any, path: str, faults: list[str]) -> Decimal | None:
    try:
        number = Decimal(str(data))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(data, bool) or not number.is_finite():
        faults.append(f"{path}: {data!r:.80} — expected a number")
        return None
    return number
