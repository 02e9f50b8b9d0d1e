"""What is due, what is planned and who waits for help: on the home page, the experiment's and the animal's."""

from typing import Any

from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from experiments.actions import due
from experiments.admin.links import list_url, page_url
from experiments.models import Alert, Animal, Experiment, PlannedProcedure
from labdb.base.access import may, sees_arms
from labdb.base.panels import HOME, Panel, register_panel

SHOWN = 12
CALENDAR = "admin:experiments_plannedprocedure_calendar"


def due_for_me(request: HttpRequest, subject: Any) -> dict[str, Any]:
    """Planned procedures whose window has begun, and medications by the hour."""
    today, now = timezone.localdate(), timezone.now()
    rows = due.for_person(due.due_planned(today).visible_to(request.user), request.user)
    related = rows.select_related("step", "enrolment__animal", "enrolment__experiment").order_by(
        "latest_on", "due_on", "pk"
    )
    open_medications = due.open_medications().visible_to(request.user)
    medications = open_medications.filter(
        procedure__experiment__in=due.works_in(request.user), due_at__lte=now + due.SOON
    )
    given = medications.select_related("procedure__enrolment__animal", "procedure__experiment").order_by("due_at", "pk")
    n, n_medications = rows.count(), medications.count()
    return {
        "rows": [{"row": row, "url": page_url(row), "is_overdue": row.latest_on < today} for row in related[:SHOWN]],
        "medications": [{"row": row, "url": page_url(row), "is_overdue": row.due_at < now} for row in given[:SHOWN]],
        "n": n,
        "n_medications": n_medications,
        "n_more": max(n - SHOWN, 0) + max(n_medications - SHOWN, 0),
        "calendar_url": reverse(CALENDAR),
    }


def under_alert(request: HttpRequest, subject: Any) -> dict[str, Any]:
    """Open alerts; one's own first, those of animals' welfare before others."""
    rows = Alert.objects.visible_to(request.user).filter(state=Alert.State.OPEN)
    related = rows.select_related("enrolment__animal", "experiment", "owner").annotate(
        is_mine=Q(owner__isnull=False, owner=request.user), is_welfare=Q(kind=Alert.Kind.WELFARE)
    )
    shown = related.order_by("-is_mine", "-is_welfare", "raised_at", "pk")[:SHOWN]
    n = rows.count()
    items = [{"row": row, "url": page_url(row), "is_mine": row.owner_id == request.user.pk} for row in shown]
    return {"items": items, "n": n, "n_more": max(n - SHOWN, 0), "all_url": list_url("alert", state="open")}


def plan(request: HttpRequest, experiment: Experiment) -> dict[str, Any] | None:
    """A line a step and repeat: planned days, and how far the animals are."""
    if not sees_arms(request.user, experiment):
        return None
    today, planned = timezone.localdate(), Q(state=PlannedProcedure.State.PLANNED)
    rows = PlannedProcedure.objects.visible_to(request.user).filter(enrolment__experiment=experiment)
    lines = (
        rows.order_by()
        .values("step__name", "step__kind", "step__version__protocol__name", "step__repeats", "repeat")
        .annotate(
            first=Min("due_on"),
            last=Max("due_on"),
            done_first=Min("procedure__performed_on"),
            done_last=Max("procedure__performed_on"),
            n=Count("pk", filter=~Q(state=PlannedProcedure.State.CANCELLED)),
            n_done=Count("pk", filter=Q(state=PlannedProcedure.State.DONE)),
            n_overdue=Count("pk", filter=planned & Q(latest_on__lt=today, enrolment__disposition=None)),
            n_cancelled=Count("pk", filter=Q(state=PlannedProcedure.State.CANCELLED)),
            n_deviating=Count("pk", filter=Q(procedure__isnull=False) & ~Q(procedure__deviation="")),
        )
        .order_by("first", "step__name", "repeat")
    )
    return {
        "lines": [{**line, "percent": round(100 * line["n_done"] / line["n"]) if line["n"] else 0} for line in lines],
        "may_plan": may(request.user, "change", experiment),
        "list_url": list_url("plannedprocedure", enrolment__experiment__id=experiment.pk),
        "alerts_url": list_url("alert", experiment__id=experiment.pk),
        "n_alerts": Alert.objects.visible_to(request.user).filter(experiment=experiment, state="open").count(),
    }


def plan_of_animal(request: HttpRequest, animal: Animal) -> dict[str, Any] | None:
    """Every planned procedure beside what was done, and the open alerts."""
    rows = PlannedProcedure.objects.visible_to(request.user).filter(enrolment__animal=animal)
    related = rows.select_related("step", "enrolment__experiment", "procedure").order_by(
        "due_on", "step__position", "repeat"
    )
    alerts = Alert.objects.visible_to(request.user).filter(enrolment__animal=animal, state=Alert.State.OPEN)
    today = timezone.localdate()
    items = [
        {
            "row": row,
            "url": page_url(row),
            "done": getattr(row, "procedure", None),
            "is_overdue": row.state == PlannedProcedure.State.PLANNED and row.latest_on < today,
        }
        for row in related
    ]
    told = [{"row": alert, "url": page_url(alert)} for alert in alerts]
    return {"items": items, "alerts": told} if items or told else None


register_panel(Panel(HOME, "due-for-me", "Due and overdue for me", "experiments/home_due_for_me.html", due_for_me, 2))
register_panel(Panel(HOME, "alerts", "Animals under alert", "experiments/home_alerts.html", under_alert, 4))
register_panel(Panel("experiment", "plan", "Planned and done", "experiments/experiment_plan.html", plan, 15))
register_panel(Panel("animal", "plan", "Planned and done", "experiments/animal_plan.html", plan_of_animal, 15))
