"""gunicorn's application over ``tests.doors.guessing``."""

import os

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()


def _sabotage(name: str) -> None:
    from labdb.base.login import limiter
    from labdb.base.models import GuessBudget

    def none(wanted):
        return limiter.Reservation()

    def read_then_write(wanted):
        """As a limiter in a cache or a model would do it."""
        from django.utils import timezone

        for budget in wanted:
            row = GuessBudget.objects.filter(key=budget.key).first()
            if row is not None and len(row.spent) >= budget.size:
                raise limiter.TooManyGuesses(900)
            now = timezone.now()
            spent = [*(row.spent if row else []), now]
            GuessBudget.objects.update_or_create(key=budget.key, defaults={"spent": spent, "last_at": now})
        return limiter.Reservation()

    if name:
        limiter.reserve = {"no limiter": none, "read, then write": read_then_write}[name]


_sabotage(os.environ.get("LABDB_TEST_SABOTAGE", ""))
