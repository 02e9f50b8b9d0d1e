"""The calendar: a month of planned procedures, a line a day and step, readable on a telephone."""

from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from experiments.actions import due
from experiments.models import PlannedProcedure
from labdb.base.panels import Entry, register_entry

NAME = "experiments_plannedprocedure_calendar"
SHOWN_ANIMALS = 6
MOST_LINES = 1000
WHOSE = {"mine": "Mine to do", "all": "Everything that I see"}


def urls(model_admin: Any) -> list[URLPattern]:
    def view(request: HttpRequest) -> HttpResponse:
        return calendar_page(request, model_admin)

    return [path("calendar/", model_admin.admin_site.admin_view(view), name=NAME)]


def calendar_page(request: HttpRequest, model_admin: Any) -> HttpResponse:
    first, whose = _month(request.GET.get("month", "")), request.GET.get("whose", "mine")
    if whose not in WHOSE:
        raise Http404(f"The calendar knows {', '.join(WHOSE)}, not “{whose[:20]}”.")
    after = _next(first)
    lines = list(_lines(request, first, after, whose)[: MOST_LINES + 1])
    by_day = groupby(lines[:MOST_LINES], itemgetter("due_on"))
    days = [{"on": on, "lines": [_told(line) for line in some]} for on, some in by_day]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"Calendar, {first:%B %Y}",
        "days": days,
        "today": timezone.localdate(),
        "is_cut": len(lines) > MOST_LINES,
        "most": MOST_LINES,
        "earlier": _url(first - timedelta(days=1), whose),
        "later": _url(after, whose),
        "choices": [{"text": text, "url": _url(first, key), "is_chosen": key == whose} for key, text in WHOSE.items()],
        "feed_url": request.build_absolute_uri(reverse("planned-procedures-calendar")),
        "list_url": reverse("admin:experiments_plannedprocedure_changelist"),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "experiments/calendar.html", context)


def _lines(request: HttpRequest, first: date, after: date, whose: str) -> QuerySet:
    rows: Any = PlannedProcedure.objects.exclude(state=PlannedProcedure.State.CANCELLED).visible_to(request.user)
    if whose == "mine":
        rows = due.for_person(rows, request.user)
    waits = Q(state=PlannedProcedure.State.PLANNED, enrolment__disposition=None)
    named = ArrayAgg("enrolment__animal__lab_id", order_by="enrolment__animal__lab_id")
    lines = rows.filter(due_on__gte=first, due_on__lt=after).order_by().values(
        "due_on", "enrolment__experiment__code", "enrolment__experiment", "step__name", "step__repeats", "repeat"
    )  # fmt: skip
    counted = lines.annotate(
        n=Count("pk"),
        n_done=Count("pk", filter=Q(state=PlannedProcedure.State.DONE)),
        n_overdue=Count("pk", filter=waits & Q(latest_on__lt=timezone.localdate())),
        animals=named,
    )
    return counted.order_by("due_on", "enrolment__experiment__code", "step__name", "repeat")


def _told(line: dict[str, Any]) -> dict[str, Any]:
    more = len(line["animals"]) - SHOWN_ANIMALS
    animals = ", ".join(line["animals"][:SHOWN_ANIMALS]) + (f" and {more} more" if more > 0 else "")
    rows = reverse("admin:experiments_plannedprocedure_changelist")
    asked = f"?enrolment__experiment__id__exact={line['enrolment__experiment']}&due_on__exact={line['due_on']}"
    return {**line, "animals": animals, "code": line["enrolment__experiment__code"], "url": rows + asked}


def _month(text: str) -> date:
    """The first day of the month ``YYYY-MM``, of this month where none is asked for. Raises Http404 for anything else."""
    if not text:
        return timezone.localdate().replace(day=1)
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Http404(f"“{text[:20]}” is no month; expected e.g. 2026-03.") from None


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _url(day: date, whose: str) -> str:
    return f"{reverse(f'admin:{NAME}')}?month={day:%Y-%m}&whose={whose}"


register_entry(Entry("", "Calendar", f"admin:{NAME}", "calendar_month", 5))
