"""Every bench runs, small: its figures mean nothing here, but it must not break unseen."""

import importlib
import pkgutil

import pytest

import tests.bench

SMALLER = {
    "bulk_intake": {"ROWS": 500},
    "export_csv": {"ROUNDS": 1},
    "list_page": {"ROUNDS": 1},
    "summary": {"ANIMALS": 240, "ENDPOINTS": 2, "REPEATS": 1},
    "trail": {"ROWS": 500, "ROUNDS": 1, "SAVES": 3},
}
ARGUMENTS = {"export_csv": {"rows": 500}}
BENCHES = [info.name for info in pkgutil.iter_modules(tests.bench.__path__) if info.name != "__main__"]


@pytest.mark.parametrize("name", BENCHES)
def test_it_runs(name, committed_db, monkeypatch):
    bench = importlib.import_module(f"tests.bench.{name}")
    for constant, value in SMALLER[name].items():
        monkeypatch.setattr(bench, constant, value)
    rows = bench.run(**ARGUMENTS.get(name, {}))
    assert rows
    for row in rows:
        assert row["ratio"] > 0 and {"what", "against", "aim"} <= set(row)
