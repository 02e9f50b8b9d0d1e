"""What a licence leaves: until when, and for how many animals more."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from experiments.actions.alerts import add_alerts
from experiments.models import Alert, Enrolment, Experiment, Licence, PlannedProcedure, Procedure
from labdb.base.access import CLOSED

WARNED_AHEAD = timedelta(days=30)


def counted() -> QuerySet:
    """Enrolments that count for a licence: a procedure stands on their plan or was done."""
    planned = PlannedProcedure.objects.filter(enrolment=OuterRef("pk")).exclude(state=PlannedProcedure.State.CANCELLED)
    return Enrolment.objects.filter(Exists(planned) | Exists(Procedure.objects.filter(enrolment=OuterRef("pk"))))


def animals_under(licence: Licence) -> set[Any]:
    """Primary keys of the animals that count for ``licence``, over all of its experiments; each counts once."""
    return set(counted().filter(experiment__licence=licence).values_list("animal", flat=True))


def with_animals_used(licences: QuerySet) -> QuerySet:
    """``licences`` with ``animals_used``, counted by the database in the same query."""
    used = counted().filter(experiment__licence=OuterRef("pk")).order_by().values("experiment__licence")
    number = Subquery(used.annotate(n=Count("animal", distinct=True)).values("n"), output_field=IntegerField())
    return licences.annotate(animals_used=Coalesce(number, 0))


def expiry_told(licence: Licence, day: date) -> str | None:
    """Why ``licence`` does not hold on ``day``; None where it does."""
    if day > licence.expires_on:
        return f"The licence {licence} expired on {licence.expires_on}"
    if licence.starts_on and day < licence.starts_on:
        return f"The licence {licence} begins on {licence.starts_on}"
    return None


def warn_of_licences(*, today: date) -> int:
    """Raise an alert in every open experiment whose licence ends within 30 days or holds more animals than it allows.

    It is raised once for a date or number, also where it was resolved since. Returns how many are new.
    """
    licences = with_animals_used(Licence.objects.all())
    soon = {row.pk: row for row in licences.filter(Q(expires_on__lte=today + WARNED_AHEAD) | Q(animals_used__gt=0))}
    told = {key: line for key, row in soon.items() if (line := _warning(row, today))}
    if not told:
        return 0
    running = Experiment.objects.filter(licence__in=told, provenance=Experiment.Provenance.OWN).exclude(
        status__in=CLOSED
    )
    known = set(
        Alert.objects.filter(kind=Alert.Kind.LICENCE, experiment__in=running).values_list("experiment", "message")
    )
    new = [each for each in running if (each.pk, told[each.licence_id]) not in known]
    with transaction.atomic():
        return sum(add_alerts(each, [Alert(kind=Alert.Kind.LICENCE, message=told[each.licence_id])]) for each in new)


def _warning(licence: Any, today: date) -> str:
    lines = []
    if licence.expires_on <= today + WARNED_AHEAD:
        lines.append(f"The licence {licence} expires on {licence.expires_on}.")
    if licence.animals_used > licence.animals_allowed:
        lines.append(
            f"The licence {licence} allows {licence.animals_allowed} animals and {licence.animals_used} count."
        )
    return " ".join(lines)
