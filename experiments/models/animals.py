"""Animals: strain, litter, cage, enrolment in an experiment, allocation to an arm, and how it ended."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q

from experiments.models.licences import Licence
from experiments.models.studies import Arm, Experiment
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Strain(ValidatedModel):
    """A strain or stock of a species. Where nobody told the strain, the species' one unknown strain stands for it."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    is_deletable = True

    closed_with = ("animals__enrolments__experiment", "arms__experiment")
    open_fields = ("mgi_id", "rrid")  # registry numbers: found out later, and the strain is the same

    name = models.CharField(max_length=120)
    species = TermField(vocabulary="species", default="mouse")
    mgi_id = models.CharField("MGI id", max_length=20, blank=True, help_text="e.g. MGI:3028467")
    rrid = models.CharField("RRID", max_length=40, blank=True)
    is_unknown = models.BooleanField(
        "strain unknown", default=False, help_text="Stands for animals of the species whose strain is not told."
    )

    class Meta:
        ordering = ["species", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["species", "name"],
                name="strain_once",
                violation_error_message="This strain is already recorded.",
            ),
            Check("strain_name_not_blank", ~Q(name=""), "A strain needs a name.", "name"),
            models.UniqueConstraint(
                fields=["species"],
                condition=Q(is_unknown=True),
                name="strain_unknown_once",
                violation_error_message="The species already has an unknown strain.",
            ),
            Check(
                "strain_unknown_without_code",
                Q(is_unknown=False) | Q(mgi_id="", rrid=""),
                "An unknown strain has no registry number.",
                "is_unknown",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Litter(ValidatedModel):
    """Animals born together of one dam. A code that is only unique within a study belongs to that experiment."""

    experiment_path = ("experiment", "experiment__isnull")
    duty = Duty.RECORD
    fixed_once_made = ("experiment",)
    is_deletable = True

    closed_with = ("animals__enrolments__experiment", "observations__experiment")

    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="litters")
    code = models.CharField(max_length=60)
    dam = models.CharField(max_length=60, blank=True, help_text="The dam's identity, where it is known.")
    born_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "code"],
                name="litter_code_once",
                nulls_distinct=False,
                violation_error_message="There is already a litter with this code.",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Cage(ValidatedModel):
    """A cage. A label that is only unique within a study (A, B, …) belongs to that experiment."""

    experiment_path = ("experiment", "experiment__isnull")
    duty = Duty.RECORD
    fixed_once_made = ("experiment",)
    is_deletable = True

    closed_with = ("housings__animal__enrolments__experiment", "observations__experiment")

    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="cages")
    label = models.CharField(max_length=60)

    class Meta:
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "label"],
                name="cage_label_once",
                nulls_distinct=False,
                violation_error_message="There is already a cage with this label.",
            )
        ]

    def __str__(self) -> str:
        return self.label


