"""The table of invalid rows through the admin's forms: refused at the field that is to blame, nothing written."""

from datetime import datetime, time
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse
from django.utils import timezone

from experiments.models import Observation
from tests.doors.invalid_cases import CASES, VALID, WITHOUT_FIELD

pytestmark = pytest.mark.django_db

FORM_CASES = [case for case in CASES if case.model is not Observation]  # written by their verb alone
# Where the form says a general thing in words of its own.
FORM_WORDS = {"blank": "This field is required", "not a valid choice": "Select a valid choice"}
FORM_MODELS = [model for model in VALID if model is not Observation]


def form_data(model: type[models.Model], payload: dict[str, Any]) -> dict[str, str]:
    """What a browser sends for ``payload``: every field of the form, as text."""
    row = model(**{name: value for name, value in payload.items() if value is not None})
    data: dict[str, str] = {}
    for field in model._meta.concrete_fields:
        value = payload[field.name] if field.name in payload else getattr(row, field.attname, None)
        if value is None or value is False or not field.editable:
            continue
        if isinstance(value, models.Model):
            value = value.pk
        if isinstance(field, models.DateTimeField) and isinstance(value, datetime):
            local = timezone.localtime(value)
            data |= {f"{field.name}_0": f"{local:%Y-%m-%d}", f"{field.name}_1": f"{local:%H:%M:%S}"}
        else:
            data[field.name] = f"{value:%H:%M}" if isinstance(value, time) else str(value)
    return data | management_forms(model)


def management_forms(model: type[models.Model]) -> dict[str, str]:
    inlines = admin.site.get_model_admin(model).inlines
    prefixes = [
        inline.model._meta.get_field(_parent(inline, model)).remote_field.get_accessor_name() for inline in inlines
    ]
    return {f"{p}-{name}": "0" for p in prefixes for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


def _parent(inline: Any, model: type[models.Model]) -> str:
    return next(f.name for f in inline.model._meta.fields if f.is_relation and f.related_model is model)


def add(client: Any, model: type[models.Model], payload: dict[str, Any]) -> Any:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
    return client.post(url, form_data(model, payload))


@pytest.mark.parametrize("model", FORM_MODELS, ids=lambda model: model.__name__)
def test_the_valid_row_is_saved(model, world, client):
    client.force_login(world.person)
    before = model.objects.count()
    answer = add(client, model, VALID[model](world))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert model.objects.count() == before + 1


@pytest.mark.parametrize("case", FORM_CASES, ids=lambda case: case.name)
def test_the_invalid_row_is_refused_at_its_field(case, world, client):
    client.force_login(world.person)
    before = case.model.objects.count()
    answer = add(client, case.model, case.payload(world))
    assert answer.status_code == 200
    assert case.model.objects.count() == before
    errors = answer.context["adminform"].form.errors
    field = "__all__" if case.field == WITHOUT_FIELD else case.field
    said = " ".join(errors.get(field, []))
    assert case.message in said or FORM_WORDS.get(case.message, case.message) in said, errors
