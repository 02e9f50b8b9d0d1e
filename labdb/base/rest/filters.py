"""Query parameters: declared by the view, read strictly, everything else a 400.

A mistyped filter must never feed a statistic, so unknown, empty and repeated parameters are refused on every endpoint.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend

from labdb.base.fields import NumericField
from labdb.base.rest.serializers import InstantField

LOOKUPS = ("gte", "gt", "lte", "lt", "icontains", "isnull")
FIELDS: tuple[tuple[type[models.Field], type[serializers.Field]], ...] = (
    (models.UUIDField, serializers.UUIDField),
    (models.BooleanField, serializers.BooleanField),
    (models.DateTimeField, InstantField),
    (models.DateField, serializers.DateField),
    (models.IntegerField, serializers.IntegerField),
    (models.FloatField, serializers.FloatField),
    (models.CharField, serializers.CharField),
)


def parameter_field(model: type[models.Model], name: str) -> serializers.Field:
    """The field that reads the parameter ``name``: a path of fields of ``model``, then perhaps one of LOOKUPS."""
    parts = name.split("__")
    lookup = parts.pop() if parts[-1] in LOOKUPS else "exact"
    field: Any = None
    for part in parts:
        field = (field.related_model if field else model)._meta.get_field(part)
    if lookup == "isnull":
        return serializers.BooleanField()
    if field.is_relation:
        field = field.target_field
    if field.choices and lookup == "exact":
        return serializers.ChoiceField(choices=field.choices)
    if isinstance(field, NumericField):
        return serializers.DecimalField(max_digits=None, decimal_places=None)
    return next(made() for kind, made in FIELDS if isinstance(field, kind))


def refuse_unknown(request: Any, known: Iterable[str]) -> None:
    """Raises ValidationError naming every parameter that is not in ``known``, empty, or given more than once."""
    known = set(known)
    problems: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            expected = f"Expected one of: {', '.join(sorted(known))}." if known else "None is expected here."
            problems[name] = [f"There is no query parameter of this name. {expected}"]
        elif len(values) > 1:
            problems[name] = ["This parameter is given more than once."]
        elif values[0] == "":
            problems[name] = ["This parameter is empty."]
    if problems:
        raise ValidationError(problems)


class DeclaredFilters(BaseFilterBackend):
    """Keeps the rows that match all of the view's ``filters`` that the request gives."""

    def filter_queryset(self, request: Any, queryset: QuerySet, view: Any) -> QuerySet:
        conditions: dict[str, Any] = {}
        problems: dict[str, Any] = {}
        for name in view.filters:
            if name not in request.query_params:
                continue
            try:
                conditions[name] = parameter_field(queryset.model, name).run_validation(request.query_params[name])
            except ValidationError as error:
                problems[name] = error.detail
        if problems:
            raise ValidationError(problems)
        return queryset.filter(**conditions) if conditions else queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        model = view.serializer_class.Meta.model
        return [
            {"name": name, "in": "query", "required": False, "schema": _schema(parameter_field(model, name))}
            for name in view.filters
        ]


def _schema(field: serializers.Field) -> dict[str, Any]:
    if isinstance(field, serializers.ChoiceField):
        values = list(field.choices)
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}
    known: dict[type, dict[str, Any]] = {
        serializers.UUIDField: {"type": "string", "format": "uuid"},
        serializers.BooleanField: {"type": "boolean"},
        InstantField: {"type": "string", "format": "date-time"},
        serializers.DateField: {"type": "string", "format": "date"},
        serializers.IntegerField: {"type": "integer"},
        serializers.FloatField: {"type": "number"},
        serializers.DecimalField: {"type": "number"},
    }
    return known.get(type(field), {"type": "string"})
