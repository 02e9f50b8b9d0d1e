"""The tidy table of 100,000 observations as CSV and JSON beside COPY TO of the same rows, in the same run."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 5
ROWS = 100_000


def run(rows: int = ROWS) -> list[dict[str, Any]]:
    """Seconds (median) through the view, its streams consumed, and of COPY TO; and the ratios."""
    from tests.bench_rows import observations_of_one_experiment

    experiment, person = observations_of_one_experiment(rows)
    csv_s, json_s, copy_s, raw_s = _medians(
        _exporting(experiment, person, "csv", rows),
        _exporting(experiment, person, "json", rows),
        _copying(experiment, rows),
        _copying_the_table(experiment, rows),
    )
    return [
        {
            "what": f"tidy table of {rows:,} observations as {kind}",
            "ratio": taken / copy_s,
            "against": "COPY TO of the same query",
            "aim": 2,
            "detail": f"{taken:.2f} s; COPY TO of the same query {copy_s:.2f} s, of the bare table {raw_s:.2f} s",
        }
        for kind, taken in (("CSV", csv_s), ("JSON", json_s))
    ]


def _medians(*calls: Callable[[], None]) -> list[float]:
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def _exporting(experiment: Any, person: Any, kind: str, rows: int) -> Callable[[], None]:
    from rest_framework.test import APIClient

    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(person)

    def export() -> None:
        answer = client.get(f"/api/v1/experiments/{experiment.pk}/dataset", {"format": kind})
        lines = sum(block.count(b"\n") for block in answer.streaming_content)
        assert lines > rows, lines

    return export


def _copying(experiment: Any, rows: int) -> Callable[[], None]:
    from experiments.exchange.dataset import AS_CSV, query

    return _copy(AS_CSV.format(query=query(escaped=False, with_arm=True)), experiment, rows)


def _copying_the_table(experiment: Any, rows: int) -> Callable[[], None]:
    statement = "SELECT * FROM experiments_observation WHERE experiment_id = %(experiment)s AND is_current"
    return _copy(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)", experiment, rows)


def _copy(statement: str, experiment: Any, rows: int) -> Callable[[], None]:
    import psycopg
    from django.conf import settings

    parameters = {"experiment": experiment.pk, "zone": settings.TIME_ZONE}
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    def copy() -> None:
        lines = 0
        with connection.cursor() as cursor, cursor.copy(statement, parameters) as out:
            for block in out:
                lines += bytes(block).count(b"\n")
        assert lines > rows, lines

    return copy
