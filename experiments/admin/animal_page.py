"""The animal's page: its line of life, its weights, what was observed on it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from experiments.admin.curve import Point, weight_curve
from experiments.admin.links import instant, link, list_url, page_url
from experiments.admin.numbers import told_value
from experiments.derived import Cycled, cycles_of
from experiments.models import (
    Allocation,
    Animal,
    Disposition,
    Enrolment,
    Housing,
    Observation,
    Procedure,
    Specimen,
)
from experiments.rules.estrous_cycle import Stage
from labdb.base.access import unmasked_experiments
from labdb.base.panels import Panel, register_panel

PAGE = "animal"
WEIGHT = "body_weight"
SHOWN_OBSERVATIONS = 60

Event = tuple[date | None, str, Any, str]


@dataclass(frozen=True)
class Weighed:
    """A weight above zero with its unit as told, on a day counted from day 0."""

    study_day: int
    value: Decimal
    told: str


def life(request: HttpRequest, animal: Any) -> dict[str, Any]:
    """Everything dated, in its order; what has no date stands last."""
    events: list[Event] = []
    if animal.born_on:
        litter = f"litter {animal.litter_code}" if animal.litter_code else ""
        events.append((animal.born_on, "Born", litter, ""))
    for collect in (_housing, _enrolments, _procedures, _specimens, _dispositions):
        events += collect(request, animal)
    events.sort(key=lambda event: (event[0] is None, event[0] or date.min))
    names = ("on", "what", "detail", "note")
    return {"events": [dict(zip(names, event, strict=True)) for event in events]}


def _housing(request: HttpRequest, animal: Animal) -> list[Event]:
    rows = Housing.objects.visible_to(request.user).filter(animal=animal).select_related("cage")
    return [(h.started_on, "Moved into cage", h.cage, f"until {h.ended_on}" if h.ended_on else "") for h in rows]


def _enrolments(request: HttpRequest, animal: Animal) -> list[Event]:
    knows = Q(experiment__in=unmasked_experiments(request.user))
    rows = Enrolment.objects.visible_to(request.user).filter(animal=animal).annotate(knows_arm=knows)
    visible = Allocation.objects.visible_to(request.user).filter(enrolment__animal=animal).select_related("arm")
    arms = {allocation.enrolment_id: f"arm {allocation.arm}" for allocation in visible}
    return [
        (e.day_0, "Day 0 in", link(e.experiment), arms.get(e.pk, "in no arm yet") if e.knows_arm else "blinded")
        for e in rows.select_related("experiment")
    ]


def _procedures(request: HttpRequest, animal: Animal) -> list[Event]:
    rows = Procedure.objects.visible_to(request.user).filter(enrolment__animal=animal)
    related = rows.select_related("induction", "dose__product")
    return [(p.performed_on, p.name.capitalize(), _what_was_given(p), p.deviation) for p in related]


def _what_was_given(procedure: Procedure) -> str:
    given = getattr(procedure, "induction", None) or getattr(procedure, "dose", None)
    return ", ".join(filter(None, [str(given or ""), procedure.description]))


def _specimens(request: HttpRequest, animal: Animal) -> list[Event]:
    rows = Specimen.objects.visible_to(request.user).filter(animal=animal)
    return [
        (timezone.localdate(s.collected_at), f"{s.get_matrix_display()} taken".capitalize(), link(s), "") for s in rows
    ]


def _dispositions(request: HttpRequest, animal: Animal) -> list[Event]:
    rows = Disposition.objects.visible_to(request.user).filter(enrolment__animal=animal)
    return [(d.occurred_on, str(d.get_kind_display()).capitalize(), d.note, "") for d in rows]


def weights(request: HttpRequest, animal: Animal) -> dict[str, Any]:
    """One curve an enrolment: percent of the weight on day 0, or of the first weight where there is none that day."""
    curves = []
    enrolments = Enrolment.objects.visible_to(request.user).filter(animal=animal, day_0__isnull=False)
    for enrolment in enrolments.select_related("experiment"):
        rows = Observation.objects.visible_to(request.user).filter(
            animal=animal, experiment=enrolment.experiment, endpoint__key=WEIGHT, is_current=True, value__gt=0
        )
        weighed = [
            Weighed((timezone.localdate(row.observed_at) - enrolment.day_0).days, row.value, told_value(row))
            for row in rows.order_by("observed_at")
            if enrolment.day_0 is not None and row.value is not None
        ]
        if weighed:
            curves.append(_curve(enrolment, weighed))
    return {"curves": curves}


def _curve(enrolment: Enrolment, weighed: list[Weighed]) -> dict[str, Any]:
    on_day_0 = next((one for one in weighed if one.study_day == 0), None)
    reference = on_day_0 or weighed[0]
    points = [
        Point(one.study_day, float(100 * one.value / reference.value), f"day {one.study_day}: {one.told}")
        for one in weighed
    ]
    lowest, latest = min(points, key=lambda p: p.percent), points[-1]
    return {
        "experiment": enrolment.experiment,
        "svg": weight_curve(points),
        "reference": f"{reference.told}, {'day 0' if on_day_0 else 'the first weight'}",
        "lowest": f"{lowest.percent:.1f} % on day {lowest.study_day}",
        "latest": f"{latest.percent:.1f} % on day {latest.study_day}",
    }


def observations(request: HttpRequest, animal: Animal) -> dict[str, Any]:
    visible = Observation.objects.visible_to(request.user).filter(animal=animal, is_current=True)
    rows = visible.exclude(endpoint__key=WEIGHT).select_related("endpoint", "timepoint", "experiment")
    rows = rows.order_by("-observed_at", "endpoint__name")
    shown = [
        {
            "row": row,
            "url": page_url(row),
            "value": told_value(row),
            "when": instant(row.observed_at, row.is_time_known),
        }
        for row in rows[:SHOWN_OBSERVATIONS]
    ]
    return {"rows": shown, "n": rows.count(), "all_url": list_url("observation") + f"?q={animal.lab_id}"}


def cycle(request: HttpRequest, animal: Animal) -> dict[str, Any] | None:
    """Figures of the estrous cycle, one line an experiment; nothing where no stage was read."""
    enrolments = {
        row.pk: row
        for row in Enrolment.objects.visible_to(request.user).filter(animal=animal).select_related("experiment")
    }
    found = cycles_of(list(enrolments.values()), request.user)
    if not found:
        return None
    return {"rows": [_told_cycle(enrolments[key], cycled) for key, cycled in found.items()]}


def _told_cycle(enrolment: Enrolment, cycled: Cycled) -> dict[str, Any]:
    figures = cycled.figures
    shares = (figures.percent_by_stage or {}).items()
    return {
        "experiment": enrolment.experiment,
        "basis": figures.basis,
        "shares": [f"{Stage(stage).name.lower()} {percent:.0f} %" for stage, percent in shares],
        "lengths": [f"{each.days} days" for each in figures.cycles],
        "uncounted": [each.reason for each in figures.uncounted],
        "is_regular": figures.is_regular,
        "has_persistent_diestrus": figures.has_persistent_diestrus,
        "disputed": cycled.disputed_days,
    }


register_panel(Panel(PAGE, "weights", "Body weight", "experiments/animal_weights.html", weights, 10))
register_panel(Panel(PAGE, "life", "Line of life", "experiments/animal_life.html", life, 20, False))
register_panel(Panel(PAGE, "cycle", "Estrous cycle", "experiments/animal_cycle.html", cycle, 25, False))
register_panel(
    Panel(PAGE, "observations", "Observations", "experiments/animal_observations.html", observations, 30, False)
)
