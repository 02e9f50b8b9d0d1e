from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from labdb.base.login import limiter


class Command(BaseCommand):
    help = "Gives an account its guesses at log-in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        spent = limiter.unlock(options["username"])
        self.stdout.write("All guesses are there again." if spent else "No guesses had been used.")
