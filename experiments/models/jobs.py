"""Work that was asked for: the outbox that no broker can lose."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from experiments.models.studies import Experiment
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Job(ValidatedModel):
    """One piece of background work, its progress, and its result or the reason why it failed.

    The row is the truth: a worker claims it by a conditional update with a lease, and whoever loses the lease loses the
    job. ``subject_id`` is the primary key of the row that the work is about.
    """

    experiment_path = ("experiment", "@requested_by")
    duty = Duty.ANALYSE
    hidden_while_masked = True  # results and errors of imports tell what a sheet holds
    stays_open = True
    asks_reason = False
    trail_ignored = ("lease", "lease_expires_at", "published_at", "progress_done", "progress_total", "progress_note")

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="jobs")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, help_text="When the broker last got it.")
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(null=True, blank=True)
    progress_note = models.CharField(max_length=200, blank=True)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_id"],
                condition=Q(state="queued"),
                name="job_queued_once",
                violation_error_message="This work is already queued.",
            )
        ]
        indexes = [
            models.Index(fields=["requested_at"], condition=Q(state__in=["queued", "running"]), name="job_open"),
            models.Index(fields=["experiment", "-requested_at"], name="job_of_experiment"),
            models.Index(fields=["subject_id"], name="job_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"
