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
    address: str | tuple[str, int]
    password: str
    claim: Claim

    def respawn(self) -> None:
        """Starts the server again, under the same URL, after it died."""
        self.child = _spawn(self.folder, self.child.log, _listen(self.address, self.password))
        _await_ready(self)

    def stop(self) -> None:
        self.child.stop()
        self.claim.release()


def start_valkey(folder: Path, *, tcp: bool = False, log: Path | None = None) -> Valkey:
    """Starts the broker in ``folder`` and returns when it answers.

    ``tcp`` (or a path too long for a socket) listens on 127.0.0.1 with a password instead of a socket.
    Raises AlreadyRunning, or ServiceError with the reason and the log.
    """
    folder = private_folder(folder.absolute())
    claim = Claim(folder / "lock", "the broker")
    path = folder / "socket"
    address: str | tuple[str, int] = str(path)
    try:
        end_orphan(folder / "process.json", STOP_SIGNALS)
        path.unlink(missing_ok=True)
        if tcp or not socket_fits(path):
            port, password = free_port(), secrets.token_urlsafe(24)
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            address = ("127.0.0.1", port)
        else:
            password, url = "", f"redis+socket://{quote(str(path))}"
        child = _spawn(folder, log or folder / "valkey.log", _listen(address, password))
    except BaseException:
        claim.release()
        raise
    server = Valkey(folder, child, url, address, password, claim)
    try:
        _await_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def _listen(address: str | tuple[str, int], password: str) -> list[str]:
    if isinstance(address, str):
        return ["port 0", f'unixsocket "{address}"', "unixsocketperm 700"]
    return [f"port {address[1]}", f"bind {address[0]}", f"requirepass {password}"]


def _spawn(folder: Path, log: Path, listen: list[str]) -> Child:
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
    write_private(
        configuration, "\n".join(lines) + "\n"
    )  # a file, because a password in the arguments is for all to see
    return spawn(
        "the broker",
        [str(binaries.valkey_server()), str(configuration)],
        log=log,
        record=folder / "process.json",
        stop_signals=STOP_SIGNALS,
        cwd=data,
    )


def _await_ready(server: Valkey) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(server.address, server.password):
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
