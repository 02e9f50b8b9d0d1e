"""Run every bench and print a line each: the figure, its aim, and what it is compared with."""

import importlib
import os
import pkgutil
import sys
from contextlib import ExitStack

import tests.bench
from tests import services

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labdb.settings")


def main(names: list[str]) -> int:
    services.pytest_load_initial_conftests(None)
    try:
        import django

        django.setup()
        found = [info.name for info in pkgutil.iter_modules(tests.bench.__path__) if info.name != "__main__"]
        missed = sum(_report(name) for name in names or found)
    finally:
        services._stack.close()
    return 1 if missed else 0


def _report(name: str) -> int:
    from tests.conftest import cloned_database

    with ExitStack() as stack:
        database = stack.enter_context(cloned_database())
        before = os.environ["DATABASE_URL"]
        os.environ["DATABASE_URL"] = services.with_database(before, database)
        stack.callback(os.environ.__setitem__, "DATABASE_URL", before)
        missed = 0
        for row in importlib.import_module(f"tests.bench.{name}").run():
            verdict = "ok" if row["ratio"] <= row["aim"] else "MISSED"
            missed += verdict == "MISSED"
            print(f"{row['what']}: {row['ratio']:.2f} x {row['against']} (aim ≤ {row['aim']}) {verdict}", flush=True)
            print(f"    {row.get('detail', '')}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
