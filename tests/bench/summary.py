"""The cost of an outcome summary, beside reading the same rows once and the same numpy/scipy calls on arrays in memory.

The alternative stores nothing, keeps no history and reads no digest: it is what a script would do at the least.
"""

import hashlib
import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from scipy import special, stats

from experiments.actions.jobs import Progress, request_job
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.summaries import SUMMARISE, summarise
from experiments.models import Allocation, Animal, Arm, Endpoint, Enrolment, Experiment, Membership, Strain, Timepoint
from labdb.base.bulk import bulk_insert
from labdb.base.models import User

ANIMALS, ENDPOINTS, ARMS, REPEATS = 10_000, 20, 6, 3
AT = datetime(2026, 3, 9, 9, tzinfo=UTC)
LEVEL = 0.95
WHOLE = "o.endpoint_id, o.timepoint_id, l.arm_id, o.animal_id, o.value"
LEAN = "o.endpoint_id, l.arm_id, o.value"
ROWS = """SELECT {columns} FROM experiments_observation o
            JOIN experiments_enrolment e ON e.experiment_id = o.experiment_id AND e.animal_id = o.animal_id
            JOIN experiments_allocation l ON l.enrolment_id = e.id
           WHERE o.experiment_id = %s AND o.is_current AND o.timepoint_id IS NOT NULL"""


