"""What ``make demo`` runs inside the running tree: make the log-in, load the study over HTTP, print what came of it."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labdb.base.models import User
from labdb.demo.client import Client, Refused
from labdb.demo.load import Loader
from labdb.demo.show import summary_table, truth_lines

USERNAME = "demo"
ASSESSOR = "assessor"


class Command(BaseCommand):
    help = "Loads the demo study into the running server at --address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"].rstrip("/")
        password = self._log_in()
        self._say(f"log in at {address}/admin/ as {USERNAME} with the password {password}")
        try:
            loader = Loader(Client(address, USERNAME, password), self._say)
            report = loader.load()
            loader.admit(ASSESSOR, "assessor")
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        pdf = Path(settings.LABDB_FILES_DIR) / report["sha256"][:2] / report["sha256"]
        link = Path(settings.VAR) / "demo-report.pdf"
        link.unlink(missing_ok=True)
        os.link(pdf, link)
        for line in (*summary_table(loader.summary()), "", *truth_lines(loader), ""):
            self._say(line)
        self._say(f"experiment  {address}/admin/experiments/experiment/{loader.id}/page/")
        self._say(f"REST        {address}/api/v1/docs")
        self._say(f"log-in      {USERNAME} / {password}")
        self._say(f"            {ASSESSOR} / {password}  (assesses only)")
        self._say(f"report      {link}")

    def _log_in(self) -> str:
        """The demo persons, a manager and an assessor, with one password made once and kept in a private file."""
        path = Path(settings.VAR) / "run" / "demo-password"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(9))
        password = path.read_text()
        for name, is_manager in ((USERNAME, True), (ASSESSOR, False)):
            person, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
            if not person.check_password(password) or person.is_manager != is_manager:
                person.set_password(password)
                person.is_manager = is_manager
                person.save()
        return password

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
