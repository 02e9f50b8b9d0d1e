"""The tree: database, broker, web server, worker and beat under one parent, started and stopped in order."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from labdb.supervisor import accounts, services, state
from labdb.supervisor.errors import ServiceError, last_lines
from labdb.supervisor.logs import rotate, rotate_running
from labdb.supervisor.postgres import start_postgres
from labdb.supervisor.process import Child, end_orphan, launched, private
from labdb.supervisor.signals import Signals
from labdb.supervisor.static import collect_static
from labdb.supervisor.valkey import start_valkey

ALL_PARTS = frozenset({"postgres", "valkey", "web", "worker", "beat"})
STOP_ORDER = ("web", "beat", "worker", "the broker", "PostgreSQL")
RESTARTS, WITHIN_SECONDS = (4, 120.0)  # so many deaths of one service in that time are restarted
tell = partial(print, flush=True)
LOG_PAUSE = 30.0  # seconds between two looks at the size of the logs


@dataclass
class Service:
    """One member of the tree: its living child, how it is brought back, how it is stopped, when it died."""

    name: str
    child: Callable[[], Child]
    respawn: Callable[[], None]
    stop: Callable[[], None]
    deaths: list[float] = field(default_factory=list)


@dataclass
class Tree:
    """What runs. Get one from ``running``; ``environment`` holds the URLs (with passwords) that programs need."""

    var: state.Var
    say: Callable[[str], None]
    environment: dict[str, str]
    owner_environment: dict[str, str]
    address: str | None = None
    door: services.Listener | None = None
    members: list[Service] = field(default_factory=list)
    _signals: Signals = field(default_factory=Signals)
    _next_log_check: float = 0.0

    def manage(self, *words: str, as_owner: bool = False, log: str | None = None) -> None:
        """Runs ``manage.py`` with these words. Its output goes to the caller's, or to the log of that name.

        Raises ServiceError when it fails.
        """
        command = [sys.executable, str(state.PROJECT / "manage.py"), *words]
        environment = self.owner_environment if as_owner else self.environment
        path = self.var.log(log) if log else None
        with open(path, "ab", opener=private) if path else contextlib.nullcontext() as stream:
            status = subprocess.run(
                launched(command, signal.SIGTERM), env=environment, stdout=stream, stderr=stream, check=False
            ).returncode
        if status:
            tail = f" Its log, {path}, ends:\n{last_lines(path, 25)}" if path else ""
            raise ServiceError(f"manage.py {' '.join(words)} failed with status {status}.{tail}")

    def check(self) -> None:
        """One look at every child; dead ones are restarted. Raises ServiceError when one dies again and again.

        Call it about every second while waiting for something else. Raises Stop after Ctrl-C or TERM.
        """
        for member in self.members:
            if not member.child().is_alive():
                self._bring_back(member)
        if time.monotonic() >= self._next_log_check:
            self._next_log_check = time.monotonic() + LOG_PAUSE
            rotate_running(self.var.folder("log"))

    def serve(self) -> None:
        """Watches over the tree until Stop (Ctrl-C, TERM) or ServiceError."""
        while True:
            self.check()
            time.sleep(0.2)

    def _bring_back(self, member: Service) -> None:
        obituary = member.child().obituary()
        now = time.monotonic()
        member.deaths = [moment for moment in member.deaths if now - moment < WITHIN_SECONDS] + [now]
        if len(member.deaths) > RESTARTS:
            raise ServiceError(f"{member.name} died {len(member.deaths)} times in {WITHIN_SECONDS:g} s. {obituary}")
        pause = 0.5 * 2 ** (len(member.deaths) - 1)
        self.say(f"{member.name} died, starting it again in {pause:g} s (log: {member.child().log})")
        time.sleep(pause)
        with self._signals.held():
            member.child().stop()  # what is left of its group
            member.respawn()

    def _add(self, member: Service) -> None:
        self.members.append(member)

    def _stop(self) -> None:
        for member in sorted(self.members, key=lambda member: STOP_ORDER.index(member.name)):
            self.say(f"stopping {member.name}")
            try:
                member.stop()
            except OSError as error:  # the others must still be stopped
                self.say(f"stopping {member.name}: {error}")
        self.members.clear()


@contextlib.contextmanager
def running(
    var_dir: Path | None = None,
    *,
    parts: Collection[str] = ALL_PARTS,
    host: str = "127.0.0.1",
    port: int | None = None,
    say: Callable[[str], None] = tell,
) -> Iterator[Tree]:
    """Starts the parts in order, gives the Tree, and stops everything in the opposite order at the end.

    ``DATABASE_URL`` and ``CELERY_BROKER_URL`` in the environment replace the embedded servers. Call it from the main
    thread. Raises AlreadyRunning, ServiceError, and Stop (a BaseException) after Ctrl-C or TERM.
    """
    unknown = set(parts) - ALL_PARTS
    if unknown:
        raise ValueError(f"unknown parts: {', '.join(sorted(unknown))}")
    var = state.Var(var_dir.absolute()) if var_dir else state.Var.of_project()
    claim = state.claim(var)
    tree = Tree(var, say, {}, {})
    tree._signals.install()
    try:
        _start(tree, parts, host, port)
        yield tree
    finally:
        tree._signals.ignore()
        tree._stop()
        if tree.door:
            tree.door.socket.close()
        var.state_file.unlink(missing_ok=True)
        claim.release()
        tree._signals.restore()


def _start(tree: Tree, parts: Collection[str], host: str, port: int | None) -> None:
    var, say = tree.var, tree.say
    for name in ("web", "worker", "beat"):
        end_orphan(var.folder("run") / f"{name}.json", ((signal.SIGTERM, 10.0),))
    for log in var.folder("log").glob("*.log"):
        rotate(log)
    tree.door = services.listen(host, port) if "web" in parts else None
    tree.environment = services.base_environment(var)
    tree.owner_environment = dict(tree.environment)
    if "postgres" in parts:
        _start_postgres(tree)
    if "valkey" in parts:
        _start_valkey(tree)
    state.write_state(var, None, _shared(tree))
    if set(parts) & {"web", "worker", "beat"}:
        say("bringing the tables up to date")
        tree.manage("migrate", "--noinput", "--skip-checks", as_owner=True, log="migrate")
    if tree.door:
        collect_static(tree)
        _start_web(tree, tree.door)
    for name, start in (("worker", services.start_worker), ("beat", services.start_beat)):
        if name in parts:
            _start_program(tree, name, partial(start, var, tree.environment))
    state.write_state(var, tree.address, _shared(tree))


def _shared(tree: Tree) -> dict[str, str]:
    """What other commands in this checkout need to know."""
    names = ("DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", "SECRET_KEY", "LABDB_VAR")
    return {name: tree.owner_environment[name] for name in names if tree.owner_environment.get(name)}


def _start_postgres(tree: Tree) -> None:
    if os.environ.get("DATABASE_URL"):
        tree.say("using the database of DATABASE_URL")
        tree.environment.pop("DATABASE_OWNER_URL", None)  # the application's programs never see the owner's password
        return
    tree.say("starting PostgreSQL")
    folder = tree.var.folder("postgres")
    if accounts.for_postgres(folder / "cluster").user_and_group:
        tree.var.root.chmod(0o711)  # its user passes through to the folder inside that it owns, and reads nothing else
    with tree._signals.held():
        server = start_postgres(folder, log=tree.var.log("postgres"))
        tree._add(Service("PostgreSQL", lambda: server.child, server.respawn, server.stop))
    tree.environment["DATABASE_URL"] = tree.owner_environment["DATABASE_URL"] = server.app_url
    tree.environment.pop("DATABASE_OWNER_URL", None)
    tree.owner_environment["DATABASE_OWNER_URL"] = server.owner_url


def _start_valkey(tree: Tree) -> None:
    if os.environ.get("CELERY_BROKER_URL"):
        tree.say("using the broker of CELERY_BROKER_URL")
        return
    tree.say("starting the broker")
    with tree._signals.held():
        server = start_valkey(tree.var.folder("valkey"), log=tree.var.log("valkey"))
        tree._add(Service("the broker", lambda: server.child, server.respawn, server.stop))
    tree.environment["CELERY_BROKER_URL"] = tree.owner_environment["CELERY_BROKER_URL"] = server.url


def _start_web(tree: Tree, door: services.Listener) -> None:
    child = _start_program(tree, "web", partial(services.start_web, tree.var, tree.environment, door))
    services.await_web(door, child, time.sleep)
    tree.address = door.address
    tree.say(f"serving {door.address}")


def _start_program(tree: Tree, name: str, start: Callable[[], Child]) -> Child:
    tree.say(f"starting {name}")
    with tree._signals.held():
        current = [start()]

        def respawn() -> None:
            current[0] = start()

        tree._add(Service(name, lambda: current[0], respawn, lambda: current[0].stop()))
    return current[0]