def run() -> list[dict]:
    """Ratios of the best of three runs each, in turn: a summary, its growth with the animals, unchanged inputs."""
    tenth, full = measure(*(make_experiment(animals) for animals in (ANIMALS // 10, ANIMALS)))
    unchanged = f"unchanged {full['unchanged']:.2f} s, reading {full['reading']:.2f} s, SHA-256 {full['digest']:.2f} s"
    return [
        _compared(full, "reading", "reading the rows with psycopg + the same numpy/scipy calls on arrays"),
        _compared(full, "lean", "reading no more of them than endpoint, arm and value + these calls"),
        {
            "what": "summary of 10 x the animals",
            "ratio": full["summary"] / tenth["summary"],
            "aim": 12,
            "against": "a tenth of the animals",
            "detail": f"{full['summary']:.2f} s against {tenth['summary']:.3f} s",
        },
        {
            "what": "summary of unchanged inputs",
            "ratio": full["unchanged"] / (full["reading"] + full["digest"]),
            "aim": 1,
            "against": "reading the rows with psycopg + SHA-256 of them",
            "detail": f"{unchanged}: {full['unchanged'] / full['summary']:.0%} of a summary",
        },
    ]


def _compared(full: dict[str, float], reading: str, against: str) -> dict:
    return {
        "what": f"summary of {ANIMALS:,} animals x {ENDPOINTS} endpoints",
        "ratio": full["summary"] / (full[reading] + full["statistics"]),
        "aim": 1.5,
        "against": against,
        "detail": f"{full['summary']:.2f} s against {full[reading]:.2f} + {full['statistics']:.2f} s; {_load()}",
    }


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def measure(*experiments: Experiment) -> list[dict[str, float]]:
    """Best seconds of all that ``_once`` does with an experiment, for each; they take turns."""
    repeats = [[_once(experiment) for experiment in experiments] for _ in range(REPEATS)]
    return [{name: min(run[name] for run in runs) for name in runs[0]} for runs in zip(*repeats, strict=True)]


def _once(experiment: Experiment) -> dict[str, float]:
    experiment.summaries.all().delete()
    times = {"summary": _timed(_summarise, experiment), "unchanged": _timed(_summarise, experiment)}
    rows: list[tuple] = []
    times["reading"] = _timed(lambda: rows.extend(_read(experiment, WHOLE)))
    times["lean"] = _timed(_read, experiment, LEAN)
    times["digest"] = _timed(_sha256, rows)
    times["statistics"] = _timed(_statistics, _arrays(rows))
    return times


def _timed(call: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def _summarise(experiment: Experiment) -> None:
    summarise(request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment), Progress())


def _read(experiment: Experiment, columns: str) -> list[tuple]:
    """``columns`` of every row, once, with psycopg alone."""
    connection.ensure_connection()
    with psycopg.ClientCursor(connection.connection) as cursor:
        return cursor.execute(ROWS.format(columns=columns), [experiment.pk]).fetchall()


def _sha256(rows: list[tuple]) -> str:
    return hashlib.sha256("".join(f"{animal.hex}{value}" for *_, animal, value in rows).encode()).hexdigest()


def _arrays(rows: list[tuple]) -> list[list[np.ndarray]]:
    """An array an arm, the reference first, for every endpoint and timepoint."""
    values: dict[tuple, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for endpoint, timepoint, arm, _, value in rows:
        values[endpoint, timepoint][str(arm)].append(value)
    return [[np.array(arms[arm], dtype=float) for arm in sorted(arms)] for arms in values.values()]


def _statistics(groups: list[list[np.ndarray]]) -> None:
    """What a summary states of an endpoint on the log scale, with a call of numpy or scipy for each statement."""
    for arms in groups:
        logs = [np.log(values) for values in arms]
        for values in (*arms, *logs):
            np.std(values, ddof=1)
            stats.t.interval(LEVEL, values.size - 1, np.mean(values), stats.sem(values))
        for values in arms:
            np.quantile(values, [0.25, 0.5, 0.75])
        stats.f_oneway(*logs, equal_var=False)
        stats.f_oneway(*logs)
        for treated in logs[1:]:
            stats.ttest_ind(treated, logs[0], equal_var=False).confidence_interval(LEVEL)
            _hedges_g(treated, logs[0])


def _hedges_g(treated: np.ndarray, reference: np.ndarray) -> list[float]:
    """g and its exact interval: the noncentralities of t that leave (1 - LEVEL) / 2 on either side."""
    df = treated.size + reference.size - 2
    root = np.sqrt(1 / treated.size + 1 / reference.size)
    t = stats.ttest_ind(treated, reference).statistic
    correction = np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    limits = [special.nctdtrinc(df, p, t) for p in ((1 + LEVEL) / 2, (1 - LEVEL) / 2)]
    return [correction * noncentrality * root for noncentrality in (t, *limits)]


def make_experiment(animals: int) -> Experiment:
    """An open-label experiment of ``animals`` in ARMS arms, each with a value of ENDPOINTS endpoints; not analysed."""
    person = User.objects.create_user(f"bench-{uuid.uuid4().hex[:8]}")
    experiment = Experiment(code=f"bench-{uuid.uuid4().hex[:8]}", title="Bench", masking="open_label")
    experiment.save()
    Membership(experiment=experiment, user=person, role=Membership.Role.SCIENTIST).save()
    timepoint = Timepoint(experiment=experiment, label="day 7", study_day=7)
    timepoint.save()
    enrolled = _enrol(experiment, animals)
    generator = np.random.default_rng(1)
    for number in range(ENDPOINTS):
        endpoint = Endpoint(key=f"{experiment.code}-{number}", name=f"Endpoint {number}", unit="g", default_scale="log")
        endpoint.save()
        values = [Decimal(f"{value:.3f}") for value in generator.lognormal(3, 0.3, animals)]
        rows = [
            NewObservation(endpoint=endpoint.pk, animal=animal, observed_at=AT, timepoint=timepoint.pk, number=value)
            for animal, value in zip(enrolled, values, strict=True)
        ]
        record_observations(experiment=experiment, observations=rows, by=person)
    return experiment


def _enrol(experiment: Experiment, animals: int) -> list[uuid.UUID]:
    strain = Strain(name=experiment.code)
    strain.save()
    arms: list[Arm] = []
    for number in range(ARMS):
        arm = Arm(experiment=experiment, label=f"arm {number}", position=number, reference=arms[0] if arms else None)
        arm.save()
        arms.append(arm)
    made = [(uuid.uuid4(), uuid.uuid4(), uuid.uuid4()) for _ in range(animals)]
    names = [(animal, f"{experiment.code}-{number}", strain.pk) for number, (animal, _, _) in enumerate(made)]
    bulk_insert(Animal, ("id", "lab_id", "strain"), names)
    enrolments = [(enrolment, experiment.pk, animal, date(2026, 3, 2)) for animal, enrolment, _ in made]
    bulk_insert(Enrolment, ("id", "experiment", "animal", "day_0"), enrolments)
    allocated = [
        (allocation, experiment.pk, enrolment, arms[number % ARMS].pk, AT)
        for number, (_, enrolment, allocation) in enumerate(made)
    ]
    bulk_insert(Allocation, ("id", "experiment", "enrolment", "arm", "allocated_at"), allocated)
    return [animal for animal, _, _ in made]
