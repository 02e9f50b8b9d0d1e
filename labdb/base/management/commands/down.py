import sys
from typing import Any

from django.core.management.base import BaseCommand

from labdb import supervisor


class Command(BaseCommand):
    help = "Stops what `up` or `demo` started in this checkout."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not supervisor.bring_down(self.stdout.write):
            sys.exit(1)
