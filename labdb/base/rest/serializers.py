"""Serializers that check a request's shape and leave every rule to the model."""

from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from labdb.base import reasons
from labdb.base.fields import NumericField


@extend_schema_field({"type": "number"})
class ExactNumberField(serializers.Field):
    """A JSON number kept with every digit; the model's own field judges its size."""

    default_error_messages = {"invalid": "“{value}” is not a number. A JSON number is expected, e.g. 21.4."}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, (int, float, Decimal)):
            self.fail("invalid", value=str(data)[:60])
        return Decimal(repr(data)) if isinstance(data, float) else Decimal(data)

    def to_representation(self, value: Any) -> Any:
        return value


class InstantField(serializers.DateTimeField):
    """An instant; a time without its zone is refused, never guessed."""

    default_error_messages = {"no_zone": "A time zone is missing, e.g. 2026-03-09T09:30:00+01:00."}

    def enforce_timezone(self, value: Any) -> Any:
        if timezone.is_naive(value):
            self.fail("no_zone")
        return super().enforce_timezone(value)


class JsonField(serializers.JSONField):
    """A JSON object; its numbers are stored as PostgreSQL's ``jsonb`` holds them."""

    default_error_messages = {"no_object": "A JSON object is expected."}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(_plain(data))
        if not isinstance(value, dict):
            self.fail("no_object")
        return value


def _plain(data: Any) -> Any:
    if isinstance(data, Decimal):
        return float(data)
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(each) for each in data] if isinstance(data, list) else data


class VisibleRelatedField(serializers.PrimaryKeyRelatedField):
    """A row given by its UUID. One that the user may not see is answered like one that does not exist."""

    default_error_messages = {"does_not_exist": "There is no {name} “{pk_value}”."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"pk_field": serializers.UUIDField(), **kwargs})

    def get_queryset(self) -> Any:
        queryset: Any = super().get_queryset()
        request = self.context.get("request")
        return queryset if queryset is None or request is None else queryset.visible_to(request.user)

    def to_internal_value(self, data: Any) -> Any:
        queryset = self.get_queryset()
        key = serializers.UUIDField().to_internal_value(data)
        found = queryset.filter(pk=key).first()
        if found is None:
            self.fail("does_not_exist", name=queryset.model._meta.verbose_name, pk_value=data)
        return found


class StrictNames:
    """Names that are unknown or not the client's to set are refused, not dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            fields: Any = self.fields  # type: ignore[attr-defined]
            writable = {name for name, field in fields.items() if not field.read_only}
            problems = {name: [_refusal(name in fields)] for name in data if name not in writable}
            if problems:
                raise serializers.ValidationError(problems)
        return super().to_internal_value(data)  # type: ignore[misc]


def _refusal(known: bool) -> str:
    return "This field is set by the program." if known else "There is no field of this name."


class StrictSerializer(StrictNames, serializers.Serializer):
    """The input of a verb."""


REASON = reasons.FIELD
REASON_HELP = "Why: asked for where a recorded value changes or a row is deleted (400 names it then)."


def reason_field() -> serializers.CharField:
    return serializers.CharField(write_only=True, required=False, max_length=reasons.LONGEST, help_text=REASON_HELP)


class DeletionSerializer(StrictSerializer):
    """The query parameters of a DELETE."""

    reason_for_change = reason_field()


class RecordSerializer(StrictNames, serializers.ModelSerializer):
    """The fields of one model over REST, declared once for reading and writing.

    Uniqueness, what is fixed once it is made or set, and every rule across fields are the model's: it answers with its
    own message, also when two requests race.
    """

    serializer_field_mapping: ClassVar[dict[type[models.Field], type[serializers.Field]]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        NumericField: ExactNumberField,
        models.DateTimeField: InstantField,
        models.JSONField: JsonField,
    }
    serializer_related_field = VisibleRelatedField

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__dict__.get("__doc__"):  # else the schema would describe every record by this class
            cls.__doc__ = cls.Meta.model.__doc__

    def get_fields(self) -> Any:
        fields = super().get_fields()
        if self.partial:
            fields[REASON] = reason_field()
        return fields

    def get_validators(self) -> list:
        return []

    def get_uniqueness_extra_kwargs(self, field_names: Any, declared_fields: Any, extra_kwargs: Any) -> tuple:
        return extra_kwargs, {}

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple:
        return _without_unique(super().build_standard_field(field_name, model_field))

    def build_relational_field(self, field_name: str, relation_info: Any) -> tuple:
        return _without_unique(super().build_relational_field(field_name, relation_info))


def _without_unique(built: tuple) -> tuple:
    kind, options = built
    validators = [v for v in options.get("validators", ()) if not hasattr(v, "queryset")]
    return kind, {**{k: v for k, v in options.items() if k != "validators"}, **_given(validators)}


def _given(validators: list) -> dict[str, list]:
    return {"validators": validators} if validators else {}


_columns: dict[type, tuple[tuple[str, ...], dict[str, models.F]]] = {}


def columns_of(serializer: type[serializers.Serializer]) -> tuple[tuple[str, ...], dict[str, models.F]]:
    """What ``.values()`` takes to read a serializer's fields: names, and expressions of fields with another source."""
    if serializer not in _columns:
        names, joined = [], {}
        for name, field in serializer().fields.items():
            if field.write_only:
                continue
            if field.source == name:
                names.append(name)
            else:
                joined[name] = models.F(str(field.source).replace(".", "__"))
        _columns[serializer] = (tuple(names), joined)
    return _columns[serializer]
