"""The one limit of guesses at passwords and codes, kept in the database, spent before a secret is looked at.

A guess without a device cookie spends from the account's budget and from its address's. A browser that has logged in to
the account before shows a cookie and spends from a budget of its own: whoever guesses from elsewhere cannot lock its
owner out. Each budget is a sliding window, so no 15 minutes hold more than its guesses, however they are timed.
A success takes its own reservation back and nobody else's. Where the database is away, nobody gets in.
"""

import hashlib
import random
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from labdb.base.login import addresses, devices

WINDOW: Any = timedelta(minutes=15)
GUESSES = 5  # at one secret of one account from anywhere, and as many from each of its known devices
ADDRESS_GUESSES = 100  # at whatever accounts from one address: a laboratory may share one
MAILS = 3  # log-in links to one address
SWEPT = 0.01  # share of the reservations that also remove rows of long ago

# One row a key: PostgreSQL locks it, reads it again and refuses where the window is full.
SPEND = """
    INSERT INTO labdb_guessbudget AS budget (key, spent, last_at)
    VALUES (%(key)s, ARRAY[clock_timestamp()], clock_timestamp())
    ON CONFLICT (key) DO UPDATE
    SET spent = ARRAY(SELECT at FROM unnest(budget.spent) AS at WHERE at > clock_timestamp() - %(window)s ORDER BY at)
                || clock_timestamp(),
        last_at = clock_timestamp()
    WHERE (SELECT count(*) FROM unnest(budget.spent) AS at WHERE at > clock_timestamp() - %(window)s) < %(size)s
    RETURNING spent[array_upper(spent, 1)]
"""
WAIT = """
    SELECT ceil(extract(epoch FROM min(at) + %(window)s - clock_timestamp()))
    FROM labdb_guessbudget, unnest(spent) AS at WHERE key = %(key)s AND at > clock_timestamp() - %(window)s
"""
GIVE_BACK = """
    UPDATE labdb_guessbudget
    SET spent = spent[:array_position(spent, %(at)s) - 1] || spent[array_position(spent, %(at)s) + 1:]
    WHERE key = %(key)s AND array_position(spent, %(at)s) IS NOT NULL
"""
SWEEP = """
    DELETE FROM labdb_guessbudget WHERE key IN
    (SELECT key FROM labdb_guessbudget WHERE last_at < clock_timestamp() - 2 * %(window)s FOR UPDATE SKIP LOCKED)
"""


class TooManyGuesses(Exception):
    """No guess is left; ``seconds`` until there is one."""

    def __init__(self, seconds: int) -> None:
        self.seconds = max(seconds, 1)
        minutes = -(-self.seconds // 60)
        super().__init__(f"Too many tries. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}.")


@dataclass(frozen=True)
class Budget:
    key: str
    size: int


@dataclass
class Reservation:
    """One guess; call ``give_back`` where it was right."""

    spent: list[tuple[Budget, datetime]] = field(default_factory=list)

    def give_back(self) -> None:
        with connection.cursor() as cursor:
            for budget, at in self.spent:
                cursor.execute(GIVE_BACK, {"key": budget.key, "at": at})
        self.spent.clear()


def digest(name: str) -> str:
    """What stands for a user name or an e-mail in a key, whether or not anybody bears it."""
    return hashlib.sha256(unicodedata.normalize("NFKC", name).encode(errors="replace")).hexdigest()


@contextmanager
def guess(request: Any, secret: str, username: str, person: Any = None) -> Iterator[Reservation]:
    """Reserves a guess at ``secret`` (``password`` or ``code``) of the account ``username``.

    ``person`` is the account's row where there is one: only for it a device can be known.

    Raises TooManyGuesses before the body runs.
    """
    yield reserve(budgets(request, secret, username, person))


def budgets(request: Any, secret: str, username: str, person: Any = None) -> list[Budget]:
    device = devices.known(request, person) if request is not None and person is not None else None
    if device:
        return [Budget(f"{secret}-device:{device}", GUESSES)]
    account = Budget(f"{secret}:{digest(username)}", GUESSES)
    if request is None:  # a shell or a command: there is no address
        return [account]
    return [Budget(f"address:{addresses.of_client(request)}", ADDRESS_GUESSES), account]


def reserve(wanted: list[Budget]) -> Reservation:
    """Spends one of each, or nothing.

    Raises TooManyGuesses where one of them is empty.
    """
    reservation = Reservation()
    with transaction.atomic(), connection.cursor() as cursor:
        for budget in wanted:
            cursor.execute(SPEND, {"key": budget.key, "size": budget.size, "window": WINDOW})
            row = cursor.fetchone()
            if row is None:
                cursor.execute(WAIT, {"key": budget.key, "window": WINDOW})
                (seconds,) = cursor.fetchone()
                raise TooManyGuesses(int(seconds or 1))
            reservation.spent.append((budget, row[0]))
    if random.random() < SWEPT:
        sweep()
    return reservation


def may_mail(email: str) -> bool:
    """Whether a log-in link may be mailed to ``email`` once more; counts it."""
    try:
        reserve([Budget(f"mail:{digest(email.lower())}", MAILS)])
    except TooManyGuesses:
        return False
    return True


def is_first_use(key: str) -> bool:
    """Whether ``key`` (a code that counts once) was not seen in this window; remembers it."""
    try:
        reserve([Budget(f"used:{digest(key)}", 1)])
    except TooManyGuesses:
        return False
    return True


def unlock(username: str) -> int:
    """Gives an account all its guesses again. Returns how many budgets had been spent from."""
    with connection.cursor() as cursor:
        keys = [f"{secret}:{digest(username)}" for secret in ("password", "code")]
        cursor.execute("DELETE FROM labdb_guessbudget WHERE key = ANY(%s)", [keys])
        return cursor.rowcount


def sweep() -> int:
    """Removes what no window reaches any more."""
    with connection.cursor() as cursor:
        cursor.execute(SWEEP, {"window": WINDOW})
        return cursor.rowcount
