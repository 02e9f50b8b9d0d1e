"""The one neutral fact: what was observed, on whom, of which endpoint, when."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from experiments.endpoints import allowed_categories
from experiments.models.animals import Animal, Cage, Litter
from experiments.models.files import SourceFile
from experiments.models.studies import Experiment, Timepoint
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Endpoint(ValidatedModel):
    """What can be observed. The code owns the rows that it declares; the laboratory may add its own."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN

    closed_with = ("observations__experiment",)
    open_fields = ("name", "plausible_low", "plausible_high", "is_built_in")  # no number is computed or read from them

    class ValueKind(models.TextChoices):
        QUANTITY = "quantity"
        COUNT = "count"
        SCORE = "score"
        CATEGORY = "category"

    class Benefit(models.TextChoices):
        INCREASE = "increase"
        DECREASE = "decrease"
        NONE = "none", "neither"

    class Scale(models.TextChoices):
        IDENTITY = "identity", "as measured"
        LOG = "log"
        COUNT = "count", "log(x + 1), for counts"

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    unit = models.CharField("canonical unit", max_length=30, blank=True)
    value_kind = models.CharField(max_length=10, choices=ValueKind.choices, default=ValueKind.QUANTITY)
    benefit = models.CharField("direction of benefit", max_length=10, choices=Benefit.choices, default=Benefit.NONE)
    default_scale = models.CharField(max_length=10, choices=Scale.choices, default=Scale.IDENTITY)
    plausible_low = NumericField(null=True, blank=True, help_text="Values below are warned about.")
    plausible_high = NumericField(null=True, blank=True, help_text="Values above are warned about.")
    is_built_in = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [Check("endpoint_key_not_blank", ~Q(key=""), "An endpoint needs a key.", "key")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        stored = Endpoint.objects.filter(pk=self.pk).first()
        if stored and stored.is_built_in:
            raise ValidationError("This endpoint belongs to the program and cannot be changed; add one of your own.")
        for name in ("unit", "value_kind", "key"):
            if stored and getattr(stored, name) != getattr(self, name) and stored.observations.exists():
                raise ValidationError({name: "Observations of this endpoint are recorded; this stays as it was."})

    def category_problem(self, category: str | None) -> str:
        """Why ``category`` (None: a number) may not be recorded of this endpoint; empty where it may."""
        allowed = allowed_categories(self.key)
        if not allowed or category in allowed:
            return ""
        given = "A number" if category is None else f"“{category}”"
        return f"{given} is no {self.name.lower()}; expected one of {', '.join(allowed)}."


class Specimen(ValidatedModel):
    """A sample taken from an animal."""

    experiment_path = "experiment"
    duty = Duty.RECORD
    fixed_once_made = ("experiment", "animal")

    class Matrix(models.TextChoices):
        SERUM = "serum"
        PLASMA = "plasma"
        TISSUE = "tissue"
        OTHER = "other"

    class CycleStage(models.TextChoices):
        PROESTRUS = "P", "proestrus"
        ESTRUS = "E", "estrus"
        METESTRUS = "M", "metestrus"
        DIESTRUS = "D", "diestrus"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="specimens")
    animal = models.ForeignKey(Animal, models.PROTECT, related_name="specimens")
    code = models.CharField(max_length=60)
    matrix = models.CharField(max_length=8, choices=Matrix.choices, default=Matrix.SERUM)
    timepoint = models.ForeignKey(Timepoint, models.PROTECT, null=True, blank=True, related_name="+")
    collected_at = models.DateTimeField()
    is_haemolysed = models.BooleanField(null=True, blank=True, help_text="Empty where nobody looked.")
    organ = TermField(vocabulary="organ", blank=True, help_text="Of tissue.")
    volume_ul = NumericField("volume, µL", null=True, blank=True)
    freeze_thaws = models.PositiveSmallIntegerField("freeze–thaw cycles", null=True, blank=True)
    freezer_place = models.CharField(max_length=60, blank=True, help_text="Freezer, box and position.")
    cycle_stage = models.CharField("cycle stage at sampling", max_length=1, choices=CycleStage.choices, blank=True)

    database_messages = {
        "specimen_animal_enrolled": ("animal", "The animal is not enrolled in this experiment."),
        "specimen_timepoint_same_experiment": ("timepoint", "The timepoint belongs to another experiment."),
    }

    class Meta:
        ordering = ["experiment", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "code"],
                name="specimen_code_once",
                violation_error_message="The experiment already has a specimen with this code.",
            ),
            Check("specimen_volume_ul", Q(volume_ul=None) | Q(volume_ul__gt=0), "A volume is above 0 µL.", "volume_ul"),
        ]

    def __str__(self) -> str:
        return self.code


