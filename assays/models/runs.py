"""A run: one file of one assay in one experiment, from draft to publication."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from experiments.models import Endpoint, Experiment, Job, SourceFile, Timepoint
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


def kind_choices() -> list[tuple[str, str]]:
    """The assay kinds of the code. Given as a callable, so that a new kind needs no migration."""
    from assays.kinds import KINDS  # numeric libraries: loaded where they are needed

    return [(key, kind.LABEL) for key, kind in KINDS.items()]


class AssayRun(ValidatedModel):
    """One file that was uploaded as one assay.

    draft (uploaded, or a well was masked: to be quantified) → quantified → accepted or rejected by a person → published
    as observations. Only the verbs in ``assays.actions`` change the state; the database refuses every other order.
    """

    experiment_path = "experiment"
    duty = Duty.ASSESS
    reasonless = ("state", "job", "reader", "software_version", "quantified_at")  # where its evaluation is

    class State(models.TextChoices):
        DRAFT = "draft"
        QUANTIFIED = "quantified"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        PUBLISHED = "published"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(
        Endpoint, models.PROTECT, null=True, blank=True, related_name="+",
        help_text="What is measured; empty where the kind of assay gives several endpoints.",
    )  # fmt: skip
    timepoint = models.ForeignKey(
        Timepoint, models.PROTECT, null=True, blank=True, related_name="+",
        help_text="When a tally sheet names animals: the planned timepoint at which their tissue was taken.",
    )  # fmt: skip
    kind = models.CharField("assay kind", max_length=60, choices=kind_choices)
    source_file = models.ForeignKey(SourceFile, models.PROTECT, related_name="+")
    layout_file = models.ForeignKey(SourceFile, models.PROTECT, null=True, blank=True, related_name="+")
    reader = models.CharField("file format", max_length=60, blank=True, help_text="Which reader read the file.")
    software_version = models.CharField(max_length=120, blank=True)
    parameters = models.JSONField(default=dict, blank=True, help_text="How the run is evaluated.")
    kit_name = models.CharField(max_length=120, blank=True)
    kit_lot = models.CharField(max_length=60, blank=True)
    kit_lloq = NumericField(
        "kit LLOQ", null=True, blank=True, help_text="Lower limit of quantification that the kit states, undiluted."
    )
    kit_lloq_unit = models.CharField("unit of the kit LLOQ", max_length=30, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    quantified_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, models.PROTECT, null=True, blank=True, related_name="+")

    database_messages = {
        "assay_run_order": ("state", "The run cannot go from its state to this one."),
        "assay_run_frozen": ("state", "A rejected or published run no longer changes."),
        "assay_run_timepoint_same_experiment": ("timepoint", "The timepoint belongs to another experiment."),
    }

    class Meta:
        ordering = ["-uploaded_at"]
        verbose_name = "assay run"
        constraints = [
            models.UniqueConstraint(
                fields=["id", "experiment"],
                name="assay_run_with_experiment",
                violation_error_message="This run exists already.",
            ),
            Check(
                "assay_run_quantified",
                Q(state__in=["draft", "rejected"]) | (Q(quantified_at__isnull=False) & ~Q(reader="")),
                "Only a run that was read and quantified goes on.",
                "state",
            ),
            Check(
                "assay_run_decided",
                Q(state__in=["draft", "quantified"], decided_by__isnull=True, decided_at__isnull=True)
                | Q(
                    state__in=["accepted", "rejected", "published"], decided_by__isnull=False, decided_at__isnull=False
                ),
                "An accepted or rejected run names who decided and when, another names nobody.",
                "decided_by",
            ),
            Check(
                "assay_run_rejection_reason",
                ~Q(state="rejected") | ~Q(decision_reason=""),
                "A rejection needs a reason.",
                "decision_reason",
            ),
            Check(
                "assay_run_published",
                Q(state="published", published_by__isnull=False, published_at__isnull=False)
                | (~Q(state="published") & Q(published_by__isnull=True, published_at__isnull=True)),
                "A published run names who published it and when, another names nobody.",
                "published_by",
            ),
            Check(
                "assay_run_kit_lloq",
                Q(kit_lloq__isnull=True, kit_lloq_unit="") | (Q(kit_lloq__gt=0) & ~Q(kit_lloq_unit="")),
                "A limit of quantification is above 0 and has its unit.",
                "kit_lloq",
            ),
        ]
        indexes = [models.Index(fields=["experiment", "state"], name="assay_run_of_experiment")]

    def __str__(self) -> str:
        return f"{self.source_file.name} ({self.state})"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        for name in ("source_file", "layout_file"):
            file = getattr(self, name, None)
            if file is not None and file.experiment_id != self.experiment_id:
                errors[name] = "The file belongs to another experiment."
        if errors:
            raise ValidationError(errors)


class Remark(ValidatedModel):
    """Something a person should know before accepting a run: from the file, its layout, or its samples."""

    experiment_path = "run__experiment"
    duty = Duty.ASSESS
    database_messages = {"assay_run_frozen": ("run", "The run no longer changes.")}

    class Topic(models.TextChoices):
        FILE = "file"
        ASSAY = "assay", "assay"
        SPECIMEN = "specimen", "sample without specimen"

    run = models.ForeignKey(AssayRun, models.PROTECT, related_name="remarks")
    position = models.PositiveIntegerField()
    topic = models.CharField(max_length=10, choices=Topic.choices)
    text = models.CharField(max_length=1000)

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"],
                name="assay_remark_once",
                violation_error_message="The run already has a remark in this position.",
            )
        ]

    def __str__(self) -> str:
        return self.text
