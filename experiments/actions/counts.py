"""What a cell counter's file told of a passage."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError

from experiments.actions.stock.ledger import EXACT, plain
from experiments.models import CellCount, Passage, SourceFile
from labdb.base.access import require
from labdb.base.verbs import verb

PERCENT, CELL = Decimal("0.01"), Decimal(1)


class Counted(Protocol):
    """A sample as a reader of counters' files gives it: cells/mL and percent, None where nothing usable is printed.

    ``counted_at`` is the clock of the instrument; its zone is ``utc_offset_hours``, or else the laboratory's.
    """

    place: Any
    name: str
    counted_at: datetime | None
    utc_offset_hours: Decimal | None
    total_cells_per_ml: Decimal | None
    viable_cells_per_ml: Decimal | None
    viability_percent: Decimal | None
    diameter_um: Decimal | None
    dilution: Decimal | None


@verb
def record_cell_counts(
    *,
    passage: Passage,
    counts: Sequence[Counted],
    by: Any,
    source_file: SourceFile | None = None,
    instrument: str = "",
    volume_ml: Decimal | None = None,
) -> list[CellCount]:
    """Record ``counts`` of ``passage`` and fill in what it does not tell yet, by their mean.

    Viability comes from the counts themselves; harvested and viable cells need ``volume_ml``, the volume of the
    suspension that was counted.

    Raises:
        ValidationError: nothing is counted; the file's sample is recorded already; the passage tells another value.
        PermissionDenied: ``by`` may not record.
    """
    require(by, "add", CellCount(passage=passage))
    if not counts:
        raise ValidationError({"counts": "Name at least one sample of the file."})
    held = Passage.objects.select_for_update(no_key=True).get(pk=passage.pk)
    made = [_count(held, each, source_file, instrument, volume_ml, by) for each in counts]
    _refuse_repeated(made)
    for row in made:
        row.save()
    _fill(held, _means(made, volume_ml))
    passage.refresh_from_db()
    return made


def _count(
    passage: Passage, told: Counted, file: SourceFile | None, instrument: str, volume_ml: Decimal | None, by: Any
) -> CellCount:
    return CellCount(
        passage=passage,
        counted_at=_instant(told),
        instrument=instrument,
        sample_name=told.name[:120],
        total_cells_per_ml=told.total_cells_per_ml,
        viable_cells_per_ml=told.viable_cells_per_ml,
        viability_percent=told.viability_percent,
        volume_ml=volume_ml,
        dilution=told.dilution,
        mean_diameter_um=told.diameter_um,
        source_file=file,
        source_place=str(told.place)[:120],
        recorded_by=by,
    )


def _instant(told: Counted) -> datetime | None:
    if told.counted_at is None or told.counted_at.tzinfo is not None:
        return told.counted_at
    if told.utc_offset_hours is not None:
        return told.counted_at.replace(tzinfo=timezone(timedelta(hours=float(told.utc_offset_hours))))
    return told.counted_at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))


def _refuse_repeated(made: Iterable[CellCount]) -> None:
    for row in made:
        same = CellCount.objects.filter(source_file=row.source_file_id, source_place=row.source_place)
        if row.source_file_id and same.filter(passage=row.passage_id).exists():
            told = f"The sample “{row.sample_name}” at {row.source_place} of this file is recorded already."
            raise ValidationError({"counts": told})


def _means(made: Sequence[CellCount], volume_ml: Decimal | None) -> dict[str, Decimal]:
    """What the passage is told: viability in percent to 0.01, cells as whole numbers."""
    found: dict[str, Decimal] = {}
    total, viable = (
        _mean(getattr(row, name) for row in made) for name in ("total_cells_per_ml", "viable_cells_per_ml")
    )
    percent = _mean(row.viability_percent for row in made)
    if percent is None and total and viable is not None:
        percent = 100 * viable / total
    if percent is not None:
        found["viability_percent"] = percent.quantize(PERCENT, context=EXACT)
    if volume_ml is not None:
        cells = (("harvested_cells", total), ("viable_cells", viable))
        found |= {name: (each * volume_ml).quantize(CELL, context=EXACT) for name, each in cells if each is not None}
    return found


def _mean(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def _fill(passage: Passage, found: dict[str, Decimal]) -> None:
    others = {
        name: [f"The passage tells {plain(known)}, the counts give {plain(value)}: correct it there, with a reason."]
        for name, value in found.items()
        if (known := getattr(passage, name)) is not None and known != value
    }
    if others:
        raise ValidationError(others)
    for name, value in found.items():
        setattr(passage, name, value)
    passage.save()
