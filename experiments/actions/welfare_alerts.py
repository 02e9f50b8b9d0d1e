"""Alerts about animals' welfare: weights and scores that reach a rule's threshold, looked at as they are recorded.

A rule's reference is never above the highest weight of the animal so far, so one query that compares each animal with its
highest weight leaves the few that need a closer look; those are assessed by ``experiments.rules.welfare``. However many
rows come at once, the number of queries is the same.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Max, Min, Q
from django.utils import timezone

from experiments.actions.alerts import add_alerts
from experiments.actions.proposals import BODY_WEIGHT
from experiments.models import Alert, Disposition, Endpoint, Enrolment, Experiment, Observation, Procedure, WelfareRule
from experiments.rules import welfare
from experiments.rules.quantities import plain

WELFARE_SCORE = "welfare_score"
FIRST_DAY = -(2**15)
REFERENCES = {
    WelfareRule.Reference.DAY_0: welfare.Reference.DAY_0,
    WelfareRule.Reference.BEFORE_INDUCTION: welfare.Reference.LAST_BEFORE_INDUCTION,
    WelfareRule.Reference.PEAK: welfare.Reference.PEAK,
    WelfareRule.Reference.BASELINE: welfare.Reference.BASELINE_MEAN,
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A weight in g, with its row and local day."""

    row: uuid.UUID
    on: date
    value: Decimal


def watch(experiment: Experiment, new: Iterable[tuple[uuid.UUID, uuid.UUID, uuid.UUID | None]]) -> int:
    """Raise alerts for observations just recorded (row, endpoint, animal), in the caller's transaction; how many are new.

    A published study that is registered here raises none: nobody can look after its animals.
    """
    if experiment.provenance == Experiment.Provenance.REGISTERED:
        return 0
    watched = dict(Endpoint.objects.filter(key__in=(BODY_WEIGHT, WELFARE_SCORE)).values_list("pk", "key"))
    rows: dict[str, dict[uuid.UUID, set[uuid.UUID]]] = defaultdict(lambda: defaultdict(set))
    for row, endpoint, animal in new:
        if animal is not None and endpoint in watched:
            rows[watched[endpoint]][animal].add(row)
    if not rows:
        return 0
    rules = list(WelfareRule.objects.filter(Q(experiment=experiment) | Q(experiment=None), is_active=True))
    of_kind = {kind: [rule for rule in rules if rule.kind == kind] for kind in WelfareRule.Kind.values}
    alerts = [
        *_of_weights(experiment, of_kind["weight_loss_percent"], rows.get(BODY_WEIGHT, {})),
        *_of_scores(experiment, of_kind["welfare_score"], rows.get(WELFARE_SCORE, {})),
    ]
    return add_alerts(experiment, alerts)


def _of_weights(experiment: Experiment, rules: list[WelfareRule], new: dict[uuid.UUID, set]) -> Iterator[Alert]:
    if not rules or not new:
        return
    suspects = _suspects(experiment, new.keys(), min(rule.threshold for rule in rules))
    if not suspects:
        return
    weights = _weights(experiment, suspects)
    induced = _induced_on(experiment, suspects)
    for enrolment in _enrolments(experiment, suspects):
        weighed = weights[enrolment.animal_id]
        for rule in rules:
            found = _crossing(rule, enrolment, weighed, new[enrolment.animal_id], induced.get(enrolment.pk))
            if found:
                row, told = found
                yield _alert(rule, enrolment, row, told)


def _body_weights(experiment: Experiment, animals: Collection[uuid.UUID]) -> Any:
    rows = Observation.objects.filter(experiment=experiment, animal__in=animals, endpoint__key=BODY_WEIGHT)
    return rows.filter(is_current=True, value__gt=0)


def _suspects(experiment: Experiment, animals: Collection[uuid.UUID], least: Decimal) -> set[uuid.UUID]:
    """Animals whose lowest weight is at least ``least`` percent below their highest; no loss can be larger."""
    span = _body_weights(experiment, animals).order_by().values("animal").annotate(low=Min("value"), high=Max("value"))
    return {
        animal for animal, low, high in span.values_list("animal", "low", "high") if 100 * (high - low) >= least * high
    }


