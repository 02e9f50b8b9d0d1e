"""Child processes that die with their parent, and that a later start recognises beyond doubt.

A process id alone is no proof: ids are used again. A process counts as ours only if the id, the instant it was started
and its command are those that were written down when we started it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labdb.supervisor.accounts import MYSELF, Account
from labdb.supervisor.errors import ServiceError, last_lines

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Identity:
    """What tells one process from every other one that ever had its id."""

    pid: int
    started: str
    command: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The identity of a running process; None when it is gone or only waits to be reaped."""
        facts = _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)
        return cls(pid, *facts) if facts else None

    def is_alive(self) -> bool:
        now = Identity.of(self.pid)
        # "in": until the launcher has become the command, the command stands behind the launcher's own words
        return now is not None and now.started == self.started and self.command in now.command

    def kill(self, number: int) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _from_proc(pid: int) -> tuple[str, str] | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    values = stat.rpartition(")")[2].split()  # the name in brackets may hold spaces
    if values[0] in "ZX":
        return None
    return values[19], command.replace(b"\0", b" ").decode("utf-8", "replace").strip()


def _from_ps(pid: int) -> tuple[str, str] | None:
    answer = subprocess.run(
        ["ps", "-ww", "-o", "state=,lstart=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    words = answer.stdout.split()
    if len(words) < 7 or words[0].startswith("Z"):
        return None
    return " ".join(words[1:6]), " ".join(words[6:])


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.01) -> bool:
    """Whether the condition came true within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@dataclass
class Child:
    """A started process, its log, and how it is stopped.

    ``stop_signals`` are sent in this order, each after its own patience in seconds; SIGKILL follows.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    record: Path
    stop_signals: Sequence[tuple[int, float]] = field(default=((signal.SIGTERM, 10.0),))

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def require_alive(self) -> None:
        """Raises ServiceError with the end of the log when the process has ended."""
        if not self.is_alive():
            raise ServiceError(self.obituary())

    def obituary(self) -> str:
        status = self.process.returncode
        return f"{self.name} ended with status {status}. Its log, {self.log}, ends:\n{last_lines(self.log)}"

    def stop(self) -> None:
        """Ends the process and what is left of its group; returns when it is gone."""
        for number, patience in self.stop_signals:
            if not self.is_alive():
                break
            self.process.send_signal(number)
            wait_until(lambda: not self.is_alive(), patience)
        if self.is_alive():
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.record.unlink(missing_ok=True)


def launched(command: Sequence[str], death_signal: int, account: Account = MYSELF) -> list[str]:
    """The command so that it runs as the account and gets the signal when the thread that starts it ends."""
    user, group = map(str, account.user_and_group or ("-", "-"))
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(int(death_signal)), str(os.getpid()), user, group]
    return [*launcher, *account.prefix, *command]


def spawn(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    record: Path,
    stop_signals: Sequence[tuple[int, float]] = ((signal.SIGTERM, 10.0),),
    death_signal: int = signal.SIGTERM,
    account: Account = MYSELF,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Starts a command in a session of its own, writing to ``log``; ``record`` remembers it for the next start.

    The child gets ``death_signal`` when the **thread** that calls this ends, so call it from one that stays.
    """
    with open(log, "ab", opener=private) as stream:
        process = subprocess.Popen(
            launched(command, death_signal, account),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env=None if env is None else dict(env),
            cwd=cwd,
            pass_fds=pass_fds,
        )
    write_record(record, process.pid, " ".join(command))
    return Child(name, process, log, record, stop_signals)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads; readers see the old or the new text, never a part."""
    scratch = path.with_name(path.name + ".new")
    with open(scratch, "w", opener=private) as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(path)


def private(path: str, flags: int) -> int:
    """For ``open(opener=...)``: a file that only its owner reads."""
    return os.open(path, flags, 0o600)


def write_record(record: Path, pid: int, command: str) -> None:
    """Writes down who ``pid`` is."""
    identity = Identity.of(pid)
    if identity:
        write_private(record, json.dumps(asdict(identity) | {"command": command}))


def read_record(record: Path) -> Identity | None:
    try:
        return Identity(**json.loads(record.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def end_orphan(record: Path, signals: Sequence[tuple[int, float]]) -> None:
    """Ends the recorded process if it still runs. Call it only while holding the folder's claim."""
    orphan = read_record(record)
    for number, patience in (*signals, (int(signal.SIGKILL), 10.0)):
        if orphan is None or not orphan.is_alive():
            break
        orphan.kill(number)
        wait_until(lambda: not orphan.is_alive(), patience)
    record.unlink(missing_ok=True)
