"""How cells of a line multiplied: population doublings, doubling time, and the rules of its passages.

PD = log2(Nt / N0) and doubling time = Δt · ln 2 / ln(Nt / N0), N0 cells seeded and Nt harvested (ATCC, Animal Cell
Culture Guide, "Population doubling level"). Counts are cells; times are whole days or instants, given back in hours.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

from experiments.rules.quantities import Finding, RuleError, count, percentage, plain, short

WARNED_ABOVE_PASSAGE = 8
LARGEST_VIABILITY_GAP_PERCENT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One passage of a line; None is not recorded. Both moments are dates, or both instants with a zone."""

    number: int
    seeded: dt.date | None = None
    harvested: dt.date | None = None
    seeded_cells: int | None = None
    harvested_cells: int | None = None
    viable_cells: int | None = None
    viability_percent: Decimal | None = None


def population_doublings(seeded_cells: int, harvested_cells: int) -> float:
    """log2(Nt / N0); negative where cells were lost. Raises RuleError unless both are 1 or more."""
    seeded = count("The number of cells seeded", seeded_cells, 1)
    return math.log2(count("The number of cells harvested", harvested_cells, 1)) - math.log2(seeded)


def doubling_time_h(hours: float, seeded_cells: int, harvested_cells: int) -> float | None:
    """Hours in which the cells doubled; None where they did not become more.

    Raises RuleError for hours that are not a finite number above 0.
    """
    if not math.isfinite(hours) or hours <= 0:
        raise RuleError(f"The time in culture is {hours} h; expected more than 0 h.")
    doublings = population_doublings(seeded_cells, harvested_cells)
    return hours / doublings if harvested_cells > seeded_cells else None


def hours_in_culture(passage: Passage) -> float | None:
    """From seeding to harvest; None where either is not recorded. Whole days count 24 h each.

    Raises RuleError for a date beside an instant, and for an instant without zone.
    """
    if passage.seeded is None or passage.harvested is None:
        return None
    if {_kind(passage.seeded), _kind(passage.harvested)} not in ({"date"}, {"instant"}):
        raise RuleError(f"P{passage.number}: expected two dates, or two instants with a zone.")
    return (passage.harvested - passage.seeded) / dt.timedelta(hours=1)


def cumulative_doublings(line: Sequence[Passage]) -> list[float | None]:
    """Population doublings from the first passage of the line up to each; None from the first one that lacks a count."""
    own = [
        None
        if passage.seeded_cells is None or passage.harvested_cells is None
        else population_doublings(passage.seeded_cells, passage.harvested_cells)
        for passage in line
    ]
    return list(accumulate(own, lambda total, more: None if total is None or more is None else total + more))


def broken_rules(line: Sequence[Passage]) -> list[Finding]:
    """Every rule that the line breaks, with its numbers; passages in the order in which they were made."""
    found = [finding for passage in line for finding in broken_by_passage(passage)]
    for before, after in pairwise(line):
        if after.number <= before.number:
            told = f"P{after.number} follows P{before.number}; passage numbers increase along the line."
            found.append(Finding("passage_number", told))
        if before.harvested is not None and after.seeded is not None and _day(after.seeded) < _day(before.harvested):
            told = f"P{after.number} was seeded on {_day(after.seeded)}, P{before.number} harvested later"
            found.append(Finding("dates_increase", f"{told}, on {_day(before.harvested)}."))
    return found


def broken_by_passage(passage: Passage) -> list[Finding]:
    """Harvest after seeding; viable <= total; viability = viable / total within 1 point."""
    name, found = f"P{passage.number}", []
    hours = hours_in_culture(passage)
    if hours is not None and hours <= 0:
        told = f"{name} was seeded {passage.seeded} and harvested {passage.harvested}; expected the harvest later."
        found.append(Finding("dates_increase", told))
    viable, total = passage.viable_cells, passage.harvested_cells
    if viable is None or total is None:
        return found
    total = count(f"The harvested cells of {name}", total)
    if count(f"The viable cells of {name}", viable) > total:
        found.append(Finding("viable_over_total", f"{name} has {viable:,} viable cells of {total:,} in all."))
    elif total and passage.viability_percent is not None:
        found += _viability(name, Fraction(100 * viable, total), passage.viability_percent)
    return found


def _viability(name: str, derived: Fraction, typed: Decimal) -> list[Finding]:
    typed = percentage(f"The viability of {name}", typed)
    if abs(derived - Fraction(typed)) <= LARGEST_VIABILITY_GAP_PERCENT:
        return []
    told = f"{name} has a viability of {plain(typed)} %, but its counts give {short(derived)} %"
    return [Finding("viability_off", f"{told}; they agree within {LARGEST_VIABILITY_GAP_PERCENT} point.")]


def passage_warning(number: int) -> Finding | None:
    """Above P8 cells are old: a warning."""
    if count("The passage number", number) <= WARNED_ABOVE_PASSAGE:
        return None
    return Finding("passage_high", f"Cells are at P{number}; above P{WARNED_ABOVE_PASSAGE} is warned about.")


def _kind(moment: dt.date) -> str:
    if not isinstance(moment, dt.datetime):
        return "date"
    return "instant" if moment.tzinfo else "instant without zone"


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment
