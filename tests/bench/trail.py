"""What the trail costs: the same writes with its triggers and, switched off by the owner, without them."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from tests.bench.bulk_intake import (
    ROWS,
    TIMEPOINTS,
    _copy,
    _record,
    _stored_form,
    _timed,
    make_experiment,
    new_observations,
)

ROUNDS, SAVES = 3, 300
EVENTS = ("insert", "update", "delete")


def run() -> list[dict[str, Any]]:
    """Ratios of the best of ROUNDS runs each, in turn; every bulk run is rolled back."""
    experiment, user, animals = make_experiment(ROWS // TIMEPOINTS)
    rows = new_observations(experiment, animals)
    values = _stored_form(experiment, user, rows)
    return [
        _compared(f"bulk intake of {ROWS:,} observations", lambda: _timed(lambda: _record(experiment, rows, user)), 2),
        _compared(f"bare COPY of {ROWS:,} observations", lambda: _timed(lambda: _copy(values)), 3),
        _compared(f"{SAVES} rows saved one by one", _save, 2),
    ]


def _compared(what: str, timed: Callable[[], float], aim: float) -> dict[str, Any]:
    with_trail, without = [], []
    for _ in range(ROUNDS):
        with_trail.append(timed())
        with _switched_off():
            without.append(timed())
    return {
        "what": f"{what}, with the trail",
        "ratio": min(with_trail) / min(without),
        "aim": aim,
        "against": "the same without it",
        "detail": f"{min(with_trail):.3f} s against {min(without):.3f} s; load {os.getloadavg()[0]:.1f}",
    }


def _save() -> float:
    from experiments.models import Strain
    from labdb.base.acting import acting
    from labdb.base.models import User

    person = User.objects.get(username="bench")
    start = time.perf_counter()
    for _ in range(SAVES):
        with acting(person=person, door="REST", reason="measured"):
            Strain(name=uuid.uuid4().hex).save()
    return time.perf_counter() - start


@contextmanager
def _switched_off() -> Iterator[None]:
    _owner("DISABLE TRIGGER")
    try:
        yield
    finally:
        _owner("ENABLE ALWAYS TRIGGER")


def _owner(verb: str) -> None:
    from tests.services import with_database

    database = connection.settings_dict["NAME"]
    with psycopg.connect(with_database(os.environ["DATABASE_OWNER_URL"], database), autocommit=True) as owner:
        for table in ("experiments_observation", "experiments_strain"):
            owner.execute(f"ALTER TABLE {table} " + ", ".join(f"{verb} labdb_trail_{event}" for event in EVENTS))
