"""Loss of body weight against a reference, and when it raises a humane-endpoint alert.

Loss is 100 · (reference - weight) / reference, in percent; an alert is raised where it reaches the threshold of the
period (20 % unless the laboratory says otherwise). What the reference is differs between laboratories (see `Reference`).
Weights are grams by study day; a day that is in the record without a weight is missing and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from experiments.rules.quantities import RuleError, as_decimal, percentage, plain, positive, short


class Reference(StrEnum):
    """What a weight is compared with."""

    DAY_0 = "day_0"  # the weight of study day 0
    LAST_BEFORE_INDUCTION = "last_before_induction"  # of the day of induction, else the latest before it
    BASELINE_MEAN = "baseline_mean"  # the mean of the weights of the baseline days, from the day after the last of them
    PEAK = "peak"  # the highest weight so far, this day's included
    AGE_MATCHED_CONTROL = "age_matched_control"  # the control mean of the same day


class State(StrEnum):
    NONE = "none"
    FIRST_CROSSING = "first_crossing"
    STILL_BELOW = "still_below"
    NOT_ASSESSABLE = "not_assessable"


@dataclass(frozen=True, slots=True)
class Period:
    """Study days, both included (`last_day` None: no end), with the loss in percent that raises an alert."""

    first_day: int
    last_day: int | None
    loss_percent: Decimal


@dataclass(frozen=True, slots=True)
class Rule:
    """A laboratory's rule. Raises RuleError for periods that overlap or end before they begin, a threshold that is not
    above 0 and at most 100 %, and baseline days that are missing or turned round.
    """

    reference: Reference
    periods: tuple[Period, ...] = (Period(0, None, Decimal(20)),)
    induction_day: int = 0
    baseline_days: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        last: int | None = None
        for place, period in enumerate(sorted(self.periods, key=lambda one: one.first_day)):
            positive("The threshold in %", percentage("The threshold", period.loss_percent))
            if period.last_day is not None and period.last_day < period.first_day:
                raise RuleError(f"A period ends on day {period.last_day}, before its first day {period.first_day}.")
            if place and (last is None or period.first_day <= last):
                raise RuleError(f"The period from day {period.first_day} overlaps the one before it.")
            last = period.last_day
        days = self.baseline_days
        if self.reference == Reference.BASELINE_MEAN and (days is None or days[1] < days[0]):
            raise RuleError(f"The baseline days are {days}; expected the first and the last day.")

    def threshold(self, day: int) -> Decimal | None:
        """The loss in percent that raises an alert on that day; None outside every period."""
        for period in self.periods:
            if period.first_day <= day and (period.last_day is None or day <= period.last_day):
                return period.loss_percent
        return None


@dataclass(frozen=True, slots=True)
class Assessment:
    """One day: `loss_percent` is negative where weight was gained; None stands for what is not known."""

    day: int
    weight_g: Decimal | None
    reference_g: Decimal | None
    loss_percent: Decimal | None
    threshold_percent: Decimal | None
    state: State
    sentence: str

    @property
    def is_alert(self) -> bool:
        return self.state in (State.FIRST_CROSSING, State.STILL_BELOW)


def assess(
    rule: Rule, weights_g: Mapping[int, Decimal | None], control_mean_g: Mapping[int, Decimal] | None = None
) -> list[Assessment]:
    """Each day of the record in order. An alert is a first crossing unless the last assessable day was an alert too:
    an animal that recovered crosses anew, a missing weight or reference between two alerts does not end them.

    Raises RuleError for a weight that is NaN, an infinity, or not above 0, with its day.
    """
    weights = {
        day: None if weight is None else positive(f"The weight of day {day} in g", weight)
        for day, weight in sorted(weights_g.items())
    }
    found: list[Assessment] = []
    was_alert = False
    for day, weight in weights.items():
        reference = None if weight is None else reference_g(rule, weights, day, control_mean_g or {})
        found.append(_assessed(rule, day, weight, reference, was_alert))
        if found[-1].state != State.NOT_ASSESSABLE:
            was_alert = found[-1].is_alert
    return found


def reference_g(
    rule: Rule, weights_g: Mapping[int, Decimal | None], day: int, control_mean_g: Mapping[int, Decimal]
) -> Fraction | None:
    """The weight in g that the rule compares the weight of `day` with; None where it is not known (yet)."""
    known = {at: Fraction(weight) for at, weight in weights_g.items() if weight is not None and at <= day}
    match rule.reference:
        case Reference.DAY_0:
            return known.get(0)
        case Reference.LAST_BEFORE_INDUCTION:
            before = [at for at in known if at <= rule.induction_day]
            return known[max(before)] if before and day >= rule.induction_day else None
        case Reference.BASELINE_MEAN:
            return _baseline_mean(rule, known, day)
        case Reference.PEAK:
            return max(known.values(), default=None)
        case Reference.AGE_MATCHED_CONTROL:
            mean = control_mean_g.get(day)
            return None if mean is None else Fraction(positive(f"The control mean of day {day} in g", mean))


def _baseline_mean(rule: Rule, known: Mapping[int, Fraction], day: int) -> Fraction | None:
    assert rule.baseline_days is not None
    first, last = rule.baseline_days
    baseline = [weight for at, weight in known.items() if first <= at <= last]
    return sum(baseline, Fraction(0)) / len(baseline) if baseline and day > last else None


def _assessed(rule: Rule, day: int, weight: Decimal | None, reference: Fraction | None, was_alert: bool) -> Assessment:
    threshold, name = rule.threshold(day), rule.reference.replace("_", " ")
    if weight is None or reference is None:
        told = "no weight" if weight is None else f"no reference weight ({name})"
        sentence = f"Day {day}: {told}; the loss is not known."
        return Assessment(day, weight, None, None, threshold, State.NOT_ASSESSABLE, sentence)
    loss = 100 * (reference - Fraction(weight)) / reference
    change = f"{short(abs(loss), 2)} % {'below' if loss >= 0 else 'above'}"
    told = f"Day {day}: {plain(weight)} g is {change} the reference of {short(reference, 2)} g ({name})"
    state = State.NONE
    if threshold is None:
        told += "; no threshold holds on this day."
    elif loss < Fraction(threshold):
        told += f"; an alert is raised at {plain(threshold)} %."
    else:
        state = State.STILL_BELOW if was_alert else State.FIRST_CROSSING
        told += f": a loss of {plain(threshold)} % or more{', still' if was_alert else ''}."
    return Assessment(day, weight, as_decimal(reference), as_decimal(loss), threshold, state, told)
