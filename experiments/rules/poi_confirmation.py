"""Whether induction led to premature ovarian insufficiency: k of n criteria that were locked before.

A value below or above a limit of quantification is an interval, never a number: a criterion is met, or not met, only
where that holds for every value it can have been, and is not assessable otherwise. So are control values: with censored
ones among them, a threshold is the interval in which it lies. Concentrations and counts are 0 or more.

Criteria of DOMAIN: persistent diestrus of 10 days or more; FSH above the control mean + 2 SD; E2 or AMH below the mean -
2 SD; loss of follicles of at least a given percentage of the control mean. SD is that of a sample (n - 1).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from experiments.rules.control_thresholds import Measured, Threshold, above_mean, below_mean, share_of_mean
from experiments.rules.estrous_cycle import cycle_figures
from experiments.rules.quantities import RuleError, State, count, percentage, plain, positive


class Kind(StrEnum):
    PERSISTENT_DIESTRUS = "persistent_diestrus"
    ABOVE_CONTROL = "above_control"
    BELOW_CONTROL = "below_control"
    LOSS = "loss"


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion. With several endpoints, any one of them meets it. `amount` is days of diestrus, a number of SDs,
    or the percentage of follicles lost.
    """

    key: str
    kind: Kind
    amount: Decimal
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criteria:
    """The locked list: POI is confirmed where `k` or more are met."""

    k: int
    criteria: tuple[Criterion, ...]

    def __post_init__(self) -> None:
        """Raises RuleError for a list that cannot be applied: each key once, k of them, amounts and endpoints that fit."""
        keys = [criterion.key for criterion in self.criteria]
        if len(set(keys)) < len(keys):
            raise RuleError(f"The criteria {', '.join(sorted(keys))} name one twice; expected each once.")
        if count("The number of criteria to be met", self.k, 1) > len(keys):
            raise RuleError(f"{self.k} criteria must be met, but there are {len(keys)}.")
        for criterion in self.criteria:
            _check(criterion)

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the list, kept when it is locked; another list has another digest."""
        rows = sorted([c.key, c.kind.value, plain(c.amount), sorted(c.endpoints)] for c in self.criteria)
        text = json.dumps({"k": self.k, "criteria": rows}, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Animal:
    """What is known of an animal: values by endpoint (left out where not measured), stages by study day."""

    key: str
    values: Mapping[str, Measured]
    stages: Mapping[int, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """One criterion in one animal, with the sentence that gives its numbers."""

    criterion: str
    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The verdict on one animal."""

    animal: str
    verdict: Verdict
    assessments: tuple[Assessment, ...]


Thresholds = Mapping[tuple[str, str], Threshold | str]  # by criterion and endpoint; a text says why there is none


def thresholds(criteria: Criteria, controls: Mapping[str, Sequence[Measured]]) -> Thresholds:
    """The threshold of every endpoint of every criterion, from the values of the control animals by endpoint."""
    return {
        (criterion.key, endpoint): _threshold(criterion, controls.get(endpoint, ()))
        for criterion in criteria.criteria
        for endpoint in criterion.endpoints
    }


def confirm(criteria: Criteria, made: Thresholds, animal: Animal) -> Confirmation:
    """Confirmed where k criteria are met, not confirmed where they cannot be reached any more even if all that are not
    assessable were met, undetermined between.
    """
    assessments = tuple(assess(criterion, made, animal) for criterion in criteria.criteria)
    states = [assessment.state for assessment in assessments]
    met, open_ = states.count(State.MET), states.count(State.NOT_ASSESSABLE)
    verdict = Verdict.UNDETERMINED
    if met >= criteria.k:
        verdict = Verdict.CONFIRMED
    elif met + open_ < criteria.k:
        verdict = Verdict.NOT_CONFIRMED
    return Confirmation(animal.key, verdict, assessments)


