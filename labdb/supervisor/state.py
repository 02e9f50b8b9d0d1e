"""The folder ``var/`` and what is written there about the running tree, so that other commands find it."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from labdb.supervisor.errors import AlreadyRunning
from labdb.supervisor.folders import Claim, private_folder
from labdb.supervisor.process import Identity, write_private

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Var:
    """The folder of everything that runs or is stored; nothing is written outside it."""

    root: Path

    @classmethod
    def of_project(cls) -> "Var":
        """The folder that LABDB_VAR names, else ``var`` in the checkout."""
        return cls(Path(os.environ.get("LABDB_VAR") or PROJECT / "var").absolute())

    def demo(self) -> "Var":
        """The demo's own folder, so that simulated and real data never meet."""
        return Var(self.root / "demo")

    def folder(self, name: str) -> Path:
        private_folder(self.root)
        return private_folder(self.root / name)

    def log(self, name: str) -> Path:
        return self.folder("log") / f"{name}.log"

    @property
    def state_file(self) -> Path:
        return self.root / "run" / "state.json"

    def secret_key(self) -> str:
        """The key that signs this installation's sessions, made once."""
        path = self.root / "secret_key"
        if not path.exists():
            self.folder("run")
            write_private(path, secrets.token_urlsafe(50))
        return path.read_text()


@dataclass(frozen=True)
class State:
    """What is known of the running tree. ``environment`` holds passwords; the file is for its owner alone."""

    pid: int
    started: str
    command: str
    address: str | None
    environment: dict[str, str]

    def is_current(self) -> bool:
        return Identity(self.pid, self.started, self.command).is_alive()


def write_state(var: Var, address: str | None, environment: dict[str, str]) -> None:
    identity = Identity.of(os.getpid())
    assert identity, "a process always sees itself"
    write_private(
        var.state_file, json.dumps(asdict(identity) | {"address": address, "environment": environment}, indent=1)
    )


def read_state(var: Var) -> State | None:
    """The state of the tree that runs now; None when none does, whatever a killed one left in the file."""
    try:
        state = State(**json.loads(var.state_file.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return state if state.is_current() else None


def claim(var: Var) -> Claim:
    """Claims the checkout for this supervisor; raises AlreadyRunning with the other one's pid and address."""
    try:
        return Claim(var.folder("run") / "supervisor.lock", "the supervisor")
    except AlreadyRunning:
        other = read_state(var)
        where = (
            f" (pid {other.pid}, {other.address or 'no page yet'})" if other else ", it is just starting or stopping"
        )
        raise AlreadyRunning(f"already running in {var.root}{where}; stop it with: make down") from None


def missing_environment(var: Var) -> dict[str, str]:
    """The running tree's variables that the caller's own environment does not set."""
    state = read_state(var)
    return {key: value for key, value in state.environment.items() if not os.environ.get(key)} if state else {}
