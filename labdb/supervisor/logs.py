"""Logs that stay small: one older copy each, cut when too large."""

import shutil
from pathlib import Path

LARGEST_BYTES = 10_000_000


def rotate(log: Path) -> None:
    """Before a start: a large log becomes ``….log.1``."""
    if log.exists() and log.stat().st_size > LARGEST_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def rotate_running(folder: Path) -> None:
    """While programs write: copy and cut. They append, so they go on at the new end; a line in between may be lost."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > LARGEST_BYTES:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            with log.open("r+b") as stream:
                stream.truncate(0)
