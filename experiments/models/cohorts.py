"""How animals come into a study and into its arms, and who is left out."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.models.animals import Enrolment
from experiments.models.observations import Endpoint
from experiments.models.studies import Experiment
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class EligibilityCriterion(ValidatedModel):
    """What an animal must fulfil before it is allocated."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "kind")
    is_deletable = True

    class Kind(models.TextChoices):
        AGE_DAYS = "age_days", "age at induction, days"
        WEIGHT_G = "weight_g", "baseline weight, g"
        ACCLIMATISATION_DAYS = "acclimatisation_days", "acclimatisation, days"
        REGULAR_CYCLES = "regular_cycles", "regular estrous cycles in 14 days"
        SEX = "sex"
        OTHER = "other", "other, judged by a person"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="eligibility_criteria")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    lowest = NumericField(null=True, blank=True)
    highest = NumericField(null=True, blank=True)
    text = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["experiment", "kind"]
        verbose_name_plural = "eligibility criteria"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "kind", "text"],
                name="eligibility_criterion_once",
                violation_error_message="The experiment already has this criterion.",
            ),
            Check(
                "eligibility_criterion_range",
                Q(lowest=None) | Q(highest=None) | Q(highest__gte=models.F("lowest")),
                "The highest is not below the lowest.",
                "highest",
            ),
        ]

    def __str__(self) -> str:
        return self.text or self.get_kind_display()


class Randomisation(ValidatedModel):
    """One draw of arms for animals: by the system, from a seed that stays sealed until unblinding, and reproducible."""

    experiment_path = "experiment"
    hidden_while_masked = True
    duty = Duty.DESIGN
    asks_reason = False
    trail_withheld = ("seed",)

    class Method(models.TextChoices):
        SIMPLE = "simple"
        BLOCK = "block"
        STRATIFIED = "stratified"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="randomisations")
    method = models.CharField(max_length=10, choices=Method.choices)
    strata = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text="weight, litter, cage")
    algorithm = models.CharField(max_length=60)
    seed = models.CharField(max_length=64, editable=False)
    seed_sha256 = models.CharField("SHA-256 of the seed", max_length=64, editable=False)
    inputs = models.JSONField(help_text="Animals, weights, strata, arms and ratios as they went into the draw.")
    balance = models.JSONField(help_text="How alike the arms came out.")
    drawn_at = models.DateTimeField(default=timezone.now)
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["experiment", "drawn_at"]

    def __str__(self) -> str:
        return f"{self.get_method_display()} draw for {self.experiment}, {self.drawn_at:%Y-%m-%d}"


class Exclusion(ValidatedModel):
    """That an animal is left out of the analysis, and why. The animal and its values stay."""

    experiment_path = "enrolment__experiment"
    hidden_while_masked = True  # whose induction failed is no healthy control
    duty = Duty.DECIDE
    fixed_once_made = ("enrolment", "stage", "endpoint")

    class Stage(models.TextChoices):
        BEFORE_ALLOCATION = "before_allocation", "not eligible, before allocation"
        AFTER_ALLOCATION = "after_allocation", "after allocation, before treatment"
        INDUCTION_FAILURE = "induction_failure", "induction did not take"
        DURING_FOLLOW_UP = "during_follow_up"
        ANALYSIS = "analysis", "at analysis"

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="exclusions")
    endpoint = models.ForeignKey(
        Endpoint, models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: from everything."
    )
    stage = models.CharField(max_length=18, choices=Stage.choices)
    is_prespecified = models.BooleanField("pre-specified")
    is_decided_blinded = models.BooleanField("decided blinded")
    reason = models.CharField(max_length=500)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    decided_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    revoke_reason = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["enrolment", "decided_at"]
        constraints = [
            Check("exclusion_reason_not_blank", ~Q(reason=""), "An exclusion needs a reason.", "reason"),
            models.UniqueConstraint(
                fields=["enrolment", "endpoint"],
                condition=Q(revoked_at=None),
                nulls_distinct=False,
                name="exclusion_once",
                violation_error_message="The animal is already excluded from this.",
            ),
            Check(
                "exclusion_revoked_whole",
                Q(revoked_at=None, revoked_by=None, revoke_reason="")
                | Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoke_reason=""),
                "An exclusion is revoked by somebody, with a reason.",
                "revoke_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.get_stage_display()}"
