"""What is to be done: planned procedures and medications that are due or overdue, a query each."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from experiments.models import Medication, PlannedProcedure
from labdb.base.access import CLOSED, VisibleQuerySet, current_memberships
from labdb.base.roles import HELD_BY, Duty


def open_planned() -> VisibleQuerySet:
    """Planned procedures that still wait: of animals whose part has not ended, in experiments that are not closed."""
    rows: VisibleQuerySet = PlannedProcedure.objects.filter(
        state=PlannedProcedure.State.PLANNED, enrolment__disposition=None
    )
    return rows.exclude(enrolment__experiment__status__in=CLOSED)


def overdue_planned(today: date) -> VisibleQuerySet:
    """Those whose window has passed."""
    return open_planned().filter(latest_on__lt=today)


def due_planned(today: date) -> VisibleQuerySet:
    """Those whose window has begun, overdue ones included."""
    return open_planned().filter(earliest_on__lte=today)


def open_medications() -> VisibleQuerySet:
    """Medications that were neither given nor left out."""
    rows: VisibleQuerySet = Medication.objects.filter(
        given_at=None, omitted_reason="", procedure__enrolment__disposition=None
    )
    return rows.exclude(procedure__experiment__status__in=CLOSED)


def overdue_medications(now: datetime) -> VisibleQuerySet:
    """Those whose deadline has passed."""
    return open_medications().filter(due_at__lt=now)


def for_person(rows: VisibleQuerySet, user: Any) -> VisibleQuerySet:
    """Of planned procedures: what is ``user``'s to do, or nobody's in particular where they record procedures."""
    return rows.filter(Q(assigned_to=user) | Q(assigned_to=None, enrolment__experiment__in=works_in(user)))


def works_in(user: Any) -> QuerySet:
    """Primary keys of the experiments in which ``user`` records what is done."""
    return current_memberships(user).filter(role__in=HELD_BY[Duty.RECORD]).values("experiment")


BEHIND, AHEAD = timedelta(days=60), timedelta(days=400)
SOON = timedelta(hours=12)


def calendar_of(user: Any, today: date) -> tuple[VisibleQuerySet, VisibleQuerySet]:
    """What stands in ``user``'s calendar: planned procedures from two months ago to a year ahead, open medications."""
    planned = for_person(open_planned().visible_to(user), user)
    rows = open_medications().visible_to(user).filter(procedure__experiment__in=works_in(user))
    return planned.filter(due_on__range=(today - BEHIND, today + AHEAD)), rows.filter(due_at__isnull=False)
