"""The only glue between rows and statistics: what a summary reads, its digest, and the estimates made of it.

One query reads an experiment once, as one text a group of values. Numbers stay the text that PostgreSQL wrote until an
endpoint is known to have changed, and become decimals before they become floats, so no digit is lost on the way.
"""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from experiments.models import Arm, Endpoint, Experiment, Timepoint
from experiments.models.outcomes import SHOWN_WHILE_BLINDED
from experiments.stats.base.vocabulary import Estimate, Scale

if TYPE_CHECKING:
    from experiments.stats.base.sample import Sample

POOLED = "all arms"

# How an observation's animal leads to its experimental unit: an expression and the joins that it needs.
UNIT = {
    Experiment.Unit.ANIMAL: ("o.animal_id", ""),
    Experiment.Unit.LITTER: (
        "coalesce(a.litter_id, o.animal_id)",
        "JOIN experiments_animal a ON a.id = o.animal_id",
    ),
    Experiment.Unit.CAGE: (
        "coalesce(h.cage_id, o.animal_id)",
        """LEFT JOIN experiments_housing h ON h.animal_id = o.animal_id
             AND h.started_on <= (o.observed_at AT TIME ZONE %(zone)s)::date
             AND coalesce(h.ended_on > (o.observed_at AT TIME ZONE %(zone)s)::date, true)""",
    ),
}

# Animals that are excluded, from everything or from the endpoint, are left out; `flow` counts them.
# Rows of sides, readers and sections are rolled up by their assay first; only values of the whole animal are read here.
# A value is told in UNIT_DIGITS characters of its unit, one of its qualifier, and its number.
QUERY = """
    SELECT o.endpoint_id, o.timepoint_id, {arm},
           string_agg({unit}::text || o.qualifier || coalesce(o.value, o."limit")::text, ' ')
      FROM experiments_observation o
      JOIN experiments_enrolment e ON e.experiment_id = o.experiment_id AND e.animal_id = o.animal_id
      JOIN experiments_allocation l ON l.experiment_id = o.experiment_id AND l.enrolment_id = e.id
      {joins}
     WHERE o.experiment_id = %(experiment)s AND o.is_current AND o.timepoint_id IS NOT NULL AND o.category IS NULL
       AND o.side IS NULL AND o.reader IS NULL AND o.ordinal IS NULL
       AND NOT EXISTS (SELECT FROM experiments_exclusion x WHERE x.enrolment_id = e.id AND x.revoked_at IS NULL
                          AND (x.endpoint_id IS NULL OR x.endpoint_id = o.endpoint_id))
     GROUP BY 1, 2, 3
"""
UNIT_DIGITS = 36
UNKNOWN = "?"


@dataclass(frozen=True)
class Group:
    """The values of one arm at one timepoint as the query tells them, in order of their units."""

    timepoint: uuid.UUID
    arm: uuid.UUID | None
    values: str
    sha256: str

    def units(self) -> list[tuple[str, str, Decimal]]:
        """(unit, qualifier, number) of every experimental unit, in order.

        A unit with several values (specimens; animals of a cage) counts with their mean. Where one of them is only a
        bound, so is their mean: the mean with the limits in place of the values bounds it. With bounds of both sides
        the qualifier is UNKNOWN.
        """
        values = self.values.split(" ")
        found = [(v[:UNIT_DIGITS], v[UNIT_DIGITS], Decimal(v[UNIT_DIGITS + 1 :])) for v in values]
        if len({unit for unit, _, _ in found}) == len(found):
            return found
        return [_mean(unit, list(several)) for unit, several in groupby(found, key=itemgetter(0))]


def _mean(unit: str, several: list[tuple[str, str, Decimal]]) -> tuple[str, str, Decimal]:
    from experiments.stats.base.sample import EXACT

    bounds = {qualifier for _, qualifier, _ in several} - {"="}
    qualifier = UNKNOWN if len(bounds) > 1 else min(bounds, default="=")
    total = reduce(EXACT.add, (number for _, _, number in several))
    return unit, qualifier, EXACT.divide(total, Decimal(len(several)))


