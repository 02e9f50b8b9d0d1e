"""What every model stands on, and the people of the laboratory."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from knox.models import AbstractAuthToken

from labdb.base.access import LAB_WIDE, VisibleQuerySet


class ValidatedModel(models.Model):
    """A row that cannot be saved unless it is valid, by whichever door it comes.

    ``experiment_path`` says who may see it (``labdb.base.access``); ``database_messages`` maps the name of a constraint
    that only the database knows to the field and the message of it.
    """

    experiment_path: ClassVar[str | tuple[str, ...] | None] = None
    database_messages: ClassVar[dict[str, tuple[str, str]]] = {}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.full_clean()
        super().save(*args, **kwargs)


class VisibleUserManager(UserManager.from_queryset(VisibleQuerySet)):  # type: ignore[misc]
    """The ordinary manager of users, whose querysets know who may see them."""


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A person of the laboratory. What they may do in an experiment is said by their memberships."""

    experiment_path = LAB_WIDE
    only_administrators_write = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    objects = VisibleUserManager()  # type: ignore[misc]

    class Meta:
        ordering = ["username"]
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class AccessToken(AbstractAuthToken):
    """A token that a script shows instead of a password. Only its hash is stored."""

    class Meta:
        ordering = ["-created"]
        verbose_name = "access token"
