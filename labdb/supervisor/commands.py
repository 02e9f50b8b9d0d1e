"""``up`` and ``down`` as a person sees them."""

import os
import signal
from collections.abc import Callable

from labdb.supervisor.process import Identity, wait_until
from labdb.supervisor.signals import Stop
from labdb.supervisor.state import State, Var, read_state
from labdb.supervisor.tree import running, tell

STOP_SECONDS = 120


def serve(*, host: str = "127.0.0.1", port: int | None = None, say: Callable[[str], None] = tell) -> None:
    """Serves the checkout's data until Ctrl-C or TERM. Raises AlreadyRunning or ServiceError."""
    try:
        with running(host=host, port=port, say=say) as tree:
            say(f"ready: {tree.address} — data and logs in {tree.var.root}, Ctrl-C stops everything")
            tree.serve()
    except Stop:
        say("stopped")


def bring_down(say: Callable[[str], None] = tell) -> bool:
    """Stops what runs in this checkout, the demo too, and waits for its end; False when nothing runs or does not end."""
    var = Var.of_project()
    running_here = [state for state in (read_state(var), read_state(var.demo())) if state is not None]
    if not running_here:
        say("nothing is running here")
    ended = [_end(state, say) for state in running_here]
    return bool(ended) and all(ended)


def _end(state: State, say: Callable[[str], None]) -> bool:
    identity = Identity(state.pid, state.started, state.command)
    say(f"stopping the supervisor (pid {state.pid})")
    os.kill(state.pid, signal.SIGTERM)
    if not wait_until(lambda: not identity.is_alive(), STOP_SECONDS, pause=0.1):
        say(f"it has not ended after {STOP_SECONDS} s; its logs are in {Var.of_project().root / 'log'}")
        return False
    say("stopped")
    return True
