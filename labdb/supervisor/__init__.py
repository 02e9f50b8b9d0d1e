"""The embedded PostgreSQL and Valkey and the tree of processes around them. Standard library only."""

from labdb.supervisor.errors import AlreadyRunning, ServiceError
from labdb.supervisor.postgres import Postgres, start_postgres
from labdb.supervisor.valkey import Valkey, start_valkey

__all__ = ["AlreadyRunning", "Postgres", "ServiceError", "Valkey", "start_postgres", "start_valkey"]
