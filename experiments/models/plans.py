"""What an experiment will measure and compute, written before it is known what came out."""

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q

from experiments.models.observations import Endpoint
from experiments.models.studies import Arm, Experiment, Timepoint
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

LOCKED_PLAN = "This plan is locked; make a new version."


class AnalysisPlan(ValidatedModel):
    """What will be computed, written before it is known what came out. Versioned; once locked it stays."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "version")
    fixed_once_set = ("locked_at",)

    database_messages = {"analysis_plan_locked": (NON_FIELD_ERRORS, LOCKED_PLAN)}

    class Scale(models.TextChoices):
        IDENTITY = "identity", "as measured"
        LOG = "log"
        COUNT = "count", "log(x + 1), for counts"

    class Method(models.TextChoices):
        WELCH = "welch", "Welch, unequal variances"
        STUDENT = "student", "equal variances"
        MIXED = "mixed", "mixed model with litter or cage"
        RANK = "rank", "rank test"
        COUNT = "count", "model for counts"
        SURVIVAL = "survival"

    class Multiplicity(models.TextChoices):
        NONE = "none"
        HOLM = "holm"
        DUNNETT = "dunnett"
        BONFERRONI = "bonferroni"
        HOCHBERG = "hochberg"
        FDR = "fdr", "Benjamini–Hochberg"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="analysis_plans")
    version = models.PositiveSmallIntegerField(default=1)
    primary_endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+")
    primary_timepoint = models.ForeignKey(Timepoint, models.PROTECT, null=True, blank=True, related_name="+")
    scale = models.CharField(max_length=10, choices=Scale.choices)
    method = models.CharField(max_length=10, choices=Method.choices)
    experimental_unit = models.CharField(max_length=8, choices=Experiment.Unit.choices, default=Experiment.Unit.ANIMAL)
    multiplicity = models.CharField(max_length=10, choices=Multiplicity.choices)
    alpha = NumericField(default="0.05")
    exclusion_rules = models.TextField(help_text="Which animals and values are left out, said beforehand.")
    missing_data = models.TextField(blank=True, help_text="What is done about missing and censored values.")
    change_note = models.CharField(
        max_length=500, blank=True, help_text="What is different from the version before, and why."
    )
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ["experiment", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "version"],
                name="analysis_plan_once",
                violation_error_message="The experiment already has this version of its plan.",
            ),
            Check("analysis_plan_version", Q(version__gte=1), "Versions count from 1.", "version"),
            Check("analysis_plan_alpha", Q(alpha__gt=0, alpha__lt=1), "Alpha lies between 0 and 1.", "alpha"),
            Check(
                "analysis_plan_change_note",
                Q(version=1) | ~Q(change_note=""),
                "A later version says what is different and why.",
                "change_note",
            ),
        ]

    def __str__(self) -> str:
        return f"analysis plan of {self.experiment}, version {self.version}"

    def clean(self) -> None:
        stored = AnalysisPlan.objects.filter(pk=self.pk).values_list("locked_at", flat=True).first()
        if stored:
            raise ValidationError(LOCKED_PLAN)
        timepoint = self.primary_timepoint
        if timepoint and self.experiment_id and timepoint.experiment_id != self.experiment_id:
            raise ValidationError({"primary_timepoint": "The timepoint belongs to another experiment."})


class PlannedComparison(ValidatedModel):
    """Two arms that the plan compares."""

    experiment_path = "plan__experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("plan",)
    is_deletable = True

    database_messages = {"planned_comparison_locked": (NON_FIELD_ERRORS, LOCKED_PLAN)}

    plan = models.ForeignKey(AnalysisPlan, models.PROTECT, related_name="comparisons")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="+")
    reference = models.ForeignKey(Arm, models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(
        Endpoint, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the primary one."
    )
    is_primary = models.BooleanField(default=True)

    class Meta:
        ordering = ["plan", "arm"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "arm", "reference", "endpoint"],
                name="planned_comparison_once",
                nulls_distinct=False,
                violation_error_message="The plan already makes this comparison.",
            ),
            Check(
                "planned_comparison_two_arms",
                ~Q(arm=models.F("reference")),
                "An arm is compared with another one.",
                "reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.arm} against {self.reference}"

    def clean(self) -> None:
        if self.plan_id and self.plan.locked_at:
            raise ValidationError(LOCKED_PLAN)
        for name in ("arm", "reference"):
            if (
                self.plan_id
                and getattr(self, f"{name}_id")
                and getattr(self, name).experiment_id != self.plan.experiment_id
            ):
                raise ValidationError({name: "The arm belongs to another experiment."})


class PlannedEndpoint(ValidatedModel):
    """That an experiment measures an endpoint, at a timepoint where one is named."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "endpoint", "timepoint")
    is_deletable = True

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="planned_endpoints")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+")
    timepoint = models.ForeignKey(Timepoint, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["experiment", "endpoint"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "endpoint", "timepoint"],
                name="planned_endpoint_once",
                nulls_distinct=False,
                violation_error_message="This is already planned.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} in {self.experiment}"

    def clean(self) -> None:
        if self.timepoint and self.experiment_id and self.timepoint.experiment_id != self.experiment_id:
            raise ValidationError({"timepoint": "The timepoint belongs to another experiment."})