class Observation(ValidatedModel):
    """One value of one endpoint on one animal, cage or litter.

    A corrected observation is replaced by a newer row that ``supersedes`` it with a reason; nothing is overwritten.
    ``value`` and ``limit`` stand in the endpoint's canonical unit, ``entered_value`` and ``entered_unit`` as they came.
    Below or above a quantification limit ``qualifier`` is ``<`` or ``>``, ``limit`` holds the limit and ``value`` is empty.
    """

    experiment_path = "experiment"
    duty = Duty.ASSESS

    class Side(models.TextChoices):
        LEFT = "L", "left"
        RIGHT = "R", "right"

    class Qualifier(models.TextChoices):
        EQUAL = "=", "="
        BELOW = "<", "<"
        ABOVE = ">", ">"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="observations", db_index=False)
    # Animal and timepoint are kept by the composite keys below, so they need no second check a row.
    animal = models.ForeignKey(
        Animal, models.PROTECT, null=True, blank=True, related_name="observations", db_index=False, db_constraint=False
    )
    cage = models.ForeignKey(Cage, models.PROTECT, null=True, blank=True, related_name="observations", db_index=False)
    litter = models.ForeignKey(
        Litter, models.PROTECT, null=True, blank=True, related_name="observations", db_index=False
    )
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="observations", db_index=False)
    timepoint = models.ForeignKey(
        Timepoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="observations",
        db_index=False,
        db_constraint=False,
        help_text="The planned timepoint; empty for an unplanned observation.",
    )
    observed_at = models.DateTimeField()
    is_time_known = models.BooleanField(
        default=True, help_text="No: only the day is known, and the instant stands at noon of that local day."
    )
    side = models.CharField(max_length=1, choices=Side.choices, null=True, blank=True)
    reader = models.CharField(
        max_length=60, null=True, blank=True, help_text="Who read it, where readers are compared."
    )
    specimen = models.ForeignKey(
        Specimen, models.PROTECT, null=True, blank=True, related_name="observations", db_index=False
    )
    ordinal = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Which of several alike: field, section."
    )
    qualifier = models.CharField(max_length=1, choices=Qualifier.choices, default=Qualifier.EQUAL)
    value = NumericField(null=True, blank=True)
    limit = NumericField(null=True, blank=True)
    category = models.CharField(max_length=60, null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True, help_text="Canonical unit of value and limit.")
    entered_value = NumericField(null=True, blank=True)
    entered_unit = models.CharField(max_length=30, blank=True)
    source_file = models.ForeignKey(SourceFile, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    source_place = models.CharField(max_length=120, blank=True, help_text="Sheet and cell, or plate and well.")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    recorded_at = models.DateTimeField()
    is_current = models.BooleanField(default=True)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    reason = models.CharField(max_length=500, blank=True, help_text="Why the earlier value was replaced.")

    # Composite foreign keys of the database (migration 0002), which Django cannot declare.
    database_messages = {
        "observation_animal_enrolled": ("animal", "The animal is not enrolled in this experiment."),
        "observation_timepoint_same_experiment": ("timepoint", "The timepoint belongs to another experiment."),
    }

    class Meta:
        ordering = ["experiment", "endpoint", "observed_at", "id"]
        constraints = [
            Check(
                "observation_one_subject",
                Q(animal__isnull=False, cage__isnull=True, litter__isnull=True)
                | Q(animal__isnull=True, cage__isnull=False, litter__isnull=True)
                | Q(animal__isnull=True, cage__isnull=True, litter__isnull=False),
                "An observation is made on exactly one animal, cage or litter.",
                "animal",
            ),
            Check(
                "observation_one_value",
                Q(qualifier="=", value__isnull=False, category__isnull=True, limit__isnull=True)
                | Q(qualifier="=", value__isnull=True, category__isnull=False, limit__isnull=True)
                | Q(qualifier__in=["<", ">"], value__isnull=True, category__isnull=True, limit__isnull=False),
                "Give a value, or a category, or a qualifier < or > with its limit.",
                "value",
            ),
            Check(
                "observation_reason_for_correction",
                Q(supersedes__isnull=True) | ~Q(reason=""),
                "A correction needs a reason.",
                "reason",
            ),
            Check("observation_not_own_successor", ~Q(supersedes=F("id")), "It cannot supersede itself.", "supersedes"),
            models.UniqueConstraint(
                fields=["experiment", "endpoint", "timepoint", "animal", "cage", "litter"]
                + ["side", "reader", "specimen", "ordinal"],
                condition=Q(is_current=True, timepoint__isnull=False),
                nulls_distinct=False,
                name="observation_current_once",
                violation_error_message="There is already a current observation of this endpoint at this timepoint.",
            ),
            models.UniqueConstraint(
                fields=["experiment", "endpoint", "observed_at", "animal", "cage", "litter"]
                + ["side", "reader", "specimen", "ordinal"],
                condition=Q(is_current=True, timepoint__isnull=True),
                nulls_distinct=False,
                name="observation_current_once_unplanned",
                violation_error_message="There is already a current observation of this endpoint at this instant.",
            ),
        ]
        indexes = [
            models.Index(fields=["animal", "endpoint", "observed_at"], name="observation_of_animal"),
            models.Index(fields=["experiment", "observed_at", "id"], name="observation_of_experiment"),
            *(
                models.Index(fields=[name], condition=Q(**{f"{name}__isnull": False}), name=f"observation_of_{name}")
                for name in ("source_file", "specimen", "cage", "litter")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.shown_value}"

    def clean(self) -> None:
        told = self.endpoint.category_problem(self.category) if self.endpoint_id else ""
        if told:
            raise ValidationError({"category": told})

    @property
    def shown_value(self) -> str:
        if self.category is not None:
            return self.category
        number = self.value if self.qualifier == "=" else self.limit
        sign = "" if self.qualifier == "=" else self.qualifier
        return f"{sign}{number} {self.unit}".strip()
