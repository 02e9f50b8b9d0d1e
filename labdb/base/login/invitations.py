"""Inviting people: the only way to a log-in besides the administrator's own hand.

What a membership is, the base does not know: the app that does registers how one comes about (``register_joining``).
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from labdb.base.access import require
from labdb.base.acting import acting
from labdb.base.models import Invitation, User
from labdb.base.verbs import verb

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Joining:
    """How an invitation becomes a membership.

    ``experiments(person)`` are those (key, name) to which ``person`` may invite, ``join`` makes the membership and
    raises PermissionDenied or ValidationError where ``by`` may not or the role cannot be.
    """

    experiments: Callable[[Any], list[tuple[UUID, str]]]
    roles: list[tuple[str, str]]
    join: Callable[[UUID, User, str, User], None]


_joining: list[Joining] = []


def register_joining(joining: Joining) -> None:
    """One app knows of memberships; a second one fails at start-up."""
    if _joining:
        raise RuntimeError("It is said already how an invitation becomes a membership.")
    _joining.append(joining)


def joining() -> Joining | None:
    return _joining[0] if _joining else None


@dataclass(frozen=True)
class Invited:
    """A new invitation with its link, which nobody can read again, and whether it was mailed."""

    invitation: Invitation
    link: str
    is_mailed: bool


def invite(*, by: User, email: str, name: str, membership: tuple[UUID, str] | None, site: str) -> Invited:
    """Ask ``name`` to join, with a role in an experiment where ``membership`` (key, role) is given, and mail the link.

    ``site`` is the address of this installation, without a slash at its end.

    Raises:
        ValidationError: somebody with this address has a log-in or an open invitation.
        PermissionDenied: ``by`` is no manager, and director of no experiment (of this one, where one is given).
    """
    token = secrets.token_urlsafe(32)
    invitation = _write_invitation(by=by, email=email, name=name, membership=membership, token=token)
    link = site + reverse("account_invitation", args=[token])
    return Invited(invitation, link, _mail(invitation, link))


@verb
def _write_invitation(
    *, by: User, email: str, name: str, membership: tuple[UUID, str] | None, token: str
) -> Invitation:
    require(by, "add", Invitation)
    if User.objects.filter(email__iexact=email).exists():
        raise ValidationError({"email": "Somebody with this address has a log-in already."})
    if open_invitations().filter(email__iexact=email).exists():
        raise ValidationError({"email": "This address was invited already; revoke that invitation first."})
    key, role = membership or (None, "")
    invitation = Invitation(email=email, name=name, experiment_key=key, role=role, invited_by=by)
    invitation.token_hash = _hash(token)
    invitation.expires_at = timezone.now() + timedelta(days=settings.LABDB_INVITATION_DAYS)
    _require_membership(invitation)
    invitation.save()
    return invitation


def _require_membership(invitation: Invitation) -> None:
    if invitation.experiment_key is None:
        return
    known = joining()
    offered = {key for key, _ in known.experiments(invitation.invited_by)} if known else set()
    if known is None or invitation.experiment_key not in offered:
        raise ValidationError({"experiment": "You cannot invite to this experiment."})
    if invitation.role not in dict(known.roles):
        raise ValidationError({"role": f"There is no role “{invitation.role}”."})


def _mail(invitation: Invitation, link: str) -> bool:
    """Whether a mail server took it. Without one the mail is a file in var/mail, and the inviter hands over the link."""
    text = render_to_string("account/email/invitation.txt", {"invitation": invitation, "link": link})
    try:
        send_mail(f"{invitation.invited_by} invites you to labdb", text, None, [invitation.email])
    except OSError:
        logger.exception("the invitation of %s could not be mailed", invitation.email)
        return False
    return settings.LABDB_HAS_MAIL


@verb
def revoke_invitation(*, invitation: Invitation, by: User) -> Invitation:
    """Its link no longer counts.

    Raises ValidationError where it was accepted or revoked before, PermissionDenied.
    """
    require(by, "change", invitation)
    current = Invitation.objects.select_for_update(no_key=True).get(pk=invitation.pk)
    if current.accepted_at or current.revoked_at:
        raise ValidationError("This invitation was accepted or revoked before.")
    current.revoked_at = timezone.now()
    current.save()
    return current


def open_invitations() -> Any:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


def found(token: str) -> Invitation | None:
    """The open invitation of a link."""
    return open_invitations().filter(token_hash=_hash(token)).select_related("invited_by").first()


@transaction.atomic
def accept_invitation(*, token: str, username: str, password: str) -> User:
    """Make the person and the membership. The caller has validated the password.

    Raises:
        ValidationError: the link no longer counts, the user name is taken, or the role cannot be.
        PermissionDenied: who invited may not do so any more.
    """
    invitation = open_invitations().select_for_update(no_key=True).filter(token_hash=_hash(token)).first()
    if invitation is None:
        raise ValidationError("This invitation no longer counts.")
    require(invitation.invited_by, "add", Invitation)
    first, _, last = invitation.name.rpartition(" ")
    person = User(username=username, email=invitation.email, first_name=first, last_name=last, is_staff=True)
    person.set_password(password)
    with acting(person=person):
        person.full_clean()
        person.save()
        invitation.accepted_at, invitation.person = timezone.now(), person
        invitation.save()
    if invitation.experiment_key is not None and (known := joining()):
        known.join(invitation.experiment_key, person, invitation.role, invitation.invited_by)
    return person


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
