"""Closings of experiments: who closed one, when and why, and who opened it again."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.models.studies import Experiment
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class ExperimentLock(ValidatedModel):
    """One closing of an experiment. While it stands open, the database refuses every change of the experiment's rows.

    The database sets both times and the experiment's status, and keeps the row for ever (migration 0004). ``closed_by``
    is empty only for experiments that were closed before this was recorded.
    """

    experiment_path = "experiment"
    duty = Duty.MANAGE
    stays_open = True  # it is what opens and closes
    asks_reason = False

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="locks")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(default=timezone.now, editable=False)
    reason = models.CharField(max_length=500)
    reopened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reopened_at = models.DateTimeField(null=True, blank=True, editable=False)
    reopen_reason = models.CharField(max_length=500, blank=True)

    database_messages = {
        "experiment_lock_kept": ("experiment", "A closing stays as it was recorded; it is ended once, by reopening.")
    }

    class Meta:
        ordering = ["experiment", "-closed_at"]
        verbose_name = "closing"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment"],
                condition=Q(reopened_at=None),
                name="experiment_lock_open_once",
                violation_error_message="The experiment is closed already.",
            ),
            Check("experiment_lock_reason", ~Q(reason=""), "A closing needs a reason.", "reason"),
            Check(
                "experiment_lock_reopened_whole",
                Q(reopened_at=None, reopened_by=None, reopen_reason="")
                | (Q(reopened_at__isnull=False, reopened_by__isnull=False) & ~Q(reopen_reason="")),
                "A reopening has its person, its time and its reason.",
                "reopen_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment} closed on {self.closed_at:%Y-%m-%d}"
