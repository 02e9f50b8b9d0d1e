"""From the donor to the animal and back: what stock was made from, and whom it reached. One recursive SQL a question.

Every answer holds only what its asker may see. Animals of other experiments are counted; those of a blinded experiment
in which the asker is masked are not even counted, and lots and batches that it used are left out.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import BooleanField, Case, Count, ExpressionWrapper, F, Max, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat

from experiments.models import Donor, DoseVial, IsolationBatch, Lot, Passage, TissueSample, Vial
from labdb.base.access import masked_experiments, visibility

Keys = Iterable[uuid.UUID]
TEXT = models.TextField()
PASSAGE = Concat(
    "batch__code",
    Value(" P"),
    Cast("number", TEXT),
    Case(When(label="", then=Value("")), default=Concat(Value(" "), "label"), output_field=TEXT),
    output_field=TEXT,
)  # as Passage tells itself

# Lots, passages and batches behind the lots and batches that two arrays of keys name, these included.
BEHIND = """WITH RECURSIVE lots(id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT s.source_lot_id FROM lots l JOIN experiments_lotsource s ON s.lot_id = l.id WHERE s.source_lot_id IS NOT NULL
), passages(id) AS (
    (SELECT o.passage_id FROM lots l JOIN experiments_lot o ON o.id = l.id WHERE o.passage_id IS NOT NULL
     UNION
     SELECT s.source_passage_id FROM lots l JOIN experiments_lotsource s ON s.lot_id = l.id
      WHERE s.source_passage_id IS NOT NULL)
    UNION
    SELECT p.previous_id FROM passages b JOIN experiments_passage p ON p.id = b.id WHERE p.previous_id IS NOT NULL
), batches(id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT p.batch_id FROM passages b JOIN experiments_passage p ON p.id = b.id
)"""

# Lots that were made, over however many steps, from the batches and the lots that two arrays of keys name.
MADE_FROM = """WITH RECURSIVE passages(id) AS (
    SELECT id FROM experiments_passage WHERE batch_id = ANY(%s::uuid[])
), lots(id) AS (
    (SELECT unnest(%s::uuid[])
     UNION
     SELECT o.id FROM experiments_lot o JOIN passages p ON p.id = o.passage_id
     UNION
     SELECT s.lot_id FROM experiments_lotsource s JOIN passages p ON p.id = s.source_passage_id)
    UNION
    SELECT s.lot_id FROM lots l JOIN experiments_lotsource s ON s.source_lot_id = l.id
)"""

# The vials that an array of keys names, and those into which something of them was poured.
POURED = """WITH RECURSIVE vials(id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT i.vial_id FROM vials v JOIN experiments_stockmovement o ON o.vial_id = v.id AND o.kind = 'moved_out'
      JOIN experiments_stockmovement i ON i.id = o.counterpart_id
)"""


class Node(NamedTuple):
    """A step of a lineage: ``kind`` is the model's name in small letters."""

    kind: str
    id: uuid.UUID
    label: str


class Given(NamedTuple):
    """That an animal got something: in how many doses, and when last."""

    experiment: uuid.UUID
    experiment_code: str
    enrolment: uuid.UUID
    animal: uuid.UUID
    lab_id: str
    n_doses: int
    last_given_on: date | None


@dataclass(frozen=True)
class Reached:
    """Animals that got something: those that the asker may know, and how many others.

    ``concerned`` counts the animals of every experiment, whoever may know of it: for alerts, never for an answer.
    """

    animals: list[Given] = field(default_factory=list)
    n_others: int = 0
    concerned: dict[uuid.UUID, int] = field(default_factory=dict)


class Behind(NamedTuple):
    """Primary keys of all that lots were made from, the lots included."""

    lots: list[uuid.UUID]
    batches: list[uuid.UUID]
    samples: list[uuid.UUID]


