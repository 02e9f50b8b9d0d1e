"""A list page of 1,000 observations over HTTP beside the same query with psycopg and orjson, in the same run."""

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROUNDS = 30


def run() -> list[dict[str, Any]]:
    """Milliseconds (median) of both, and their ratio. Rows are made in DATABASE_URL and stay there."""
    from tests.bench_rows import observations_of_one_experiment

    experiment, person = observations_of_one_experiment(10_000)
    path = f"/api/v1/observations?experiment={experiment.pk}&limit=1000"
    statements = _statements(experiment, person, path)
    with _server() as port, _connection() as database:
        ask = _asking(port, path, _token(person))
        same = _querying(database, statements)
        assert len(ask()) > 100_000
        times: dict[str, list[float]] = {"http": [], "psycopg": []}
        for _ in range(ROUNDS):  # by turns, so that a busy machine is busy for both
            times["http"].append(_timed(ask))
            times["psycopg"].append(_timed(same))
    http_ms, psycopg_ms = (1000 * statistics.median(times[name]) for name in ("http", "psycopg"))
    return [
        {
            "what": "list page of 1,000 observations over HTTP",
            "ratio": http_ms / psycopg_ms,
            "against": "the same query with psycopg + orjson",
            "aim": 4,
            "detail": f"{http_ms:.1f} ms over HTTP from gunicorn, {psycopg_ms:.1f} ms (medians of {ROUNDS})",
        }
    ]


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _statements(experiment: Any, person: Any, path: str) -> list[str]:
    """The page's own SQL, as Django sends it, without the log-in."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient

    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(person)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200
    connection.close()
    return [
        query["sql"] for query in captured if "experiments_observation" in query["sql"] and "COUNT" not in query["sql"]
    ]


@contextlib.contextmanager
def _connection() -> Iterator[Any]:
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row, autocommit=True) as connection:
        yield connection


def _querying(database: Any, statements: list[str]) -> Callable[[], bytes]:
    import orjson

    def query() -> bytes:
        rows = [row for statement in statements for row in database.execute(statement).fetchall()]
        assert len(rows) == 1000
        return orjson.dumps(rows, default=str)

    return query


def _token(person: Any) -> str:
    from labdb.base.models import AccessToken

    return AccessToken.objects.create(user=person)[1]


@contextlib.contextmanager
def _server() -> Iterator[int]:
    """gunicorn, as the program serves itself, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "labdb.wsgi", f"--bind=127.0.0.1:{port}", "--workers=1"]
    command += ["--threads=4", "--worker-class=gthread", "--log-level=warning", "--no-control-socket"]
    process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("gunicorn did not answer within 20 s")


def _asking(port: int, path: str, token: str) -> Callable[[], bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> bytes:
        client.request("GET", path, headers={"Authorization": f"Token {token}"})
        answer = client.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:500]
        return body

    return ask
