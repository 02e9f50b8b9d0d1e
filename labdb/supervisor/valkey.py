"""One broker (Valkey, or a Redis of the system) in one private folder, with its queue on disk."""

import contextlib
import secrets
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from labdb.supervisor import binaries
from labdb.supervisor.errors import ServiceError, last_lines
from labdb.supervisor.folders import Claim, free_port, private_folder, socket_fits
from labdb.supervisor.process import Child, end_orphan, spawn, write_private

START_SECONDS = 60
STOP_SIGNALS = ((signal.SIGTERM, 10.0),)


@dataclass
class Valkey:
    """A running broker. The URL may carry a password: do not print it."""

    folder: Path
    child: Child
    url: str
    claim: Claim

    def stop(self) -> None:
        self.child.stop()
        self.claim.release()


def start_valkey(folder: Path, *, tcp: bool = False) -> Valkey:
    """Starts the broker in ``folder`` and returns when it answers.

    ``tcp`` (or a path too long for a socket) listens on 127.0.0.1 with a password instead of a socket.
    Raises AlreadyRunning, or ServiceError with the reason and the log.
    """
    folder = private_folder(folder.absolute())
    claim = Claim(folder / "lock", "the broker")
    path = folder / "socket"
    try:
        end_orphan(folder / "process.json", STOP_SIGNALS)
        path.unlink(missing_ok=True)
        if tcp or not socket_fits(path):
            port, password = free_port(), secrets.token_urlsafe(24)
            url, address = f"redis://:{password}@127.0.0.1:{port}/0", ("127.0.0.1", port)
            lines = [f"port {port}", "bind 127.0.0.1", f"requirepass {password}"]
        else:
            password, url, address = "", f"redis+socket://{quote(str(path))}", str(path)
            lines = ["port 0", f'unixsocket "{path}"', "unixsocketperm 700"]
        child = _spawn(folder, lines)
    except BaseException:
        claim.release()
        raise
    server = Valkey(folder, child, url, claim)
    try:
        _await_ready(server, address, password)
    except BaseException:
        server.stop()
        raise
    return server


def _spawn(folder: Path, listen: list[str]) -> Child:
    data = private_folder(folder / "data")
    lines = [
        *listen,
        f'dir "{data}"',
        "appendonly yes",
        'save ""',
        "daemonize no",
        "maxmemory-policy noeviction",
        "set-proc-title no",  # the command line is how a later start knows this process
    ]
    configuration = folder / "valkey.conf"
    write_private(configuration, "\n".join(lines) + "\n")  # a file, because a password in the arguments is for all to see
    return spawn(
        "the broker",
        [str(binaries.valkey_server()), str(configuration)],
        log=folder / "valkey.log",
        record=folder / "process.json",
        stop_signals=STOP_SIGNALS,
        cwd=data,
    )


def _await_ready(server: Valkey, address: str | tuple[str, int], password: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(address, password):
        server.child.require_alive()
        if time.monotonic() > deadline:
            raise ServiceError(f"the broker is not ready after {START_SECONDS} s:\n{last_lines(server.child.log)}")
        time.sleep(0.01)


def _answers(address: str | tuple[str, int], password: str) -> bool:
    """Whether PING is answered; while the broker still loads its queue it answers with an error."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        connection.connect(address)
        words = f"AUTH {password}\r\nPING\r\n" if password else "PING\r\n"
        connection.sendall(words.encode())
        answer = b""
        while answer.count(b"\r\n") < words.count("\r\n"):
            received = connection.recv(256)
            if not received:
                return False
            answer += received
        return answer.endswith(b"+PONG\r\n")
    return False
