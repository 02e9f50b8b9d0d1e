"""Cages whose bedding may hold cytotoxic drugs: for some days after an animal in them was given one."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateField, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast
from django.utils import timezone

from experiments.models import Housing, Induction
from labdb.base.access import unmasked_experiments

CYTOTOXIC = ("cyclophosphamide", "busulfan", "cisplatin", "doxorubicin", "paclitaxel", "epirubicin", "ifosfamide")


def is_cytotoxic(prefix: str = "") -> Q:
    """The condition on an induction that it gave a cytotoxic drug: a chemotherapy, or one of the drugs."""
    return Q(**{f"{prefix}induction_model": "chemotherapy"}) | Q(**{f"{prefix}agent__in": CYTOTOXIC})


def is_marked(cage: Any) -> bool:
    """Whether the cage, read by ``with_cytotoxic_until``, is marked today."""
    return cage.cytotoxic_until is not None and cage.cytotoxic_until >= timezone.localdate()


def with_cytotoxic_until(cages: QuerySet, user: Any) -> QuerySet:
    """``cages`` with ``cytotoxic_until``: the last day on which the cage stays marked, None where it is not.

    Only doses that ``user`` may know of count: in a blinded experiment they tell the arm.
    """
    days = timedelta(days=settings.LABDB_CYTOTOXIC_DAYS)
    on = "animal__enrolments__procedures__performed_on"
    given = Induction.objects.filter(is_cytotoxic(), procedure__experiment__in=unmasked_experiments(user))
    given = given.filter(procedure__performed_on__gte=timezone.localdate() - days)
    lived = Housing.objects.filter(
        Q(ended_on=None) | Q(ended_on__gt=F(on)),
        cage=OuterRef("pk"),
        started_on__lte=F(on) + days,
        animal__enrolments__procedures__in=given.values("procedure"),
    )
    last = lived.order_by().values("cage").annotate(last=Max(on)).values("last")
    until = Cast(Subquery(last, output_field=DateField()) + days, DateField())
    return cages.annotate(cytotoxic_until=until)
