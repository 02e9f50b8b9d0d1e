"""What can go wrong with the services, in words for the person at the keyboard."""

from pathlib import Path


class ServiceError(Exception):
    """A service could not be found, started or kept running. The text says which, why, and where its log is."""


class AlreadyRunning(ServiceError):
    """Another living process holds this folder."""


def last_lines(log: Path, count: int = 12) -> str:
    """The last lines of a log file, for an error message; empty where there is no log."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 8192))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-count:])
