"""Whether an animal may enter a study: each inclusion criterion is met, not met, or not assessable, with its sentence.

Criteria are data, those left None do not apply. Ages and acclimatisation are whole days up to the day of induction,
weights grams; an end of a range that is None is open. Two regular cycles (4-5 d) are looked for in the 14 days before
induction, as `estrous_cycle` counts them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from experiments.rules.estrous_cycle import REGULAR_DAYS, CycleFigures, cycle_figures
from experiments.rules.quantities import RuleError, State, count, finite, plain, positive

ACCLIMATISATION_DAYS = 7
Ends = tuple[Decimal | int | None, Decimal | int | None]  # of a range; None is open


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Inclusion criteria; both ends of a range are included. Raises RuleError for a range that is turned round."""

    age_days: Ends | None = None
    weight_g: Ends | None = None
    sexes: tuple[str, ...] | None = None
    strains: tuple[str, ...] | None = None
    acclimatisation_days: int | None = ACCLIMATISATION_DAYS
    regular_cycles: int | None = None
    cycle_days: int = 14

    def __post_init__(self) -> None:
        for name, ends in (("age in days", self.age_days), ("weight in g", self.weight_g)):
            known = [finite(f"The {name}", end) for end in ends or () if end is not None]
            if ends is not None and known != sorted(known):
                raise RuleError(f"The {name} is {ends[0]} to {ends[1]}; expected the lower number first.")
        count("The days in which cycles are looked for", self.cycle_days, 1)
        for name, number in (("days of acclimatisation", self.acclimatisation_days), ("cycles", self.regular_cycles)):
            if number is not None:
                count(f"The number of {name}", number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is known of an animal; None is unknown. `stages` by days relative to induction: -1 is the day before."""

    induction_on: dt.date | None = None
    born_on: dt.date | None = None
    arrived_on: dt.date | None = None
    weight_g: Decimal | None = None
    sex: str | None = None
    strain: str | None = None
    stages: Mapping[int, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    criterion: str
    state: State
    sentence: str


def assess(criteria: Criteria, candidate: Candidate) -> list[Assessment]:
    """One assessment for each criterion that applies, in the order of `Criteria`."""
    found = []
    if criteria.age_days is not None:
        found.append(_age(criteria.age_days, candidate))
    if criteria.weight_g is not None:
        found.append(_weight(criteria.weight_g, candidate))
    if criteria.sexes is not None:
        found.append(_one_of("sex", criteria.sexes, candidate.sex))
    if criteria.strains is not None:
        found.append(_one_of("strain", criteria.strains, candidate.strain))
    if criteria.acclimatisation_days is not None:
        found.append(_acclimatisation(criteria.acclimatisation_days, candidate))
    if criteria.regular_cycles is not None:
        found.append(_cycles(criteria.regular_cycles, criteria.cycle_days, candidate))
    return found


def is_eligible(found: list[Assessment]) -> bool | None:
    """True where all criteria are met, False where one is not, None where that is not known."""
    states = {assessment.state for assessment in found}
    if State.NOT_MET in states:
        return False
    return None if State.NOT_ASSESSABLE in states else True


def _known(criterion: str, holds: bool, sentence: str) -> Assessment:
    return Assessment(criterion, State.MET if holds else State.NOT_MET, sentence)


def _unknown(criterion: str, sentence: str) -> Assessment:
    return Assessment(criterion, State.NOT_ASSESSABLE, sentence)


def _within(ends: Ends, number: Decimal | int) -> bool:
    lowest, highest = ends
    return (lowest is None or lowest <= number) and (highest is None or number <= highest)


def _told(ends: Ends) -> str:
    lowest, highest = ("" if end is None else plain(end) for end in ends)
    return f"{lowest} to {highest}" if lowest and highest else f"{lowest} or more" if lowest else f"{highest} or less"


def _age(ends: Ends, candidate: Candidate) -> Assessment:
    days = _days_until_induction("birth", candidate.born_on, candidate.induction_on)
    if days is None:
        missing = "birth date" if candidate.born_on is None else "day of induction"
        return _unknown("age", f"Age at induction is not known: the {missing} is missing.")
    return _known("age", _within(ends, days), f"{days} d old at induction; {_told(ends)} d are wanted.")


def _weight(ends: Ends, candidate: Candidate) -> Assessment:
    if candidate.weight_g is None:
        return _unknown("weight", "The weight is not known.")
    weight = positive("The weight in g", candidate.weight_g)
    return _known("weight", _within(ends, weight), f"{plain(weight)} g; {_told(ends)} g are wanted.")


def _one_of(name: str, allowed: tuple[str, ...], value: str | None) -> Assessment:
    if value is None:
        return _unknown(name, f"The {name} is not known.")
    return _known(name, value in allowed, f"The {name} is {value}; {' or '.join(allowed)} is wanted.")


def _acclimatisation(least: int, candidate: Candidate) -> Assessment:
    days = _days_until_induction("arrival", candidate.arrived_on, candidate.induction_on)
    if days is None:
        missing = "day of arrival" if candidate.arrived_on is None else "day of induction"
        return _unknown("acclimatisation", f"Acclimatisation is not known: the {missing} is missing.")
    return _known("acclimatisation", days >= least, f"{days} d of acclimatisation; {least} d or more are wanted.")


def _days_until_induction(what: str, day: dt.date | None, induction_on: dt.date | None) -> int | None:
    if day is None or induction_on is None:
        return None
    if day > induction_on:
        raise RuleError(f"The day of {what} {day} lies after the day of induction {induction_on}.")
    return (induction_on - day).days


def _cycles(wanted: int, days: int, candidate: Candidate) -> Assessment:
    """Met where enough regular cycles are counted; not met where no missing day, nor an estrus that began before the
    days looked at, could bring their number up.
    """
    if not candidate.stages:
        return _unknown("regular_cycles", "No estrous stage was read.")
    figures = cycle_figures(candidate.stages, first_day=-days, last_day=-1)
    told = f"{figures.regular_cycles} regular cycles in the {days} d before induction; {wanted} or more are wanted"
    sentence = f"{told}; {figures.basis}"
    if figures.regular_cycles >= wanted:
        return _known("regular_cycles", True, sentence)
    if most_regular_cycles(figures) < wanted:
        return _known("regular_cycles", False, sentence)
    reasons = "; ".join(uncounted.reason for uncounted in figures.uncounted) or "days are missing"
    return _unknown("regular_cycles", f"{sentence} Not counted: {reasons}.")


def most_regular_cycles(figures: CycleFigures) -> int:
    """No more regular cycles can have been in the days looked at than this.

    Each missing day can have held one more estrus, and cycles are one fewer than estruses. Without a missing day only
    the estrus in which the record starts is open: it may have begun earlier, which makes its cycle longer, never shorter.
    """
    if figures.missing_days:
        return figures.estrus_runs + len(figures.missing_days) - 1
    longest = REGULAR_DAYS[-1]
    return figures.regular_cycles + sum(one.ended - one.began <= longest for one in figures.uncounted)
