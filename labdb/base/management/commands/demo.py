"""Serve a simulated study: the whole tree over a data folder of its own, loaded through REST."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labdb import supervisor


class Command(BaseCommand):
    help = "Starts everything over var/demo, loads the simulated study and serves it until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="load, show, stop")
        parser.add_argument("--port", type=int, help="port of the web server (default: 8000 if free, else any)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = supervisor.Var.of_project().demo().root
        try:
            with supervisor.running(folder, port=options["port"], say=self._say) as tree:
                self._say(f"the first page is up: {str(tree.address).rstrip('/')}/admin/")
                self._load(tree)
                if not options["no_serve"]:
                    self._say("serving until Ctrl-C")
                    tree.serve()
        except supervisor.Stop:
            self._say("stopped")
        except supervisor.ServiceError as error:
            raise CommandError(str(error)) from None

    def _load(self, tree: supervisor.Tree) -> None:
        manage = Path(supervisor.state.PROJECT) / "manage.py"
        command = [sys.executable, str(manage), "load_demo", "--address", str(tree.address)]
        loading = subprocess.Popen(command, env=os.environ | tree.environment)
        try:
            while loading.poll() is None:
                tree.check()
                time.sleep(0.2)
        finally:
            loading.kill()
        if loading.returncode:
            raise CommandError(f"The demo study could not be loaded; logs are in {tree.var.root / 'log'}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
