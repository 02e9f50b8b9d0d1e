"""What every model stands on, and the people of the laboratory."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken, AuthTokenManager

from labdb.base import reasons
from labdb.base.access import LAB_WIDE, VisibleQuerySet
from labdb.base.constraints import Check
from labdb.base.roles import Duty


class ValidatedModel(models.Model):
    """A row that cannot be saved unless it is valid, by whichever door it comes.

    ``fixed_once_made`` names fields that are given when the row is made and stay, ``fixed_once_set`` those that stay as
    soon as they hold something.

    ``experiment_path``, ``hidden_while_masked``, ``concealed_by``, ``shown_while_blinded`` and ``seen_with`` say who may
    see it, ``duty`` who adds and changes it, ``managers_write`` that the laboratory's managers do so too, ``stays_open``
    that it is written also of a closed experiment (``labdb.base.access``). ``closed_with`` names further paths by which a closed
    experiment keeps a row as it is, ``open_fields`` what of it may change nevertheless (``experiments.locks``).
    ``database_messages`` maps the name of a constraint that only the database knows to the field and the message of it.
    ``asks_reason`` is False where the program keeps the rows, ``reasonless`` names such fields of others
    (``labdb.base.reasons``).
    ``is_deletable``: drafts may be deleted.
    """

    fixed_once_made: ClassVar[tuple[str, ...]] = ()
    fixed_once_set: ClassVar[tuple[str, ...]] = ()
    experiment_path: ClassVar[str | tuple[str, ...] | None] = None
    hidden_while_masked: ClassVar[bool] = False
    concealed_by: ClassVar[str | tuple[str, ...]] = ()
    shown_while_blinded: ClassVar[models.Q | None] = None
    seen_with: ClassVar[tuple[str, ...]] = ()
    duty: ClassVar[Duty] = Duty.MANAGE
    managers_write: ClassVar[bool] = False
    stays_open: ClassVar[bool] = False
    closed_with: ClassVar[tuple[str, ...]] = ()
    open_fields: ClassVar[tuple[str, ...]] = ()
    database_messages: ClassVar[dict[str, tuple[str, str]]] = {}
    asks_reason: ClassVar[bool] = True
    reasonless: ClassVar[tuple[str, ...]] = ()
    is_deletable: ClassVar[bool] = False

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Any = None) -> None:
        """Also refuses to change what is fixed. Raises ValidationError with every field's messages."""
        errors: dict[str, list] = {}
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as error:
            errors = error.update_error_dict({})
        errors |= {name: [told] for name, told in self._refixed() if name not in errors}
        if errors:
            raise ValidationError(errors)

    def _refixed(self) -> list[tuple[str, str]]:
        """Fixed fields that hold another value than the stored one, with what is said of it."""
        names = (*self.fixed_once_made, *self.fixed_once_set)
        if self._state.adding or not names:
            return []
        fields = {name: self._meta.get_field(name).attname for name in names}  # type: ignore[union-attr]
        stored = type(self)._base_manager.filter(pk=self.pk).values(*fields.values()).first() or {}
        changed = [n for n, column in fields.items() if column in stored and stored[column] != getattr(self, column)]
        made = [(name, "This is fixed once the row exists.") for name in changed if name in self.fixed_once_made]
        is_set = [name for name in changed if name in self.fixed_once_set and stored[fields[name]] not in (None, "")]
        return made + [(name, f"This is fixed once it is set, here to {stored[fields[name]]}.") for name in is_set]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.full_clean()
        reasons.ask_before_saving(self, kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        reasons.ask_before_deleting(self)
        return super().delete(*args, **kwargs)

    def is_draft(self) -> bool:
        """Nothing refers to the row, so it may be deleted where the model is deletable."""
        return self.count_referring() == 0

    def count_referring(self) -> int:
        """How many rows refer to this one, whoever may see them."""
        relations = [
            relation
            for relation in self._meta.get_fields(include_hidden=True)
            if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is not models.DO_NOTHING
        ]
        return sum(r.related_model._base_manager.filter(**{r.field.name: self}).count() for r in relations)


class VisibleUserManager(UserManager.from_queryset(VisibleQuerySet)):  # type: ignore[misc]
    """The ordinary manager of users, whose querysets know who may see them."""


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A person of the laboratory. What they may do in an experiment is said by their memberships."""

    experiment_path = LAB_WIDE
    only_administrators_write = True
    trail_withheld = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    is_manager = models.BooleanField(
        "laboratory manager",
        default=False,
        help_text="Sees every experiment, opens experiments, says who takes part, invites people.",
    )

    objects = VisibleUserManager()  # type: ignore[misc]

    class Meta:
        ordering = ["username"]
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class TokenQuerySet(VisibleQuerySet):
    """Tokens: one's own, and everybody's for administrators."""

    def visible_to(self, user: Any) -> Self:
        if not getattr(user, "is_active", False):
            return self.none()
        return self if user.is_superuser else self.filter(user=user)


class TokenManager(AuthTokenManager.from_queryset(TokenQuerySet)):  # type: ignore[misc]
    """Makes a token and its secret (``create``), and knows who may see it."""


class AccessToken(AbstractAuthToken):
    """A token that a script shows instead of a password. Only its hash is stored.

    ``experiments`` are the keys of those that it reaches, or None for all of its owner's.
    """

    experiment_path = "@user"
    trail_withheld = ("digest", "token_key")
    trail_ignored = ("last_used_at",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(max_length=120, blank=True, help_text="What it is for: a script, a computer.")
    can_write = models.BooleanField(default=False)
    experiments = ArrayField(models.UUIDField(), null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = TokenManager()

    class Meta:
        ordering = ["-created"]
        verbose_name = "access token"
        constraints = [
            Check(
                "access_token_experiments",
                models.Q(experiments__isnull=True) | ~models.Q(experiments=[]),
                "Name at least one experiment, or none at all for every one of yours.",
                "experiments",
            )
        ]

    def __str__(self) -> str:
        return self.name or "access token"


class Invitation(ValidatedModel):
    """A person who is asked to join. The link that was mailed is not kept, only its hash.

    ``experiment_key`` and ``role`` name the membership that comes with it; the base knows no experiment, so the app that
    does says how one is joined (``labdb.base.login.invitations``).
    """

    experiment_path = "@invited_by"
    asks_reason = False
    managers_write = True
    trail_withheld = ("token_hash",)

    email = models.EmailField("e-mail")
    name = models.CharField(max_length=150)
    experiment_key = models.UUIDField(null=True, blank=True, editable=False)
    role = models.CharField(max_length=12, blank=True, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="invitations_sent", editable=False)
    invited_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    person = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="+", editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-invited_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(experiment_key__isnull=True, role="")
                | models.Q(experiment_key__isnull=False) & ~models.Q(role=""),
                name="invitation_membership_whole",
                violation_error_message="A role belongs to an experiment: name both or neither.",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, person__isnull=True)
                | models.Q(accepted_at__isnull=False, person__isnull=False, revoked_at__isnull=True),
                name="invitation_accepted_or_revoked",
                violation_error_message="An invitation is accepted by a person or revoked, not both.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class GuessBudget(models.Model):
    """When the last guesses at one secret, or from one address, were made. Written by ``labdb.base.login.limiter`` only."""

    key = models.CharField(max_length=100, primary_key=True)
    spent = ArrayField(models.DateTimeField())
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "budget of guesses"
        verbose_name_plural = "budgets of guesses"

    def __str__(self) -> str:
        return self.key


from labdb.base.trail.models import TrailEntry, TrailStatement  # noqa: E402, F401  (tables of this app)
