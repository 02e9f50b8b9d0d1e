"""Whether stock may be used: release, tests, expiry, recall and consent of a lot and of all that it was made from."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from experiments.lineage import Behind, keys_behind
from experiments.models import Consent, IsolationBatch, Lot, Recall, Release, SafetyTest, TissueSample


class Ground(StrEnum):
    """Why something of the stock may not be used."""

    UNRELEASED = "unreleased"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    RECALLED = "recalled"
    WITHDRAWN = "withdrawn"


# What bars the making of another lot: cells of it may be tested and released later.
WHILE_MAKING = frozenset(Ground) - {Ground.UNRELEASED}
# What bars a release: the decision itself is still to be made.
WHILE_RELEASING = frozenset(Ground) - {Ground.UNRELEASED, Ground.REJECTED}


@dataclass(frozen=True)
class Objection:
    """A rule that stands against the use, as a technician reads it."""

    ground: Ground
    told: str


def hold_behind(lots: Iterable[Lot]) -> Behind:
    """What ``lots`` were made from, held until the transaction ends: a recall, a rejection or a withdrawal waits.

    Consents, batches and lots are held in this order, each in the order of their keys.
    """
    behind = keys_behind(sorted({lot.pk for lot in lots}))
    for rows in (
        Consent.objects.filter(tissue_samples__in=behind.samples),
        IsolationBatch.objects.filter(pk__in=behind.batches),
        Lot.objects.filter(pk__in=behind.lots),
    ):
        _hold(rows)
    return behind


def _hold(rows: models.QuerySet) -> None:
    """``FOR SHARE``, which Django's querysets do not know."""
    keys = sorted(set(rows.order_by().values_list("pk", flat=True)))
    if keys:
        table = rows.model._meta.db_table
        held = rows.model.objects.raw(f"SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR SHARE", [keys])
        list(held)


def objections(lots: Sequence[Lot], on: date, by: Any, behind: Behind | None = None) -> list[Objection]:
    """Everything that stands against giving ``lots`` on the day ``on``. What ``by`` may not see is not named.

    ``behind``: what the lots were made from, where it is known already.
    """
    judged = _Judged(lots, behind or keys_behind([lot.pk for lot in lots]), by)
    return [*judged.recalled(), *judged.withdrawn(), *judged.decided(), *judged.tested(), *judged.expired(on)]


def refuse(found: Iterable[Objection], grounds: Iterable[Ground] = tuple(Ground)) -> None:
    """Raises ValidationError with all of ``found`` that are of one of ``grounds``."""
    told = [each.told for each in found if each.ground in set(grounds)]
    if told:
        raise ValidationError(told)


class _Judged:
    """The lots to be given, with the rows behind them that a person may and may not see."""

    def __init__(self, lots: Sequence[Lot], behind: Behind, by: Any) -> None:
        self.given = {lot.pk for lot in lots}
        self.behind = behind
        self.lots = {lot.pk: lot for lot in Lot.objects.filter(pk__in=behind.lots)}
        self.batches = {batch.pk: batch for batch in IsolationBatch.objects.filter(pk__in=behind.batches)}
        seen: set[uuid.UUID] = set()
        for model, keys in ((Lot, behind.lots), (IsolationBatch, behind.batches)):
            seen |= set(model.objects.visible_to(by).filter(pk__in=keys).values_list("pk", flat=True))
        self.seen = seen

    def rows(self, model: Any) -> models.QuerySet:
        return model.objects.filter(Q(batch__in=self.behind.batches) | Q(lot__in=self.behind.lots))

    def name(self, row: Any) -> str:
        """What ``row`` (with ``batch`` or ``lot``) is about."""
        batch, lot = row.batch_id, row.lot_id
        if (batch or lot) not in self.seen:
            return "Something that it was made from"
        return f"Batch {self.batches[batch]}" if batch else f"Lot {self.lots[lot]}"

    def recalled(self) -> Iterable[Objection]:
        for row in self.rows(Recall).filter(lifted_at=None):
            reason = f": {row.reason}" if (row.batch_id or row.lot_id) in self.seen else "."
            yield Objection(Ground.RECALLED, f"{self.name(row)} was recalled on {row.recalled_at:%Y-%m-%d}{reason}")

    def withdrawn(self) -> Iterable[Objection]:
        samples = TissueSample.objects.filter(pk__in=self.behind.samples).select_related("consent", "donor")
        for sample in samples.prefetch_related("donor__consents"):
            consents = [sample.consent] if sample.consent else list(sample.donor.consents.all())
            days = [each.withdrawn_at for each in consents if each.withdrawn_at]
            if days and len(days) == len(consents):
                told = f"The consent of donor {sample.donor} was withdrawn on {max(days):%Y-%m-%d}."
                yield Objection(Ground.WITHDRAWN, told)

    def decided(self) -> Iterable[Objection]:
        """The last decision counts. Lots on the way need none of their own, batches and what is given do."""
        last = {row.batch_id or row.lot_id: row for row in self.rows(Release).order_by("decided_at", "pk")}
        for row in last.values():
            if row.decision == Release.Decision.REJECTED:
                yield Objection(Ground.REJECTED, f"{self.name(row)} was rejected on {row.decided_at:%Y-%m-%d}.")
        for key, batch in self.batches.items():
            if key not in last:
                yield Objection(Ground.UNRELEASED, f"{self.name(Release(batch=batch))} is not released.")
        for key in sorted(self.given - set(last)):
            yield Objection(Ground.UNRELEASED, f"{self.name(Release(lot=self.lots[key]))} is not released.")

    def tested(self) -> Iterable[Objection]:
        for row in last_tests(self.rows(SafetyTest)):
            if row.outcome == SafetyTest.Outcome.FAILED:
                told = f"{self.name(row)} failed a test on {row.tested_on}: {row.get_kind_display()}."
                yield Objection(Ground.FAILED, told)

    def expired(self, on: date) -> Iterable[Objection]:
        ends = [(Release(batch=batch), batch.expires_on) for batch in self.batches.values()]
        ends += [(Release(lot=self.lots[key]), self.lots[key].expires_on) for key in sorted(self.given)]
        for row, day in ends:
            if day and day < on:
                yield Objection(Ground.EXPIRED, f"{self.name(row)} expired on {day}.")


def last_tests(rows: models.QuerySet) -> list[SafetyTest]:
    """The last test that is decided of each kind and subject; of two on one day the one that failed."""
    decided = rows.exclude(outcome=SafetyTest.Outcome.PENDING).order_by("tested_on", "-outcome")
    return list({(row.batch_id, row.lot_id, row.kind): row for row in decided}.values())
