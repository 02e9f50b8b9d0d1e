"""Parameters of an assay kind: from what a person typed to the kind's own checked dataclass."""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal, InvalidOperation
from types import ModuleType
from typing import Any

from django.core.exceptions import ValidationError


class _Unfit(ValueError):
    """A value that is not of the parameter's type; the text says what was expected."""


def kind_module(key: str) -> ModuleType:
    """The assay kind. Raises ValidationError for an unknown one."""
    from assays.kinds import KINDS  # numeric libraries: loaded where they are needed

    if key not in KINDS:
        raise ValidationError({"kind": f"“{key}” is not an assay kind; expected one of {', '.join(KINDS)}."})
    return KINDS[key]


def parameters_of(kind: str, given: Mapping[str, Any]) -> Any:
    """The kind's ``Parameters`` made of ``given``; what is left out takes its default.

    Raises ValidationError at ``parameters`` with everything that is wrong, at once.
    """
    from assays.kinds import ParameterError

    described = kind_module(kind).Parameters
    if not isinstance(given, Mapping):
        raise ValidationError({"parameters": "Expected an object of parameter names and values."})
    hints = typing.get_type_hints(described)
    problems = [f"{name}: unknown parameter; expected one of {', '.join(hints)}" for name in given if name not in hints]
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(described) if field.name in given):
        try:
            values[name] = _coerced(given[name], hints[name])
        except _Unfit as unfit:
            problems.append(f"{name}: “{given[name]}” — expected {unfit}")
    try:
        made = described(**values)
    except ParameterError as error:
        problems += [str(problem) for problem in error.problems]
    if problems:
        raise ValidationError({"parameters": problems})
    return made


def stored_parameters(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` completed with the defaults, as JSON with exact numbers as text. Raises ValidationError."""
    made = asdict(parameters_of(kind, given))
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in made.items()}


def _coerced(value: Any, hint: Any) -> Any:
    wanted = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    if value is None or value == "":
        if type(None) in wanted:
            return None
        raise _Unfit("a value")
    return _READ[next(each for each in wanted if each is not type(None))](value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unfit("a text")
    return value


def _yes_no(value: Any) -> bool:
    known = {True: True, False: False, "true": True, "false": False}
    if isinstance(value, (bool, str)) and value in known:
        return known[value]
    raise _Unfit("true or false")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not str(value).strip().lstrip("-").isdecimal():
        raise _Unfit("a whole number")
    return int(value)


def _exact(value: Any) -> Decimal:
    try:
        number = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        raise _Unfit("a number with a decimal point") from None
    if isinstance(value, bool) or not number.is_finite():
        raise _Unfit("a finite number")
    return number


_READ: dict[Any, Callable[[Any], Any]] = {str: _text, bool: _yes_no, int: _whole, Decimal: _exact}
