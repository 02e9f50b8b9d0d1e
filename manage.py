#!/usr/bin/env python3
"""Runs the project's commands, with the servers that `up` started in this checkout."""

import os
import sys

# These change tables, so they run as the database role that owns them; everything else as the application's.
OWNER_COMMANDS = (
    "migrate",
    "flush",
    "sqlflush",
    "createcachetable",
    "optimizemigration",
    "squashmigrations",
)
# These start or stop the servers, or need none.
WITHOUT_SERVERS = ("up", "down", "demo")


def prepare_environment(command: str) -> bool:
    """Sets what the running servers told; whether a database is known."""
    from labdb.supervisor.state import Var, missing_environment

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labdb.settings")
    os.environ.setdefault("MPLCONFIGDIR", str(Var.of_project().root / "cache" / "matplotlib"))
    if command not in WITHOUT_SERVERS:
        os.environ.update(missing_environment(Var.of_project()))
    if command in OWNER_COMMANDS:
        os.environ.setdefault("LABDB_DATABASE_ROLE", "owner")
    return bool(os.environ.get("DATABASE_URL"))


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    database_known = prepare_environment(command)
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    from labdb.base.acting import acting

    try:
        with acting(door=f"command {command}"):
            execute_from_command_line(sys.argv)
    except OperationalError:
        if database_known or command in WITHOUT_SERVERS:
            raise
        sys.exit("The database is not running. Start it with `make up`, or set DATABASE_URL to a running server.")


if __name__ == "__main__":
    main()
