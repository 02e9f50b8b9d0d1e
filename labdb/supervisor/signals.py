"""Ctrl-C and TERM."""

import contextlib
import signal
from collections.abc import Iterator


class Stop(BaseException):
    """Somebody pressed Ctrl-C or sent TERM. Not an Exception: nothing on the way may swallow it."""


class Signals:
    """Turns INT and TERM into Stop, but not in the middle of starting a process: that one would be forgotten."""

    def __init__(self) -> None:
        self._held = False
        self._wanted = False
        self._before: dict[int, object] = {}

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                self._before[number] = signal.signal(number, self._on_signal)

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def ignore(self) -> None:
        """From here on the tree is being stopped; a second Ctrl-C must not interrupt that."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._wanted:
            raise Stop

    def _on_signal(self, number: int, frame: object) -> None:
        self._wanted = True
        if not self._held:
            raise Stop
