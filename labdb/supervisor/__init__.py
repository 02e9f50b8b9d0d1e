"""The embedded PostgreSQL and Valkey and the tree of processes around them. Standard library only.

``start_postgres(folder)`` and ``start_valkey(folder)`` start one server; ``running(...)`` starts the tree.
"""

from labdb.supervisor.commands import bring_down, serve
from labdb.supervisor.errors import AlreadyRunning, ServiceError
from labdb.supervisor.postgres import Postgres, start_postgres
from labdb.supervisor.signals import Stop
from labdb.supervisor.state import State, Var, missing_environment, read_state
from labdb.supervisor.tree import ALL_PARTS, Tree, running
from labdb.supervisor.valkey import Valkey, start_valkey

__all__ = [
    "ALL_PARTS",
    "AlreadyRunning",
    "Postgres",
    "ServiceError",
    "State",
    "Stop",
    "Tree",
    "Valkey",
    "Var",
    "bring_down",
    "missing_environment",
    "read_state",
    "running",
    "serve",
    "start_postgres",
    "start_valkey",
]
