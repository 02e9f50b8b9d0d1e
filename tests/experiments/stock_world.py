"""Stock for the tests: a donor, a batch with its passage, lots with vials, and procedures to give them in."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from experiments.actions.releasing import release
from experiments.actions.stock import NewVial, Take, make_vials, thaw_vial
from experiments.models import (
    Consent,
    Donor,
    Enrolment,
    IsolationBatch,
    Lot,
    LotSource,
    Passage,
    Procedure,
    Product,
    TissueSample,
    Vial,
)

FROZEN = datetime(2026, 2, 1, 10, tzinfo=UTC)
THAWED = datetime(2026, 3, 9, 8, tzinfo=UTC)
_numbers = itertools.count(1)


def made(model: Any, **values: Any) -> Any:
    row = model(**values)
    row.save()
    return row


@dataclass
class Stock:
    """One line from the donor to a lot of cells; ``by`` keeps it."""

    by: Any
    donor: Donor
    consent: Consent
    sample: TissueSample
    batch: IsolationBatch
    passage: Passage
    cells: Product
    lot: Lot

    def lot_of(self, product: Product, **values: Any) -> Lot:
        return made(Lot, code=f"L{next(_numbers)}", product=product, made_on=date(2026, 2, 1), **values)

    def vials(self, n: int = 1, amount: int = 1_000_000, lot: Lot | None = None, *, thawed: bool = True) -> list[Vial]:
        """Fresh vials of the lot, thawed unless told otherwise."""
        new = [NewVial(f"V{next(_numbers)}", Decimal(amount), frozen_at=FROZEN) for _ in range(n)]
        vials = make_vials(lot=lot or self.lot, vials=new, by=self.by)
        return [thaw_vial(vial=v, by=self.by, thawed_at=THAWED).vial for v in vials] if thawed else vials

    def derived(self, kind: str = "vesicles", unit: str = "particles", release_it: bool = True) -> Lot:
        """A lot that was made from the cells."""
        product = made(Product, name=f"product {next(_numbers)}", kind=kind, dose_unit=unit)
        lot = self.lot_of(product)
        LotSource(lot=lot, source_lot=self.lot).save()
        if release_it:
            release(subject=lot, statement="tested", by=self.by)
        return lot


def make_stock(by: Any, *, released: bool = True) -> Stock:
    n = next(_numbers)
    donor = made(Donor, code=f"D{n}")
    consent = made(Consent, donor=donor, code=f"C{n}", version="1", scope="research")
    sample = made(TissueSample, donor=donor, consent=consent, code=f"T{n}", source="umbilical_cord")
    batch = made(IsolationBatch, code=f"B{n}", tissue_sample=sample, method="explant", isolated_on=date(2026, 1, 5))
    start, end = datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 12, 9, tzinfo=UTC)
    passage = made(Passage, batch=batch, number=0, seeded_at=start, harvested_at=end)
    cells = made(Product, name=f"UC-MSC {n}", kind="cell_suspension", dose_unit="viable cells")
    lot = made(Lot, code=f"L{n}", product=cells, passage=passage, made_on=date(2026, 1, 12))
    for subject in (batch, lot) if released else ():
        release(subject=subject, statement="sterile, mycoplasma negative", by=by)
    return Stock(by, donor, consent, sample, batch, passage, cells, lot)


def procedure_of(enrolment: Enrolment, **values: Any) -> Procedure:
    given = {"kind": "transplantation", "name": "cells", "performed_at": datetime(2026, 3, 9, 8, 30, tzinfo=UTC)}
    return made(Procedure, experiment=enrolment.experiment, enrolment=enrolment, **{**given, **values})


def takes(*vials: Vial, amount: int = 1_000_000) -> list[Take]:
    return [Take(vial, Decimal(amount)) for vial in vials]


IV = {"route": "intravenous"}
