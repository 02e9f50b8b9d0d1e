"""Private folders, their locks, socket paths and ports."""

import contextlib
import fcntl
import os
import socket
from pathlib import Path

from labdb.supervisor.errors import AlreadyRunning, ServiceError

LONGEST_SOCKET_PATH = 103  # bytes: 107 on Linux, 103 on macOS


def private_folder(path: Path) -> Path:
    """Makes the folder (0700) with its parents where they are missing; never changes one that is there."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


class Claim:
    """Holds a folder for this process until released. The kernel releases it when the process dies, however it dies."""

    def __init__(self, path: Path, holder: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise AlreadyRunning(f"{holder} is already running in {path.parent}") from None

    def release(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._file)


def socket_fits(path: Path) -> bool:
    """Whether a socket may have this path: the system allows about a hundred bytes, and a checkout may lie deep."""
    return len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(host: str, port: int) -> None:
    """Raises ServiceError when somebody listens there or the port may not be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the web server does: a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ServiceError(
                f"port {port} on {host} cannot be used ({reason}): choose another one with --port, "
                "or leave it out and a free one is taken"
            ) from None
