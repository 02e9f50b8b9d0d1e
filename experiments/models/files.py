"""Files as they came, kept by their SHA-256."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from experiments.models.studies import Experiment
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class SourceFile(ValidatedModel):
    """One received file. Its bytes lie under their SHA-256 in ``LABDB_FILES_DIR`` and are never altered."""

    experiment_path = ("experiment", "@uploaded_by")
    duty = Duty.RECORD
    hidden_while_masked = True  # a sheet tells the arms

    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="source_files")
    sha256 = models.CharField("SHA-256", max_length=64)
    name = models.CharField(max_length=250)
    size_bytes = models.PositiveBigIntegerField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "uploaded_by", "sha256"],
                name="source_file_once",
                violation_error_message="You have already sent this file.",
            ),
            models.UniqueConstraint(
                fields=["uploaded_by", "sha256"],
                condition=Q(experiment__isnull=True),
                name="source_file_once_outside_experiments",
                violation_error_message="You have already sent this file.",
            ),
            Check("source_file_sha256", Q(sha256__regex="^[0-9a-f]{64}$"), "A SHA-256 has 64 hex digits.", "sha256"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.LABDB_FILES_DIR) / self.sha256[:2] / self.sha256

    def read(self) -> bytes:
        return self.path.read_bytes()