def _weights(experiment: Experiment, animals: set[uuid.UUID]) -> dict[uuid.UUID, list[Weighed]]:
    """Every weight of ``animals`` in the order of time."""
    found: dict[uuid.UUID, list[Weighed]] = defaultdict(list)
    rows = _body_weights(experiment, animals).order_by("observed_at", "recorded_at")
    for animal, row, at, value in rows.values_list("animal", "pk", "observed_at", "value"):
        found[animal].append(Weighed(row, timezone.localdate(at), value))
    return found


def _induced_on(experiment: Experiment, animals: set[uuid.UUID]) -> dict[Any, date]:
    """The first day of induction, by enrolment."""
    rows = Procedure.objects.filter(experiment=experiment, enrolment__animal__in=animals, kind="induction")
    return dict(
        rows.filter(performed_on__isnull=False).order_by().values_list("enrolment").annotate(Min("performed_on"))
    )


def _enrolments(experiment: Experiment, animals: Collection[uuid.UUID]) -> Iterable[Enrolment]:
    """The living ones: nobody can look after an animal whose part has ended."""
    rows = Enrolment.objects.filter(experiment=experiment, animal__in=animals).select_related("animal")
    ended = Disposition.objects.filter(experiment=experiment, occurred_on__lte=timezone.localdate())
    return rows.exclude(pk__in=ended.values("enrolment")).order_by("animal__lab_id")


def _crossing(
    rule: WelfareRule, enrolment: Enrolment, weighed: list[Weighed], new: set, induced_on: date | None
) -> tuple[uuid.UUID, str] | None:
    """The latest of the new weights, or the latest weight at all, that reaches the threshold; with the sentence."""
    start = enrolment.day_0
    if start is None and (
        rule.reference != WelfareRule.Reference.PEAK or rule.from_day is not None or rule.to_day is not None
    ):
        return None  # no study day is known, so neither the reference nor the period is
    start = start or weighed[0].on
    of_day = {(each.on - start).days: each for each in weighed}  # the last of a day stands for it
    asked = welfare.Rule(
        reference=REFERENCES[WelfareRule.Reference(rule.reference)],
        periods=(welfare.Period(FIRST_DAY if rule.from_day is None else rule.from_day, rule.to_day, rule.threshold),),
        induction_day=(induced_on - start).days if induced_on else 0,
        baseline_days=(FIRST_DAY, -1),
    )
    latest = weighed[-1].row
    for one in reversed(welfare.assess(asked, {day: each.value for day, each in sorted(of_day.items())})):
        row = of_day[one.day].row
        if one.is_alert and (row in new or row == latest):
            return row, one.sentence
    return None


def _of_scores(experiment: Experiment, rules: list[WelfareRule], new: dict[uuid.UUID, set]) -> Iterator[Alert]:
    if not rules or not new:
        return
    least = min(rule.threshold for rule in rules)
    rows = Observation.objects.filter(pk__in=[row for some in new.values() for row in some], value__gte=least)
    scores: dict[Any, list[tuple[Any, date, Any]]] = defaultdict(list)
    for animal, row, at, value in rows.order_by("-observed_at").values_list("animal", "pk", "observed_at", "value"):
        scores[animal].append((row, timezone.localdate(at), value))
    for enrolment in _enrolments(experiment, scores.keys()) if scores else ():
        for rule in rules:
            for row, on, value in scores[enrolment.animal_id]:
                if value >= rule.threshold and _holds(rule, enrolment, on):
                    yield _alert(rule, enrolment, row, f"A welfare score of {plain(value)} on {on}.")
                    break


def _holds(rule: WelfareRule, enrolment: Enrolment, on: date) -> bool:
    if rule.from_day is None and rule.to_day is None:
        return True
    if enrolment.day_0 is None:
        return False
    day = (on - enrolment.day_0).days
    return (rule.from_day is None or day >= rule.from_day) and (rule.to_day is None or day <= rule.to_day)


def _alert(rule: WelfareRule, enrolment: Enrolment, row: uuid.UUID, told: str) -> Alert:
    message = f"{enrolment.animal}: {told} {rule.action}"
    return Alert(kind=Alert.Kind.WELFARE, enrolment=enrolment, rule=rule, observation_id=row, message=message)