def keys_behind(lots: Keys) -> Behind:
    """What ``lots`` were made from, whoever may see it: for the rules of the stock."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{BEHIND} SELECT ARRAY(SELECT id FROM lots ORDER BY 1), ARRAY(SELECT id FROM batches ORDER BY 1),"
            f" ARRAY(SELECT DISTINCT {SAMPLES} ORDER BY 1)",
            [list(lots), []],
        )
        return Behind(*cursor.fetchone())


SAMPLES = "b.tissue_sample_id FROM experiments_isolationbatch b WHERE b.id IN (SELECT id FROM batches)"
DONORS = f"t.donor_id FROM experiments_tissuesample t WHERE t.id IN (SELECT {SAMPLES})"


def upstream(lots: Keys, user: Any, *, batches: Keys = ()) -> list[Node]:
    """Donors, tissue, batches, passages and lots behind ``lots`` and ``batches``, from the donor on."""
    keys = [list(lots), list(batches)]

    def among(what: str) -> RawSQL:
        return RawSQL(f"{BEHIND} SELECT {what}", keys)

    return _nodes(
        _named(Donor, F("code"), 1, user).filter(pk__in=among(DONORS)),
        _named(TissueSample, F("code"), 2, user).filter(pk__in=among(SAMPLES)),
        _named(IsolationBatch, F("code"), 3, user).filter(pk__in=among("id FROM batches")),
        _named(Passage, PASSAGE, 4, user).filter(pk__in=among("id FROM passages")),
        _named(Lot, F("code"), 5, user).filter(pk__in=among("id FROM lots")),
    )


def downstream(user: Any, *, batches: Keys = (), lots: Keys = ()) -> list[Node]:
    """Passages, lots and vials made from ``batches`` and ``lots``, over however many steps."""
    keys = [list(batches), list(lots)]
    made = RawSQL(f"{MADE_FROM} SELECT id FROM lots", keys)
    return _nodes(
        _named(Passage, PASSAGE, 4, user).filter(batch__in=keys[0]),
        _named(Lot, F("code"), 5, user).filter(pk__in=made),
        _named(Vial, F("code"), 6, user).filter(lot__in=made),
    )


def reached(user: Any, *, batches: Keys = (), lots: Keys = ()) -> Reached:
    """Every animal that got something of these, or of what was made from them."""
    keys = [list(batches), list(lots)]
    return _reached(user, Q(vial__lot__in=RawSQL(f"{MADE_FROM} SELECT id FROM lots", keys)))


def reached_from(user: Any, vials: Keys) -> Reached:
    """Every animal that got something out of ``vials``, also over a syringe that was filled from one."""
    return _reached(user, Q(vial__in=RawSQL(f"{POURED} SELECT id FROM vials", [list(vials)])))


def doses_of(user: Any, animal: Any) -> QuerySet:
    """From which vials the animal's doses came."""
    return (
        DoseVial.objects.visible_to(user)
        .filter(dose__procedure__enrolment__animal=animal)
        .select_related("dose__product", "dose__procedure__experiment", "vial__lot")
        .order_by("dose__procedure__performed_on", "pk")
    )


def _named(model: Any, label: Any, place: int, user: Any) -> QuerySet:
    rows = model.objects.visible_to(user).order_by()
    return rows.values_list(Value(place), Value(model._meta.model_name), "pk", Cast(label, TEXT))


def _nodes(*kinds: QuerySet) -> list[Node]:
    """All in one SQL, in the order of their places and labels."""
    first, *others = kinds
    found = first.union(*others, all=True)
    return [Node(*row[1:]) for row in sorted(found, key=lambda row: (row[0], row[3]))]


def _reached(user: Any, given: Q) -> Reached:
    experiment = "dose__procedure__experiment"
    rows = (
        DoseVial.objects.filter(given)
        .order_by()
        .values_list(experiment, f"{experiment}__code", "dose__procedure__enrolment")
        .annotate(
            animal=F("dose__procedure__enrolment__animal"),
            lab_id=F("dose__procedure__enrolment__animal__lab_id"),
            n_doses=Count("dose", distinct=True),
            last=Max("dose__procedure__performed_on"),
            is_seen=_is(visibility(DoseVial, user)),
            is_masked=_is(Q(**{f"{experiment}__in": masked_experiments(user)})),
        )
    )
    animals, concerned, others = [], dict[uuid.UUID, int](), set()
    for *told, is_seen, is_masked in rows:
        concerned[told[0]] = concerned.get(told[0], 0) + 1
        if is_seen:
            animals.append(Given(*told))
        elif not is_masked:
            others.add(told[3])
    return Reached(sorted(animals, key=lambda each: (each.experiment_code, each.lab_id)), len(others), concerned)


def _is(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())