@dataclass(frozen=True)
class Inputs:
    """All that a summary of one endpoint is computed from, and the digest of it."""

    endpoint: Endpoint
    scale: str
    groups: tuple[Group, ...]
    sha256: str
    methods: dict[str, str]


@dataclass(frozen=True)
class Design:
    """Arms in their order and planned timepoints in theirs."""

    is_blinded: bool
    arms: tuple[Arm, ...]
    timepoints: tuple[Timepoint, ...]

    def pairs(self) -> list[tuple[str, str]]:
        """(arm, reference arm) by label; empty while blinded."""
        labels = {arm.pk: arm.label for arm in self.arms}
        return [] if self.is_blinded else [(a.label, labels[a.reference_id]) for a in self.arms if a.reference_id]


def design_of(experiment: Experiment) -> Design:
    return Design(experiment.is_blinded, tuple(experiment.arms.all()), tuple(experiment.timepoints.all()))


def read_inputs(experiment: Experiment) -> tuple[Design, list[Inputs]]:
    """The inputs of every endpoint that was observed at a planned timepoint, read in one query, and their design.

    Raises:
        ValidationError: an experimental unit of several values has one below and one above a limit, so that its mean is
            not even bounded.
    """
    groups = _read_groups(experiment)
    # The design is read after the rows: an arm or a timepoint that came meanwhile has no rows among them.
    design = design_of(experiment)
    endpoints = Endpoint.objects.in_bulk(groups)
    return design, [_inputs(experiment, design, endpoints[key], groups[key]) for key in sorted(groups, key=str)]


def _read_groups(experiment: Experiment) -> dict[uuid.UUID, list[Group]]:
    groups = _groups(experiment)
    unbounded = sum(_without_bound(group) for found in groups.values() for group in found)
    if unbounded:
        unit = experiment.get_experimental_unit_display()
        raise ValidationError(
            f"{unbounded} times one {unit} has values below and above a limit at one timepoint; their mean is unknown."
        )
    return groups


def _without_bound(group: Group) -> int:
    if not ("<" in group.values and ">" in group.values):
        return 0
    return sum(qualifier == UNKNOWN for _, qualifier, _ in group.units())


def _groups(experiment: Experiment) -> dict[uuid.UUID, list[Group]]:
    """The groups of every endpoint, in order of timepoint and arm."""
    unit, joins = UNIT[Experiment.Unit(experiment.experimental_unit)]
    query = QUERY.format(arm=_arm_column(experiment), unit=unit, joins=joins)
    with transaction.atomic(), connection.cursor() as cursor:
        # Right after a bulk intake the planner takes every table for a row: it would join in loops, minutes instead of a
        # second, and fetch each row by itself instead of page by page.
        cursor.execute(
            "SET LOCAL enable_nestloop = off; SET LOCAL enable_indexscan = off; SET LOCAL work_mem = '128MB'"
        )
        cursor.execute(query, {"experiment": experiment.pk, "zone": settings.TIME_ZONE})
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = on; SET LOCAL enable_indexscan = on; SET LOCAL work_mem TO DEFAULT")
    groups: dict[uuid.UUID, list[Group]] = defaultdict(list)
    for endpoint, timepoint, arm, told in sorted(rows, key=lambda row: tuple(map(str, row[:3]))):
        # The database tells them in any order; sorted, equal rows have one digest and one rounding of their sums.
        values = " ".join(sorted(told.split(" ")))
        digest = hashlib.sha256(values.encode()).hexdigest()
        groups[endpoint].append(Group(timepoint, arm, values, digest))
    return groups


def _arm_column(experiment: Experiment) -> str:
    return "NULL::uuid" if experiment.is_blinded else "l.arm_id"


def _inputs(experiment: Experiment, design: Design, endpoint: Endpoint, groups: Sequence[Group]) -> Inputs:
    from experiments.stats.base.runner import method_versions

    methods = method_versions(SHOWN_WHILE_BLINDED if design.is_blinded else None)
    digest = _digest(experiment, design, endpoint, groups)
    return Inputs(endpoint, endpoint.default_scale, tuple(groups), digest, methods)


