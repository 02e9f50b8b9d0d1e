"""100,000 observations as a CSV table: checked with every row stored, taken, undone; against the verb alone on the same rows."""

import resource
import tempfile
import time
from collections.abc import Callable

from django.test import override_settings

from tests.bench.bulk_intake import ROWS, TIMEPOINTS, _record, _timed, make_experiment, new_observations


def run() -> list[dict]:
    """The verb is timed in the same database first, rolled back."""
    experiment, user, animals = make_experiment(ROWS // TIMEPOINTS)
    rows = new_observations(experiment, animals)
    verb = min(_timed(lambda: _record(experiment, rows, user)) for _ in range(3))
    taken = {}
    with tempfile.TemporaryDirectory() as folder, override_settings(LABDB_FILES_DIR=folder):
        data = _csv(experiment, animals)
        import_run = _steps(data, user, taken)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in taken.items())
    detail = (
        f"{ROWS:,} rows: {told}; the verb alone {verb:.1f} s; at most {megabytes:.0f} MB; {import_run.counts['new']}"
    )
    return [
        {
            "what": f"table import, {name}",
            "ratio": taken[name] / verb,
            "aim": aim,
            "against": "the verb",
            "detail": detail,
        }
        for name, aim in (("check", 12), ("take", 6), ("undo", 4))
    ]


def _steps(data: bytes, user, taken: dict[str, float]):
    from experiments.actions import imports, jobs

    def asked(name: str, ask: Callable[[], object]) -> None:
        start = time.perf_counter()
        ask()
        taken[name] = time.perf_counter() - start

    run = imports.check_table(data=data, name="weights.csv", table="observations", by=user)
    asked("check", lambda: jobs.run(run.job_id))
    run.refresh_from_db()
    assert run.counts["errors"] == 0, run.counts
    imports.take_import(run=run, by=user, valid_rows_only=False)
    asked("take", lambda: jobs.run(run.job_id))
    asked("undo", lambda: imports.undo_import(run=run, by=user, reason="the bench"))
    return run


def _csv(experiment, animals) -> bytes:
    lines = ["experiment,animal,endpoint,timepoint,observed_at,value,unit"]
    points = list(experiment.timepoints.all())
    for n, animal in enumerate(animals):
        weight = f"{18 + n % 700 / 100:.2f}"
        lines += [f"BENCH,{animal.lab_id},body_weight,{p.label},2026-01-01,{weight},g" for p in points]
    return "\n".join(lines).encode()
