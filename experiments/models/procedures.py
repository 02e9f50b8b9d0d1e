"""What was done to animals: inductions, doses with the vials they came from, and what was given beside them.

What happened is always recorded. Where it lies outside of the plan or of a limit, the deviation stands beside it with its reason.
"""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.models.animals import Enrolment
from experiments.models.products import Product
from experiments.models.protocols import PlannedProcedure, StepKind
from experiments.models.stock import Vial
from experiments.models.studies import Experiment
from experiments.models.terms import TermField, words_of
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

AHEAD = timedelta(days=1)  # in another zone it is tomorrow already


class Procedure(ValidatedModel):
    """Something that was done to an animal."""

    experiment_path = "experiment"
    duty = Duty.RECORD
    fixed_once_made = ("experiment", "enrolment")
    hidden_while_masked = True  # what was given, and when, follows the arm

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="procedures")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="procedures")
    planned = models.OneToOneField(PlannedProcedure, models.PROTECT, null=True, blank=True, related_name="procedure")
    kind = models.CharField(max_length=16, choices=StepKind.choices, default=StepKind.OTHER)
    name = models.CharField(max_length=60, help_text="e.g. pre-treatment, induction")
    description = models.CharField(max_length=500, blank=True)
    performed_on = models.DateField(null=True, blank=True, help_text="Empty where the day is unknown.")
    performed_at = models.DateTimeField(null=True, blank=True, help_text="The instant, where it is known.")
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    deviation = models.TextField(blank=True, help_text="In what it differs from the plan or lies outside of a limit.")
    deviation_reason = models.CharField(max_length=500, blank=True, help_text="Why.")

    database_messages = {
        "procedure_enrolment_same_experiment": ("enrolment", "The animal is enrolled in another experiment.")
    }

    class Meta:
        ordering = ["experiment", "performed_on"]
        constraints = [
            Check(
                "procedure_deviation_reason",
                Q(deviation="") | ~Q(deviation_reason=""),
                "A deviation needs a reason.",
                "deviation_reason",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.description}" if self.description else self.name

    def clean(self) -> None:
        if self.planned and self.enrolment_id and self.planned.enrolment_id != self.enrolment_id:
            raise ValidationError({"planned": "This was planned for another animal."})
        if self.performed_at and self.performed_on and timezone.localdate(self.performed_at) != self.performed_on:
            raise ValidationError({"performed_at": f"The instant lies on another day than {self.performed_on}."})
        if self.performed_on and self.performed_on > timezone.localdate() + AHEAD:
            raise ValidationError(
                {"performed_on": f"{self.performed_on} is still to come; what is to be done is planned."}
            )


class Induction(ValidatedModel):
    """What of a procedure made the animal a model: agent, dose, the weight it was computed from, and the volume."""

    experiment_path = "procedure__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("procedure",)
    hidden_while_masked = True

    procedure = models.OneToOneField(Procedure, models.PROTECT, related_name="induction")
    induction_model = TermField(vocabulary="induction_model", default="chemotherapy")
    agent = TermField(vocabulary="agent")
    agent_lot = models.CharField(max_length=60, blank=True)
    amount = NumericField(help_text="Each time, in its unit.")
    amount_unit = models.CharField(max_length=20, default="mg/kg", help_text="mg/kg, Gy, µg …")
    weight_g = NumericField("weight, g", null=True, blank=True, help_text="From which the dose was computed.")
    concentration_mg_per_ml = NumericField(null=True, blank=True)
    given_mg = NumericField("given, mg", null=True, blank=True)
    planned_ml = NumericField("planned, mL", null=True, blank=True)
    given_ml = NumericField("given, mL", null=True, blank=True)
    route = TermField(vocabulary="route")
    site = TermField(vocabulary="site", blank=True)

    class Meta:
        ordering = ["procedure"]
        constraints = [
            Check("induction_amount", Q(amount__gt=0), "It is above 0.", "amount"),
            *(
                Check(f"induction_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("weight_g", "concentration_mg_per_ml", "given_mg", "planned_ml", "given_ml")
            ),
        ]

    def __str__(self) -> str:
        return f"{words_of(self, 'agent')} {self.amount.normalize():f} {self.amount_unit}"


class Dose(ValidatedModel):
    """What of a product an animal got. The vials that it came from are told one by one."""

    experiment_path = "procedure__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("procedure", "product")
    hidden_while_masked = True

    procedure = models.OneToOneField(Procedure, models.PROTECT, related_name="dose")
    product = models.ForeignKey(Product, models.PROTECT, related_name="doses")
    amount = NumericField(help_text="An animal, in the product's dose unit.")
    viability_percent = NumericField("viability at use, %", null=True, blank=True)
    volume_ul = NumericField("volume, µL", null=True, blank=True)
    vehicle = models.CharField(max_length=120, blank=True)
    route = TermField(vocabulary="route")
    site = TermField(vocabulary="site", blank=True)
    needle = models.CharField(max_length=30, blank=True, help_text="e.g. 30 G")
    passage_number = models.PositiveSmallIntegerField("passage at use", null=True, blank=True)
    weight_g = NumericField("weight, g", null=True, blank=True, help_text="Of the day.")
    thaw_to_injection_min = NumericField("thaw to injection, min", null=True, blank=True)
    co_treatment = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["procedure"]
        constraints = [
            Check("dose_amount", Q(amount__gt=0), "It is above 0.", "amount"),
            Check(
                "dose_viability_percent",
                Q(viability_percent=None) | Q(viability_percent__gte=0, viability_percent__lte=100),
                "A viability lies between 0 and 100 %.",
                "viability_percent",
            ),
            *(
                Check(f"dose_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("volume_ul", "weight_g")
            ),
            Check(
                "dose_thaw_to_injection_min",
                Q(thaw_to_injection_min=None) | Q(thaw_to_injection_min__gte=0),
                "It is not negative.",
                "thaw_to_injection_min",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}, {self.amount.normalize():f} {self.product.dose_unit}"


class DoseVial(ValidatedModel):
    """How much of a dose came from which vial. A vial that is split over arms is seen by this."""

    experiment_path = "dose__procedure__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("dose", "vial", "amount")
    hidden_while_masked = True

    dose = models.ForeignKey(Dose, models.PROTECT, related_name="vials")
    vial = models.ForeignKey(Vial, models.PROTECT, related_name="doses")
    amount = NumericField(help_text="Taken from this vial, in the product's dose unit.")

    class Meta:
        ordering = ["dose", "vial"]
        constraints = [
            Check("dose_vial_amount", Q(amount__gt=0), "It is above 0.", "amount"),
            models.UniqueConstraint(
                fields=["dose", "vial"],
                name="dose_vial_once",
                violation_error_message="The dose already names this vial.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} from {self.vial}"


class Medication(ValidatedModel):
    """Anaesthesia or analgesia with a procedure: each has its own deadline, and is given or overdue."""

    experiment_path = "procedure__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("procedure", "kind")
    hidden_while_masked = True

    class Kind(models.TextChoices):
        ANAESTHESIA = "anaesthesia"
        ANALGESIA = "analgesia"
        ANTIBIOTIC = "antibiotic"
        OTHER = "other"

    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="medications")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    agent = TermField(vocabulary="agent")
    amount_mg_per_kg = NumericField("mg/kg", null=True, blank=True)
    route = TermField(vocabulary="route", blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="By when it has to be given.")
    given_at = models.DateTimeField(null=True, blank=True)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    omitted_reason = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            Check(
                "medication_amount_mg_per_kg",
                Q(amount_mg_per_kg=None) | Q(amount_mg_per_kg__gt=0),
                "It is above 0.",
                "amount_mg_per_kg",
            ),
            Check(
                "medication_given_or_due",
                Q(given_at__isnull=False) | Q(due_at__isnull=False) | ~Q(omitted_reason=""),
                "Say when it was given, or by when it is due.",
                "given_at",
            ),
            Check(
                "medication_given_or_omitted",
                Q(given_at=None) | Q(omitted_reason=""),
                "It was given or left out, not both.",
                "omitted_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(given_at=None, omitted_reason=""), name="medication_open")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} with {words_of(self, 'agent')}"


class DoseLimit(ValidatedModel):
    """The range of a dose of an agent for a species. A plan outside of it is refused, a fact outside of it is a deviation."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN
    fixed_once_made = ("species", "agent", "unit")
    is_deletable = True

    species = TermField(vocabulary="species")
    agent = TermField(vocabulary="agent")
    unit = models.CharField(max_length=20, default="mg/kg")
    lowest = NumericField()
    highest = NumericField()
    source = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["species", "agent"]
        constraints = [
            models.UniqueConstraint(
                fields=["species", "agent", "unit"],
                name="dose_limit_once",
                violation_error_message="There is already a limit for this agent and species.",
            ),
            Check(
                "dose_limit_range",
                Q(lowest__gte=0, highest__gt=models.F("lowest")),
                "The highest is above the lowest.",
                "highest",
            ),
        ]

    def __str__(self) -> str:
        return f"{words_of(self, 'agent')} in {words_of(self, 'species')}: {self.lowest}–{self.highest} {self.unit}"