def _digest(experiment: Experiment, design: Design, endpoint: Endpoint, groups: Iterable[Group]) -> str:
    """SHA-256 of the inputs. A method's version is no part: a deployment alone makes nothing stale."""
    told = {
        "masking": experiment.masking,
        "unit": experiment.experimental_unit,
        "endpoint": [endpoint.key, endpoint.unit, endpoint.default_scale],
        "arms": [[str(a.pk), a.label, a.position, str(a.reference_id)] for a in design.arms],
        "timepoints": [[str(t.pk), t.label, t.study_day] for t in design.timepoints],
        "groups": [[str(g.timepoint), str(g.arm), g.sha256] for g in groups],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def estimates(inputs: Inputs, design: Design, level: float = 0.95) -> Iterable[tuple[uuid.UUID, Estimate]]:
    """(timepoint, estimate) of one endpoint, arms named by their labels. Blinded: pooled counts only."""
    from experiments.stats.base.runner import summarise

    labels = {arm.pk: arm.label for arm in design.arms} | {None: POOLED}
    order = [POOLED] if design.is_blinded else [arm.label for arm in design.arms]
    by_timepoint: dict[uuid.UUID, dict[str, Sample]] = defaultdict(dict)
    for group in inputs.groups:
        by_timepoint[group.timepoint][labels[group.arm]] = _sample(labels[group.arm], group)
    for timepoint in design.timepoints:
        found = by_timepoint.get(timepoint.pk)
        if found is None:
            continue
        samples = [found.get(label) or _empty(label) for label in order]
        keys = SHOWN_WHILE_BLINDED if design.is_blinded else None
        scale = Scale(inputs.scale)
        for estimate in summarise(samples, pairs=design.pairs(), scale=scale, level=level, keys=keys):
            yield timepoint.pk, estimate


def _sample(label: str, group: Group) -> "Sample":
    from experiments.stats.base.sample import Sample, censoring

    numbers: dict[str, list[Decimal]] = {"=": [], "<": [], ">": []}
    for _, qualifier, number in group.units():
        numbers[qualifier].append(number)
    return Sample.from_decimals(label, numbers["="], **censoring(numbers["<"], numbers[">"]))


def _empty(label: str) -> "Sample":
    from experiments.stats.base.sample import Sample

    return Sample.from_decimals(label, [])


@dataclass(frozen=True, slots=True)
class Point:
    """One experimental unit at one timepoint: its value, or the bound that ``qualifier`` < or > says it lies beyond."""

    endpoint: uuid.UUID
    timepoint: uuid.UUID
    arm: uuid.UUID | None
    unit: uuid.UUID
    qualifier: str
    number: Decimal


def points(experiment: Experiment) -> list[Point]:
    """What a figure shows: every experimental unit that a summary counts, ordered; no arm while blinded."""
    return [
        Point(endpoint, group.timepoint, group.arm, uuid.UUID(unit), qualifier, number)
        for endpoint, groups in _groups(experiment).items()
        for group in groups
        for unit, qualifier, number in group.units()
    ]


def flow(experiment: Experiment) -> list[dict[str, Any]]:
    """n at each stage: allocated, alive and measured per arm and planned timepoint (pooled while blinded)."""
    with connection.cursor() as cursor:
        cursor.execute(FLOW.format(arm=_arm_column(experiment)), {"experiment": experiment.pk})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


FLOW = """
SELECT t.id AS timepoint_id, {arm} AS arm_id, count(*) AS n_allocated,
       count(*) FILTER (WHERE d.id IS NULL OR d.kind = 'survived'
           OR coalesce(d.occurred_on - e.day_0 >= t.study_day, true)) AS n_alive
  FROM experiments_timepoint t
  JOIN experiments_allocation l ON l.experiment_id = t.experiment_id
  JOIN experiments_enrolment e ON e.id = l.enrolment_id
  LEFT JOIN experiments_disposition d ON d.enrolment_id = e.id
 WHERE t.experiment_id = %(experiment)s GROUP BY 1, 2
"""
