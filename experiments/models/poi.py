"""By which criteria POI is confirmed in an animal, and in which it was."""

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.models.animals import Enrolment
from experiments.models.observations import Endpoint
from experiments.models.studies import Experiment, Timepoint
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

LOCKED_CRITERIA = "These criteria are locked; make a new version."


class PoiCriteria(ValidatedModel):
    """How many of which criteria confirm POI in an animal. Once locked they stay; others are a new version."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "version")
    fixed_once_set = ("locked_at",)

    database_messages = {"poi_criteria_locked": (NON_FIELD_ERRORS, LOCKED_CRITERIA)}

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="poi_criteria")
    version = models.PositiveSmallIntegerField(default=1)
    required = models.PositiveSmallIntegerField("k", help_text="How many of the criteria must be met.")
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ["experiment", "-version"]
        verbose_name = "POI criteria"
        verbose_name_plural = "POI criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "version"],
                name="poi_criteria_once",
                violation_error_message="The experiment already has this version of its criteria.",
            ),
            Check("poi_criteria_required", Q(required__gte=1), "At least one criterion must be met.", "required"),
        ]

    def __str__(self) -> str:
        return f"POI criteria of {self.experiment}, version {self.version}"

    def clean(self) -> None:
        if PoiCriteria.objects.filter(pk=self.pk, locked_at__isnull=False).exists():
            raise ValidationError(LOCKED_CRITERIA)


class PoiCriterion(ValidatedModel):
    """One criterion: a rule, the endpoint it looks at, and its threshold."""

    experiment_path = "criteria__experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("criteria",)
    is_deletable = True

    class Rule(models.TextChoices):
        PERSISTENT_DIESTRUS_DAYS = "persistent_diestrus_days", "diestrus for at least … days"
        ABOVE_CONTROL_SD = "above_control_sd", "above the control mean by more than … SD"
        BELOW_CONTROL_SD = "below_control_sd", "below the control mean by more than … SD"
        LOSS_PERCENT = "loss_percent", "at least … % less than the control mean"

    criteria = models.ForeignKey(PoiCriteria, models.PROTECT, related_name="criteria")
    rule = models.CharField(max_length=26, choices=Rule.choices)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+")
    timepoint = models.ForeignKey(Timepoint, models.PROTECT, null=True, blank=True, related_name="+")
    threshold = NumericField(help_text="Days, SD or %, as the rule says.")

    database_messages = {"poi_criterion_locked": (NON_FIELD_ERRORS, LOCKED_CRITERIA)}

    class Meta:
        ordering = ["criteria", "rule", "endpoint"]
        verbose_name = "POI criterion"
        verbose_name_plural = "single POI criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["criteria", "rule", "endpoint", "timepoint"],
                name="poi_criterion_once",
                nulls_distinct=False,
                violation_error_message="This criterion is already there.",
            ),
            Check("poi_criterion_threshold", Q(threshold__gt=0), "It is above 0.", "threshold"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.get_rule_display().replace('…', f'{self.threshold.normalize():f}')}"

    def clean(self) -> None:
        if self.criteria_id and self.criteria.locked_at:
            raise ValidationError(LOCKED_CRITERIA)
        if self.timepoint and self.criteria_id and self.timepoint.experiment_id != self.criteria.experiment_id:
            raise ValidationError({"timepoint": "The timepoint belongs to another experiment."})


class PoiConfirmation(ValidatedModel):
    """Whether an animal fulfils the locked criteria, with what that rests on."""

    experiment_path = "enrolment__experiment"
    hidden_while_masked = True  # who is confirmed is no healthy control
    duty = Duty.DECIDE
    asks_reason = False
    fixed_once_made = ("enrolment", "criteria")

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed"
        NOT_CONFIRMED = "not_confirmed"
        UNDETERMINED = "undetermined"

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="poi_confirmations")
    criteria = models.ForeignKey(PoiCriteria, models.PROTECT, related_name="confirmations")
    verdict = models.CharField(max_length=14, choices=Verdict.choices)
    findings = models.JSONField(help_text="Each criterion with value, threshold and whether it is met.")
    assessed_at = models.DateTimeField(default=timezone.now)
    assessed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["enrolment", "-assessed_at"]
        verbose_name = "POI confirmation"

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.get_verdict_display()}"
