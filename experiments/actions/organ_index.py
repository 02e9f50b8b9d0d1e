"""Organ indices: mg of the organ a g of body weight of the same day, published where both were weighed."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils import timezone

from experiments.actions.observations import NewObservation, record_observations, successor_of
from experiments.models import Endpoint, Experiment, Observation
from experiments.rules.quantities import as_decimal
from labdb.base.access import require
from labdb.base.verbs import verb

PLACE = "computed from the weights of the organ and of the body"
CHANGED = "A weight that it is computed from was corrected."
BODY = "body_weight"
INDICES = {"ovarian_index": ("ovary_weight", ("L", "R")), "uterus_index": ("uterus_weight", (None,))}

Day = tuple[uuid.UUID, date]  # an animal and a local day


@dataclass(frozen=True)
class Published:
    """How many indices were recorded for the first time, and how many superseded an earlier one."""

    recorded: int
    superseded: int


@verb
def publish_organ_indices(*, experiment: Experiment, by: Any) -> Published:
    """Publish the ovarian index (left and right ovary) and the uterus index of every animal and day that has the weights.

    A day with a weight missing, told twice or below a limit has no index. One that was entered by hand stays as it is. Asked
    again, it publishes what is new and supersedes what a corrected weight changed.

    Raises PermissionDenied where ``by`` may not record observations in the experiment.
    """
    require(by, "add", Observation(experiment=experiment))
    weights = _weights(experiment)
    endpoints = dict(Endpoint.objects.filter(key__in=INDICES).values_list("key", "pk"))
    known = _by_day(experiment, INDICES)
    new, superseded = [], 0
    for key, (organ, sides) in INDICES.items():
        for day, rows in weights[organ].items():
            index = _index(rows, weights[BODY].get(day, []), sides)
            if index is None:
                continue
            old = known[key].get(day, [])
            if not old:
                new.append(_observation(endpoints[key], rows[0], index))
            elif len(old) == 1 and old[0].source_place == PLACE and old[0].value != index:
                _supersede(old[0], index, by)
                superseded += 1
    record_observations(experiment=experiment, observations=new, by=by)
    return Published(len(new), superseded)


def _weights(experiment: Experiment) -> dict[str, dict[Day, list[Observation]]]:
    return _by_day(experiment, [BODY, *(organ for organ, _ in INDICES.values())])


def _by_day(experiment: Experiment, keys: Iterable[str]) -> dict[str, dict[Day, list[Observation]]]:
    """Current observations of animals by endpoint, then by animal and local day. One query."""
    rows = Observation.objects.filter(
        experiment=experiment, endpoint__key__in=keys, is_current=True, animal__isnull=False
    )
    found: dict[str, dict[Day, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.select_related("endpoint").order_by("side", "pk"):
        if row.animal_id is not None:
            found[row.endpoint.key][row.animal_id, timezone.localdate(row.observed_at)].append(row)
    return found


def _index(organs: list[Observation], bodies: list[Observation], sides: tuple[str | None, ...]) -> Decimal | None:
    """mg/g; None unless each side and the body were weighed exactly once."""
    values = [row.value for row in (*organs, *bodies)]
    if [row.side for row in organs] != list(sides) or len(bodies) != 1 or None in values or not bodies[0].value:
        return None
    total = sum((Fraction(row.value) for row in organs if row.value is not None), Fraction(0))
    return as_decimal(total / Fraction(bodies[0].value))


def _observation(endpoint: uuid.UUID, organ: Observation, index: Decimal) -> NewObservation:
    return NewObservation(
        endpoint=endpoint,
        observed_at=organ.observed_at,
        is_time_known=organ.is_time_known,
        animal=organ.animal_id,
        timepoint=organ.timepoint_id,
        number=index,
        source_place=PLACE,
    )


def _supersede(old: Observation, index: Decimal, by: Any) -> None:
    newer = successor_of(old, CHANGED, by)
    newer.value = newer.entered_value = index
    newer.save()
