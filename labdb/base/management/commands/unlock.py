from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labdb.base.login import limiter
from labdb.base.models import User


class Command(BaseCommand):
    help = "Gives an account its guesses at log-in again; also takes away a second factor that was lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--remove-second-factor",
            action="store_true",
            help="the person's app and recovery codes no longer count; they set up new ones",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"Nobody has the user name “{options['username']}”.")
        spent = limiter.unlock(person.username)
        self.stdout.write("All guesses are there again." if spent else "No guesses had been used.")
        if options["remove_second_factor"]:
            removed, _ = Authenticator.objects.filter(user=person).delete()
            self.stdout.write("The second factor is removed." if removed else "There was no second factor.")