def assess(criterion: Criterion, made: Thresholds, animal: Animal) -> Assessment:
    """One criterion: met by any of its endpoints; not met where each is known not to."""
    if criterion.kind == Kind.PERSISTENT_DIESTRUS:
        return _diestrus(criterion, animal)
    parts = [
        _endpoint(criterion.kind, endpoint, animal.values.get(endpoint), made[criterion.key, endpoint])
        for endpoint in criterion.endpoints
    ]
    states = [state for state, _ in parts]
    state = State.NOT_MET if set(states) == {State.NOT_MET} else State.NOT_ASSESSABLE
    if State.MET in states:
        state = State.MET
    return Assessment(criterion.key, state, " ".join(sentence for _, sentence in parts))


def _endpoint(kind: Kind, endpoint: str, value: Measured | None, threshold: Threshold | str) -> tuple[State, str]:
    if value is None:
        return State.NOT_ASSESSABLE, f"{endpoint} was not measured."
    if isinstance(threshold, str):
        return State.NOT_ASSESSABLE, f"{endpoint}: {threshold}."
    state = _compared(kind, value, threshold)
    word = {State.MET: "is", State.NOT_MET: "is not", State.NOT_ASSESSABLE: "may or may not be"}[state]
    relation = {Kind.ABOVE_CONTROL: "above", Kind.BELOW_CONTROL: "below", Kind.LOSS: "at or below"}[kind]
    return state, f"{endpoint} {value} {word} {relation} {threshold}."


def _compared(kind: Kind, value: Measured, threshold: Threshold) -> State:
    """For every number that value and threshold can be: x > t (above), x < t (below), x <= t (loss)."""
    low, high, bottom, top = value.lowest, value.highest, threshold.lowest, threshold.highest
    at_least = top is not None and low >= top
    at_most = high is not None and bottom is not None and high <= bottom
    surely_over = at_least and (low != top or value.qualifier == ">")
    surely_under = at_most and (high != bottom or value.qualifier == "<")
    met, not_met = {
        Kind.ABOVE_CONTROL: (surely_over, at_most),
        Kind.BELOW_CONTROL: (surely_under, at_least),
        Kind.LOSS: (at_most, surely_over),
    }[kind]
    if met:
        return State.MET
    return State.NOT_MET if not_met else State.NOT_ASSESSABLE


def _diestrus(criterion: Criterion, animal: Animal) -> Assessment:
    if not animal.stages:
        return Assessment(criterion.key, State.NOT_ASSESSABLE, "No estrous stage was read.")
    days = int(criterion.amount)
    figures = cycle_figures(animal.stages, persistent_days=days)
    found = figures.has_persistent_diestrus
    state = State.NOT_ASSESSABLE if found is None else State.MET if found else State.NOT_MET
    told = f"Longest run of diestrus {figures.longest_diestrus_days} d where {days} d are needed"
    return Assessment(criterion.key, state, f"{told}; {figures.basis}")


def _threshold(criterion: Criterion, controls: Sequence[Measured]) -> Threshold | str:
    try:
        if criterion.kind == Kind.LOSS:
            return share_of_mean(controls, 100 - criterion.amount)
        return (above_mean if criterion.kind == Kind.ABOVE_CONTROL else below_mean)(controls, criterion.amount)
    except RuleError as refused:
        return str(refused)


def _check(criterion: Criterion) -> None:
    name = f"The amount of criterion {criterion.key}"
    amount = positive(name, criterion.amount)
    if criterion.kind == Kind.LOSS:
        percentage(name, amount)
    if criterion.kind == Kind.PERSISTENT_DIESTRUS and amount != int(amount):
        raise RuleError(f"{name} is {plain(amount)}; expected whole days.")
    if (criterion.kind == Kind.PERSISTENT_DIESTRUS) == bool(criterion.endpoints):
        wanted = "none" if criterion.endpoints else "one at least"
        raise RuleError(f"Criterion {criterion.key} has endpoints {list(criterion.endpoints)}; expected {wanted}.")
