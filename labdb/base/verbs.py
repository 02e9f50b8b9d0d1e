"""The frame of every verb in ``actions/``: one transaction, and the trail knows who did it and why."""

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import transaction

from labdb.base.acting import acting

P = ParamSpec("P")
T = TypeVar("T")


def verb(function: Callable[P, T]) -> Callable[P, T]:
    """Run ``function`` in one transaction as the person of its ``by`` and, where it has one, for its ``reason``.

    Raises TypeError, when it is defined, for a function without keyword ``by``.
    """
    if "by" not in inspect.signature(function).parameters:
        raise TypeError(f"{function.__qualname__} has no keyword “by”: a verb knows who does it.")

    @functools.wraps(function)
    def act(*args: P.args, **given: P.kwargs) -> T:
        reason = given.get("reason")
        # on_commit hooks run when the transaction ends: still as this person
        with acting(person=given.get("by"), reason=reason if isinstance(reason, str) else None), transaction.atomic():
            return function(*args, **given)

    return act
