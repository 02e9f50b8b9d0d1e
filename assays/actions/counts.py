"""A cell counter's file, from upload to the counts of a passage."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError

from assays import counters
from experiments.actions.counts import Counted, record_cell_counts
from experiments.actions.files import receive_file
from experiments.models import CellCount, Passage
from experiments.sheets.problems import Problem
from labdb.base.access import require
from labdb.base.verbs import verb

ALL = "all"


@dataclass(frozen=True)
class Uploaded:
    """The counts that were recorded, and what a person should look at in the file."""

    counts: list[CellCount]
    problems: tuple[Problem, ...]


@verb
def upload_cell_counts(
    *, passage: Passage, data: bytes, name: str, by: Any, samples: Sequence[str] = (), volume_ml: Decimal | None = None
) -> Uploaded:
    """Read a counter's file and record the counts of ``samples`` (names or places, or ``all``) as those of ``passage``.

    Of a file of one sample none needs to be named. ``volume_ml`` is that of the suspension that was counted.

    Raises:
        ValidationError: no counter's file, with every problem by place, value and what was expected; of several samples
            none is named, or one that is not there, with the list of those that are; what ``record_cell_counts`` refuses.
        PermissionDenied: ``by`` may not record counts.
    """
    require(by, "add", CellCount(passage=passage))
    try:
        file = counters.read(data, name)
    except counters.CounterError as error:
        raise ValidationError({"file": [str(problem) for problem in error.problems]}) from None
    picked = _picked(file.samples, samples)
    kept = receive_file(data=data, name=name, by=by, part_of=CellCount(passage=passage))
    counts = record_cell_counts(
        passage=passage, counts=cast("Sequence[Counted]", picked), by=by, source_file=kept, volume_ml=volume_ml,
        instrument=counters.COUNTERS[file.format_key].LABEL[:60],
    )  # fmt: skip
    return Uploaded(counts, file.problems)


def _picked(there: Sequence[counters.CountedSample], named: Sequence[str]) -> list[counters.CountedSample]:
    if list(named) == [ALL] or (not named and len(there) == 1):
        return list(there)
    found = [sample for sample in there if {sample.name, str(sample.place)} & set(named)]
    known = {told for sample in found for told in (sample.name, str(sample.place))}
    strange = [told for told in named if told not in known]
    if strange or not named:
        told = f"There is no sample {', '.join(strange)}. " if strange else ""
        offered = "; ".join(f"{sample.name} ({sample.place})" for sample in there)
        raise ValidationError({"samples": f"{told}Name those of this passage, or “{ALL}”. The file has: {offered}."})
    return found
