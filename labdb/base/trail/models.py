"""The trail: every statement that changed rows, and what it did to each row. Written by the database alone."""

import json
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models

from labdb.base.trail.visibility import TrailQuerySet


class ExactDecoder(json.JSONDecoder):
    """Reads numbers with all of their digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"parse_float": Decimal, **kwargs})


class TrailStatement(models.Model):
    """One statement that changed rows of one table: when, who, through which door, why, as which database role.

    Where no person is known, the database role tells who it was.
    """

    class Action(models.TextChoices):
        INSERT = "I", "added"
        UPDATE = "U", "changed"
        DELETE = "D", "deleted"
        TRUNCATE = "T", "table emptied"
        BASELINE = "B", "there when the trail began"

    at = models.DateTimeField()
    table_name = models.TextField(db_collation="C")
    action = models.CharField(max_length=1, choices=Action.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    db_role = models.TextField("database role")
    door = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    transaction_id = models.BigIntegerField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "statement of the trail"
        verbose_name_plural = "statements of the trail"
        indexes = [
            models.Index(fields=["person", "id"], name="trail_of_person"),
            models.Index(fields=["at"], name="trail_at"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.get_action_display()} at {self.at:%Y-%m-%d %H:%M:%S} UTC"


class TrailEntry(models.Model):
    """What one statement did to one row.

    ``new`` holds the whole row where it was added, ``old`` the whole row where it was deleted; after a change both hold
    the changed columns only. The ids of a row's entries rise with time: the last one is the row's version.
    """

    statement = models.ForeignKey(
        TrailStatement, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="entries"
    )
    table_name = models.TextField(db_collation="C")
    row_id = models.TextField(db_collation="C")
    experiment_id = models.UUIDField(null=True)
    old = models.JSONField(null=True, decoder=ExactDecoder)
    new = models.JSONField(null=True, decoder=ExactDecoder)

    objects = TrailQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "entry of the trail"
        verbose_name_plural = "entries of the trail"
        indexes = [
            models.Index(fields=["row_id", "table_name", "id"], name="trail_of_row"),
            models.Index(fields=["experiment_id", "id"], name="trail_of_experiment"),
            models.Index(fields=["statement"], name="trail_of_statement"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"
