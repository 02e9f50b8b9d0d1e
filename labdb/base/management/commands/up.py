from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labdb import supervisor


class Command(BaseCommand):
    help = "Serves the laboratory's data: database, broker, web server, worker and beat under one supervisor."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, help="port of the web server (default: 8000 if it is free, else any free one)"
        )
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            supervisor.serve(host=options["host"], port=options["port"], say=self._say)
        except supervisor.ServiceError as error:
            raise CommandError(str(error)) from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
