"""Starts real supervisors in processes of their own and looks at what is alive."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labdb.supervisor.process import Identity
from labdb.supervisor.state import PROJECT

SERVERS = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
from labdb.supervisor import running
with running(pathlib.Path(sys.argv[1]), parts={"postgres", "valkey"}) as tree:
    tree.serve()
"""
OURS = (
    "DATABASE_",
    "CELERY_",
    "LABDB_",
    "SECRET_KEY",
    "DJANGO_",
    "PYTEST_",
    "PG",
    "XDG_",
    "MPL",
    "UV_",
    "PIP_",
    "PYTHON",
)


def clean_environment(var: Path, home: Path) -> dict[str, str]:
    """The environment of a person who has set nothing, with this home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {"LABDB_VAR": str(var), "HOME": str(home)}


def manage(var: Path, home: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env=clean_environment(var, home) | extra,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


class Supervisor:
    """A supervisor in a process of its own; ``lines`` is what it said so far."""

    def __init__(self, var: Path, home: Path, command: list[str]) -> None:
        self.var, self.output = var, var.parent / f"{var.name}.output"
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=clean_environment(var, home),
                stdout=stream,
                stderr=stream,
                stdin=subprocess.DEVNULL,
            )

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    @property
    def state(self) -> dict[str, object]:
        try:
            answer: dict[str, object] = json.loads((self.var / "run" / "state.json").read_text())
        except FileNotFoundError:
            return {}
        return answer

    @property
    def environment(self) -> dict[str, str]:
        return self.state["environment"]  # type: ignore[return-value]

    def await_ready(self, ready: Callable[["Supervisor"], bool], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not ready(self):
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.05)

    def family(self) -> list[Identity]:
        """Every living process below this one."""
        return [found for pid in descendants(self.process.pid) if (found := Identity.of(pid))]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=90)


def descendants(root: int) -> list[int]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    found = [root]
    for parent in found:  # grows while it is read
        found += [pid for pid, above in parents if above == parent]
    return found[1:]


def _servers_known(one: Supervisor) -> bool:
    return one.state.get("pid") == one.process.pid and "CELERY_BROKER_URL" in one.environment


@contextmanager
def supervisor(var: Path, home: Path, *words: str) -> Iterator[Supervisor]:
    """``manage.py`` with these words, else a supervisor of the two servers alone; ready, and ended at the end."""
    command = [sys.executable, "manage.py", *words] if words else [sys.executable, "-c", SERVERS, str(var)]
    started = Supervisor(var, home, command)
    try:
        if words:
            started.await_ready(lambda one: any(line.startswith("ready") for line in one.lines))
        else:
            started.await_ready(
                lambda one: "CELERY_BROKER_URL" in str(one.state) and one.state["pid"] == one.process.pid
            )
        yield started
    finally:
        if started.process.poll() is None:
            started.end()


def gone(family: list[Identity], seconds: float) -> list[Identity]:
    """Those that still live after the time."""
    deadline = time.monotonic() + seconds
    while (left := [one for one in family if one.is_alive()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
