"""The three programs of the application: the web server, the worker and the beat."""

import http.client
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from labdb.supervisor.errors import ServiceError, last_lines
from labdb.supervisor.folders import require_free
from labdb.supervisor.process import Child, spawn
from labdb.supervisor.state import PROJECT, Var

USUAL_PORT = 8000
READY_SECONDS = 60


def base_environment(var: Var) -> dict[str, str]:
    """The caller's variables for our programs, with every cache inside ``var/``."""
    cache = var.folder("cache")
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "DJANGO_", "GUNICORN_"))}
    return ours | {
        "LABDB_VAR": str(var.root),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or var.secret_key(),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONUNBUFFERED": "1",
    }


@dataclass
class Listener:
    """The web server's socket. The supervisor keeps it, so a restarted server finds its port still its own."""

    host: str
    socket: socket.socket

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def address(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{self.port}/"


def listen(host: str = "127.0.0.1", port: int | None = None) -> Listener:
    """Takes the port; without one the usual one if it is free, else any. Raises ServiceError when it is taken."""
    if port is not None:
        require_free(host, port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (port,) if port is not None else (USUAL_PORT, 0):
        door = socket.socket(family, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, candidate))
            door.listen(256)
            return Listener(host, door)
        except OSError:
            door.close()
    raise ServiceError(f"no port on {host} can be used: choose one with --port")


def start_web(var: Var, environment: Mapping[str, str], door: Listener) -> Child:
    workers = environment.get("LABDB_WEB_WORKERS") or "2"
    command = [sys.executable, "-m", "gunicorn", "labdb.wsgi:application", "--bind", f"fd://{door.socket.fileno()}"]
    command += ["--workers", workers, "--threads", "4", "--timeout", "120", "--graceful-timeout", "10"]
    # gunicorn's control socket would lie in the home folder
    command += ["--no-control-socket", "--worker-tmp-dir", str(var.folder("run")), "--preload"]
    return _start(var, "web", command, environment, ((signal.SIGTERM, 15.0),), pass_fds=(door.socket.fileno(),))


def start_worker(var: Var, environment: Mapping[str, str]) -> Child:
    workers = environment.get("LABDB_JOB_WORKERS") or "2"
    command = [sys.executable, "-m", "celery", "-A", "labdb", "worker", "--concurrency", workers, "--loglevel", "INFO"]
    command += ["--without-gossip", "--without-mingle"]
    # TERM lets the running job end, QUIT drops it: its row's lease brings it back
    return _start(var, "worker", command, environment, ((signal.SIGTERM, 30.0), (signal.SIGQUIT, 5.0)))


def start_beat(var: Var, environment: Mapping[str, str]) -> Child:
    schedule = var.folder("run") / "celerybeat-schedule"
    command = [sys.executable, "-m", "celery", "-A", "labdb", "beat", "--schedule", str(schedule), "--pidfile", ""]
    return _start(var, "beat", [*command, "--loglevel", "INFO"], environment, ((signal.SIGTERM, 10.0),))


def _start(
    var: Var,
    name: str,
    command: list[str],
    environment: Mapping[str, str],
    stop_signals: tuple[tuple[int, float], ...],
    pass_fds: tuple[int, ...] = (),
) -> Child:
    return spawn(
        name,
        command,
        log=var.log(name),
        record=var.folder("run") / f"{name}.json",
        stop_signals=stop_signals,
        # with the supervisor dead there is no database either: nothing to end gently
        death_signal=signal.SIGTERM if name == "web" else signal.SIGKILL,
        env=environment,
        cwd=PROJECT,
        pass_fds=pass_fds,
    )


def await_web(door: Listener, child: Child, pause: Callable[[float], None]) -> None:
    """Waits until a page is answered; raises ServiceError when the server dies, stays silent or answers 5xx."""
    for _ in range(READY_SECONDS * 10):
        child.require_alive()
        status = _status(door)
        if status is not None:
            if status >= 500:
                raise ServiceError(
                    f"the first page answers {status}. Its log, {child.log}, ends:\n{last_lines(child.log, 30)}"
                )
            return
        pause(0.1)
    raise ServiceError(f"no page after {READY_SECONDS} s. The log, {child.log}, ends:\n{last_lines(child.log)}")


def _status(door: Listener) -> int | None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(door.host, door.host)
    connection = http.client.HTTPConnection(host, door.port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