class Animal(ValidatedModel):
    """One animal. What is not known stays unknown: no birth date is an unknown birth date."""

    experiment_path = ("enrolments__experiment", "enrolments__isnull")
    duty = Duty.RECORD
    is_deletable = True

    class Sex(models.TextChoices):
        FEMALE = "F", "female"
        MALE = "M", "male"
        UNKNOWN = "U", "unknown"

    lab_id = models.CharField("animal id", max_length=60, unique=True)
    strain = models.ForeignKey(Strain, models.PROTECT, related_name="animals")
    sex = models.CharField(max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    born_on = models.DateField(null=True, blank=True)
    litter = models.ForeignKey(Litter, models.PROTECT, null=True, blank=True, related_name="animals")
    ear_tag = models.CharField(max_length=30, blank=True)
    transponder = models.CharField(max_length=30, blank=True)
    supplier = models.CharField(max_length=120, blank=True)
    arrived_on = models.DateField(null=True, blank=True, help_text="Acclimatisation counts from this day.")
    genotype = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["lab_id"]
        constraints = [
            Check("animal_id_not_blank", ~Q(lab_id=""), "An animal needs an id.", "lab_id"),
            models.UniqueConstraint(
                fields=["transponder"],
                condition=~Q(transponder=""),
                name="animal_transponder_once",
                violation_error_message="Another animal carries this transponder.",
            ),
            Check(
                "animal_arrived_after_birth",
                Q(arrived_on=None) | Q(born_on=None) | Q(arrived_on__gte=F("born_on")),
                "An animal does not arrive before its birth.",
                "arrived_on",
            ),
        ]

    def __str__(self) -> str:
        return self.lab_id


class Housing(ValidatedModel):
    """The days an animal lived in a cage: from ``started_on`` up to, not including, ``ended_on``."""

    experiment_path = ("animal__enrolments__experiment", "animal__enrolments__isnull")
    seen_with = ("cage",)
    duty = Duty.RECORD
    fixed_once_made = ("animal",)

    animal = models.ForeignKey(Animal, models.PROTECT, related_name="housings")
    cage = models.ForeignKey(Cage, models.PROTECT, related_name="housings")
    started_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True, help_text="The day it left; empty while it lives there.")

    class Meta:
        ordering = ["animal", "started_on"]
        constraints = [
            Check(
                "housing_ends_after_start",
                Q(ended_on__isnull=True) | Q(ended_on__gt=F("started_on")),
                "An animal leaves a cage after the day it came.",
                "ended_on",
            ),
            ExclusionConstraint(
                name="housing_no_overlap",
                expressions=[
                    ("animal", RangeOperators.EQUAL),
                    (
                        Func(
                            "started_on",
                            "ended_on",
                            RangeBoundary(),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="The animal is already housed in a cage on these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.animal} in {self.cage} from {self.started_on}"

    def clean(self) -> None:
        if self.started_on and self.ended_on and self.ended_on <= self.started_on:
            # said here because validating the exclusion builds a date range, which such days cannot make
            raise ValidationError({"ended_on": "An animal leaves a cage after the day it came."})
        if self.animal_id and self.animal.born_on and self.started_on and self.started_on < self.animal.born_on:
            raise ValidationError({"started_on": f"The animal was born on {self.animal.born_on}."})


class Enrolment(ValidatedModel):
    """An animal's part in an experiment. Study days count from its own ``day_0``."""

    experiment_path = "experiment"
    duty = Duty.RECORD
    fixed_once_made = ("experiment", "animal")
    fixed_once_set = ("day_0",)  # every study day counts from it, planned timepoints were found with it

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="enrolments")
    animal = models.ForeignKey(Animal, models.PROTECT, related_name="enrolments")
    day_0 = models.DateField("day 0", null=True, blank=True, help_text="Local date of the animal's study day 0.")
    actual_severity = models.CharField(
        max_length=12,
        choices=Licence.Severity.choices,
        blank=True,
        help_text="What the animal really experienced, told when its part has ended.",
    )

    class Meta:
        ordering = ["experiment", "animal"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "animal"],
                name="enrolment_once",
                violation_error_message="The animal is already enrolled in this experiment.",
            ),
            models.UniqueConstraint(fields=["id", "experiment"], name="enrolment_with_experiment"),
        ]

    def __str__(self) -> str:
        return f"{self.animal} in {self.experiment}"

    def clean(self) -> None:
        if self.animal_id and self.day_0 and self.animal.born_on and self.day_0 < self.animal.born_on:
            raise ValidationError({"day_0": f"The animal was born on {self.animal.born_on}."})


class Allocation(ValidatedModel):
    """The arm an enrolled animal is in. Arm, dose, batch and product of an animal are reached through this row only."""

    experiment_path = "experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "enrolment")
    hidden_while_masked = True

    class Method(models.TextChoices):
        RECORDED = "recorded", "recorded from the laboratory's own list"
        RANDOMISED = "randomised"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="allocations")
    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="allocation")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="allocations")
    method = models.CharField(max_length=12, choices=Method.choices, default=Method.RECORDED)
    randomisation = models.ForeignKey(
        "experiments.Randomisation", models.PROTECT, null=True, blank=True, related_name="allocations", editable=False
    )
    stratum = models.CharField(max_length=120, blank=True, editable=False)
    block = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    allocated_at = models.DateTimeField(auto_now_add=True)

    database_messages = {
        "allocation_enrolment_same_experiment": ("enrolment", "The animal is enrolled in another experiment."),
        "allocation_arm_same_experiment": ("arm", "The arm belongs to another experiment."),
    }

    class Meta:
        ordering = ["experiment", "enrolment"]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.arm}"


class Disposition(ValidatedModel):
    """How an animal's part in an experiment ended, and on which day."""

    experiment_path = "experiment"
    duty = Duty.RECORD
    fixed_once_made = ("experiment", "enrolment")

    class Kind(models.TextChoices):
        SCHEDULED = "scheduled", "scheduled euthanasia"
        HUMANE_ENDPOINT = "humane_endpoint"
        EUTHANISED = "euthanised", "euthanised, reason not recorded"
        FOUND_DEAD = "found_dead"
        DIED = "died", "died, circumstances not recorded"
        ACCIDENTAL = "accidental"
        TRANSFERRED = "transferred"
        SURVIVED = "survived", "alive at the end of observation"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="dispositions")
    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="disposition")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    occurred_on = models.DateField()
    note = models.CharField(max_length=250, blank=True, help_text="As it was written down.")

    database_messages = {
        "disposition_enrolment_same_experiment": ("enrolment", "The animal is enrolled in another experiment.")
    }

    class Meta:
        ordering = ["experiment", "occurred_on"]

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.get_kind_display()} on {self.occurred_on}"
