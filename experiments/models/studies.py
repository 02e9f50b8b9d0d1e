"""An experiment, who works on it, its arms and its planned timepoints."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils import timezone

from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty, Role


class Experiment(ValidatedModel):
    """One study, from plan to signature: the laboratory's own, or a published one that is registered here.

    A registered study has no vials and donors of ours; rules of stock and release bind the laboratory's own.
    """

    experiment_path = "self"
    duty = Duty.DESIGN
    fixed_once_made = ("masking", "is_simulated", "provenance")

    open_fields = ("status",)  # it follows the closings
    database_messages = {
        "experiment_status_by_closing": (
            "status",
            "An experiment is closed and reopened with a reason, not by its status.",
        )
    }

    class Status(models.TextChoices):
        PLANNED = "planned"
        RUNNING = "running"
        CLOSED = "closed"
        SIGNED = "signed"

    class Masking(models.TextChoices):
        BLINDED = "blinded"
        OPEN_LABEL = "open_label", "open-label"

    class Provenance(models.TextChoices):
        OWN = "own", "the laboratory's own"
        REGISTERED = "registered", "a published study"

    class Unit(models.TextChoices):
        ANIMAL = "animal"
        LITTER = "litter"
        CAGE = "cage"

    code = models.CharField(max_length=60, unique=True, help_text="Short and unique, as it stands on cage cards.")
    title = models.CharField(max_length=250)
    hypothesis = models.TextField(blank=True)
    masking = models.CharField(
        max_length=12,
        choices=Masking.choices,
        default=Masking.BLINDED,
        help_text="Effects by arm of a blinded experiment stay hidden. Open-label is an explicit choice that every page prints.",
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RUNNING)
    experimental_unit = models.CharField(max_length=8, choices=Unit.choices, default=Unit.ANIMAL)
    started_on = models.DateField(null=True, blank=True, help_text="First day of the experiment.")
    day_0_definition = models.CharField(max_length=250, blank=True, help_text="What happens on study day 0.")
    is_simulated = models.BooleanField(default=False, help_text="Simulated data; every page says so.")
    provenance = models.CharField(max_length=10, choices=Provenance.choices, default=Provenance.OWN)
    reference = models.CharField(
        "publication", max_length=250, blank=True, help_text="DOI or citation of a published study."
    )
    licence = models.ForeignKey(
        "experiments.Licence", models.PROTECT, null=True, blank=True, related_name="experiments"
    )
    ethics_number = models.CharField(max_length=60, blank=True)
    follow_up_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="After the last treatment.")
    primary_endpoint = models.ForeignKey(
        "experiments.Endpoint", models.PROTECT, null=True, blank=True, related_name="primary_in"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            Check("experiment_code_not_blank", ~Q(code=""), "An experiment needs a code.", "code"),
            Check(
                "experiment_reference_of_registered",
                Q(provenance="own") | ~Q(reference=""),
                "A published study needs its publication.",
                "reference",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_blinded(self) -> bool:
        return self.masking == self.Masking.BLINDED

    def clean(self) -> None:
        before = None if self._state.adding else Experiment.objects.values_list("status", flat=True).get(pk=self.pk)
        if self.status != before and (before, self.status) not in STATUS_EDITS:
            told = (
                "An experiment begins planned or running, and goes from planned to running; it is closed and reopened"
            )
            raise ValidationError({"status": f"{told} with a reason, not by its status."})


STATUS_EDITS = {(None, "planned"), (None, "running"), ("planned", "running")}


class Membership(ValidatedModel):
    """What a person is in an experiment. It is never deleted, it ends.

    Who has seen the arms does not become a blinded assessor of the experiment, nor the other way round.
    """

    experiment_path = "experiment"
    duty = Duty.MANAGE
    fixed_once_made = ("experiment", "user", "role")
    managers_write = True
    stays_open = True

    Role = Role

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["experiment", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "user", "role"],
                condition=Q(ended_at=None),
                name="membership_once",
                violation_error_message="This person already holds this role in the experiment.",
            ),
            ExclusionConstraint(
                name="membership_assessor_masked",
                expressions=[
                    ("experiment", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                    (Case(When(role=Role.ASSESSOR, then=1), default=0), RangeOperators.NOT_EQUAL),
                ],
                condition=~Q(role=Role.ANALYST),
                violation_error_message="An assessor is blinded: who is or was director, scientist, technician or"
                " auditor of the experiment has seen its arms and cannot assess it, nor an assessor become one of these.",
            ),
            Check(
                "membership_ends_after_start",
                Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                "A membership ends after it began.",
                "ended_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.experiment}"


class Arm(ValidatedModel):
    """A group of animals that is treated alike. ``reference`` is the arm it is compared with."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment",)
    is_deletable = True

    class Kind(models.TextChoices):
        NORMAL_CONTROL = "normal_control"
        SHAM = "sham"
        VEHICLE = "vehicle", "POI + vehicle"
        PRODUCT = "product", "POI + product"
        COMPARATOR = "comparator", "positive comparator"
        OTHER = "other"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="arms")
    label = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.OTHER)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order in tables and figures.")
    planned_n = models.PositiveIntegerField(null=True, blank=True, verbose_name="planned n")
    reference = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, help_text="The arm that this one is compared with."
    )
    vehicle_arm = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="treated_arms",
        help_text="The arm that gets the vehicle by the same route.",
    )
    healthy_arm = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="diseased_arms", help_text="The healthy reference."
    )
    sample_size_basis = models.CharField(max_length=250, blank=True, help_text="On what the planned n rests.")
    strain = models.ForeignKey(
        "experiments.Strain",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="arms",
        help_text="Planned for its animals; of a published study it is all that is known of them.",
    )

    database_messages = {
        "arm_reference_same_experiment": ("reference", "The reference arm belongs to another experiment."),
        "arm_vehicle_arm_same_experiment": ("vehicle_arm", "The vehicle arm belongs to another experiment."),
        "arm_healthy_arm_same_experiment": ("healthy_arm", "The healthy arm belongs to another experiment."),
    }

    class Meta:
        ordering = ["experiment", "position", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "label"],
                name="arm_label_once",
                violation_error_message="The experiment already has an arm with this label.",
            ),
            models.UniqueConstraint(fields=["id", "experiment"], name="arm_with_experiment"),
            Check("arm_label_not_blank", ~Q(label=""), "An arm needs a label.", "label"),
            *(
                Check(f"arm_not_own_{name}", ~Q(**{name: F("id")}), "An arm cannot be its own reference.", name)
                for name in ("reference", "vehicle_arm", "healthy_arm")
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def is_draft(self) -> bool:
        return self.experiment.status == Experiment.Status.PLANNED and super().is_draft()


class Timepoint(ValidatedModel):
    """A planned moment of observation: a study day with the window in which a measurement counts as of that day."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment",)
    is_deletable = True

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="timepoints")
    label = models.CharField(max_length=60)
    study_day = models.SmallIntegerField(help_text="Whole days from the animal's day 0.")
    window_before_days = models.PositiveSmallIntegerField(default=0)
    window_after_days = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["experiment", "study_day"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "study_day"],
                name="timepoint_day_once",
                violation_error_message="The experiment already plans a timepoint on this study day.",
            ),
            models.UniqueConstraint(
                fields=["experiment", "label"],
                name="timepoint_label_once",
                violation_error_message="The experiment already has a timepoint with this label.",
            ),
            models.UniqueConstraint(fields=["id", "experiment"], name="timepoint_with_experiment"),
        ]

    def __str__(self) -> str:
        return self.label

    def is_draft(self) -> bool:
        return self.experiment.status == Experiment.Status.PLANNED and super().is_draft()
