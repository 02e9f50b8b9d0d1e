"""Grid entry: a page on which the cells of many animals are filled from the keyboard; REST takes them."""

import json
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from experiments.admin.grid_kinds import KINDS, NAME, GridKind
from experiments.admin.grid_rows import Column, add_earlier_values, animals_by_cage, grid_rows
from experiments.admin.links import page_url
from experiments.models import Endpoint, Experiment, Observation
from labdb.base.access import require

MOST_CELLS = 3_000  # of a page; more are asked for cage by cage
ALL = "every cage"
NUMBERS = (Endpoint.ValueKind.QUANTITY, Endpoint.ValueKind.COUNT, Endpoint.ValueKind.SCORE)


class DayWidget(UnfoldAdminTextInputWidget):
    input_type = "date"

    def format_value(self, value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value or "")


def grid_urls(model_admin: Any) -> list[URLPattern]:
    """The addresses of grids, below the experiment's."""

    def view(request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        experiment = model_admin.visible_row(request, object_id)
        if kind not in KINDS:
            raise Http404("There is no such grid.")
        require(request.user, "add", Observation(experiment=experiment))
        context = {**model_admin.admin_site.each_context(request), "opts": model_admin.model._meta}
        request.current_app = model_admin.admin_site.name
        return TemplateResponse(request, "experiments/grid.html", context | grid(request, experiment, KINDS[kind]))

    return [path("<path:object_id>/grid/<slug:kind>/", model_admin.admin_site.admin_view(view), name=NAME)]


def _form(kind: GridKind, asked: Any, user: Any) -> forms.Form:
    """What the grid shows: fields that the kind has nothing to choose for are left out."""
    fields: dict[str, forms.Field] = {}
    if not kind.endpoint:
        known = {each.endpoint for each in KINDS.values()}
        choices = Endpoint.objects.visible_to(user).filter(value_kind__in=NUMBERS).exclude(key__in=known)
        fields["endpoint"] = forms.ModelChoiceField(choices, to_field_name="key", widget=UnfoldAdminSelectWidget)
    fields["day"] = forms.DateField(required=False, widget=DayWidget, label="Last day" if len(kind.days) > 1 else "Day")
    if len(kind.days) > 1:
        choices_of_days = [(n, f"{n} days" if n > 1 else "1 day") for n in sorted(kind.days)]
        fields["days"] = forms.TypedChoiceField(
            choices=choices_of_days, coerce=int, required=False, widget=UnfoldAdminSelectWidget, label="Shown"
        )
    fields["cage"] = forms.CharField(required=False, max_length=60, widget=UnfoldAdminSelectWidget)
    if not kind.endpoint:
        fields["sides"] = forms.BooleanField(required=False, label="Left and right", widget=UnfoldBooleanWidget)
    return type("GridForm", (forms.Form,), fields)(asked)


def grid(request: HttpRequest, experiment: Experiment, kind: GridKind) -> dict[str, Any]:
    """The context of the page."""
    asked = {"day": timezone.localdate().isoformat(), "days": kind.days[0], **request.GET.dict()}
    form = _form(kind, asked, request.user)
    form.is_valid()
    day = form.cleaned_data.get("day") or timezone.localdate()
    endpoint = Endpoint.objects.get(key=kind.endpoint) if kind.endpoint else form.cleaned_data.get("endpoint")
    context = {
        "title": f"{kind.title} · {experiment}",
        "kind": kind,
        "day": day,
        "experiment": experiment,
        "experiment_url": page_url(experiment),
        "form": form,
        "has_asked": "endpoint" in request.GET or bool(kind.endpoint),
        "kinds": [(each, each.url(experiment)) for each in KINDS.values()],
        **_neighbours(request, day, form),
    }
    animals = animals_by_cage(experiment, day, request.user)
    cages = list(dict.fromkeys(cage for cage, _ in animals))
    form.fields["cage"].widget.choices = [("", ALL), *((cage, cage) for cage in cages)]
    if endpoint is None or form.errors:
        return context
    chosen = form.cleaned_data.get("cage")
    of_cage = [pair for pair in animals if not chosen or pair[0] == chosen]
    return context | _table(request, experiment, kind, endpoint, _columns(kind, day, form.cleaned_data), of_cage)


def _columns(kind: GridKind, day: date, chosen: dict[str, Any]) -> list[Column]:
    if chosen.get("sides"):
        return [(day, "L"), (day, "R")]
    n = chosen.get("days") or kind.days[0]
    return [(day - timedelta(days=before), None) for before in reversed(range(n))]


def _table(
    request: HttpRequest,
    experiment: Experiment,
    kind: GridKind,
    endpoint: Endpoint,
    columns: list[Column],
    animals: list[Any],
) -> dict[str, Any]:
    if len(animals) * len(columns) > MOST_CELLS:
        return {"n_too_many": len(animals) * len(columns)}
    rows = grid_rows(experiment, endpoint, columns, animals, request.user)
    has_earlier = len(columns) == 1 and not kind.keys
    if has_earlier:
        add_earlier_values(
            rows, experiment, endpoint, columns[0][0], request.user, has_reference=bool(kind.loss_percent)
        )
    cages: dict[str, list[Any]] = {}
    for row in rows:
        cages.setdefault(row.cage, []).append(row)
    return {
        "cages": cages,
        "columns": [{"day": day, "side": {"L": "Left", "R": "Right"}.get(side or "", "")} for day, side in columns],
        "endpoint": endpoint,
        "n_left_out": len(animals) - len(rows),
        "has_earlier": has_earlier,
        "has_percent": has_earlier and bool(kind.loss_percent),
        "n_columns": len(columns) + 1 + has_earlier + (has_earlier and bool(kind.loss_percent)),
        "settings": json.dumps(_settings(request, experiment, kind, endpoint)),
    }


def _settings(request: HttpRequest, experiment: Experiment, kind: GridKind, endpoint: Endpoint) -> dict[str, Any]:
    """What the page's script must know."""
    low, high = endpoint.plausible_low, endpoint.plausible_high
    return {
        "endpoint": str(endpoint.pk),
        "person": str(request.user.pk),
        "unit": endpoint.unit,
        "keys": kind.keys,
        "low": None if low is None else f"{low:f}",
        "high": None if high is None else f"{high:f}",
        "lossPercent": kind.loss_percent,
        "hasLimits": endpoint.value_kind == Endpoint.ValueKind.QUANTITY and not kind.loss_percent,
        "recordUrl": reverse("experiments-record-grid", args=[experiment.pk]),
        "correctUrl": reverse("experiments-correct-grid", args=[experiment.pk]),
        "store": f"labdb-grid:{request.user.pk}:{experiment.pk}:{endpoint.pk}",
    }


def _neighbours(request: HttpRequest, day: date, form: forms.Form) -> dict[str, str]:
    """The same grid of the days before and after."""
    shift = form.cleaned_data.get("days") or 1
    urls = {}
    for name, by in (("before_url", -shift), ("after_url", shift)):
        query = request.GET.copy()
        query["day"] = (day + timedelta(days=by)).isoformat()
        urls[name] = f"?{query.urlencode()}"
    return urls if day + timedelta(days=shift) <= timezone.localdate() else {**urls, "after_url": ""}
