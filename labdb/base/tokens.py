"""Access tokens: issuing one that is no wider than who asks for it, revoking, and noting when one was used."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from labdb.base.access import TokenScope
from labdb.base.models import AccessToken, User
from labdb.base.verbs import verb

DAYS = 90
LONGEST_DAYS = 365
USE_IS_NOTED_EVERY = timedelta(minutes=1)


def scope_of(token: AccessToken) -> TokenScope:
    """What the token leaves of its owner's rights."""
    experiments = None if token.experiments is None else frozenset(token.experiments)
    return TokenScope(can_write=token.can_write, experiments=experiments)


@verb
def issue_token(
    *,
    by: Any,
    name: str,
    can_write: bool = False,
    experiments: Collection[uuid.UUID] | None = None,
    days: int | None = None,
    through: AccessToken | None = None,
) -> tuple[AccessToken, str]:
    """A new token of ``by`` that expires in ``days`` (90 unless told), and its secret, which is told only here.

    ``experiments`` are the keys of those that it reaches; None: all of the person's. ``through`` is the token with which
    this was asked: what it makes reaches no further and lives no longer than it does itself.

    Raises:
        ValidationError: no name, unknown experiments, a life that is too long, or more than ``through`` allows.
        PermissionDenied: ``by`` is not active, or ``through`` may only read.
    """
    if not by.is_active:
        raise PermissionDenied("Your account is not active.")
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = ["Say what the token is for."]
    life = timedelta(days=DAYS if days is None else days)
    if not 1 <= life.days <= LONGEST_DAYS:
        errors["days"] = [f"“{days}” is not a whole number from 1 to {LONGEST_DAYS}."]
    wanted = None if experiments is None else set(experiments)
    if through is not None:
        if not through.can_write:
            raise PermissionDenied("This token may read only, so it makes no other.")
        if through.experiments is not None and wanted is None:
            wanted = set(through.experiments)
        left = life if through.expiry is None else through.expiry - timezone.now()
        if days is not None and life > left:
            errors.setdefault("days", []).append(f"The token of this request ends itself at {_told(through.expiry)}.")
        life = min(life, left)
    if wanted is not None:
        unknown = wanted - set(experiments_of(by).filter(pk__in=wanted).values_list("pk", flat=True))
        if unknown or not wanted:
            errors["experiments"] = [f"There is no experiment “{key}”." for key in sorted(unknown, key=str)]
            errors["experiments"] += [] if wanted else ["Name at least one, or leave it out for all of yours."]
    if errors:
        raise ValidationError(errors)
    token, secret = AccessToken.objects.create(
        user=by,
        expiry=life,
        name=name.strip(),
        can_write=can_write,
        experiments=None if wanted is None else sorted(wanted, key=str),
    )
    return token, secret


def experiments_of(person: Any) -> QuerySet:
    """The experiments that a token of ``person`` may be bound to. The base knows their model by the memberships."""
    membership: Any = User._meta.get_field("memberships").related_model
    return membership._meta.get_field("experiment").related_model._default_manager.visible_to(person)


def _told(instant: datetime) -> str:
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M}"


@verb
def revoke_token(*, token: AccessToken, by: Any, through: AccessToken | None = None) -> None:
    """End ``token`` at once.

    Raises:
        PermissionDenied: it is somebody else's and ``by`` is no administrator, or ``through``, the token with which this
            was asked, is narrower than its owner and another one.
    """
    is_narrow = through is not None and (not through.can_write or through.experiments is not None)
    if is_narrow and through != token:
        raise PermissionDenied("This token may revoke only itself.")
    if token.user_id != by.pk and not (by.is_active and by.is_superuser):
        raise PermissionDenied("You may revoke only your own tokens.")
    token.delete()


@verb
def revoke_all_tokens(*, person: User, by: Any) -> int:
    """End every token of ``person`` and return their number. Raises PermissionDenied."""
    tokens = list(person.auth_token_set.all())
    for token in tokens:
        revoke_token(token=token, by=by)
    return len(tokens)


def note_use(token: AccessToken) -> None:
    """Remember that the token was used, at most once a minute."""
    now = timezone.now()
    earlier = now - USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= earlier:
        unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lte=earlier)
        AccessToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
