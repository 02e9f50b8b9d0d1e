"""What is to be done, and when: versioned protocols, the arms that follow them, and the planned procedures."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from experiments.models.animals import Enrolment
from experiments.models.products import Product
from experiments.models.studies import Arm
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

STEPS_STAY = "This version is issued, its steps stay as they are; make a new version."


class StepKind(models.TextChoices):
    """What a step of a protocol, and so a procedure, is."""

    INDUCTION = "induction"
    TRANSPLANTATION = "transplantation", "transplantation or treatment"
    SURGERY = "surgery"
    SAMPLING = "sampling"
    MEASUREMENT = "measurement"
    MATING = "mating"
    EUTHANASIA = "euthanasia"
    OTHER = "other"


class Protocol(ValidatedModel):
    """A way of working that has versions: an induction regimen, a transplantation, a sampling scheme."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN

    name = models.CharField(max_length=120, unique=True)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [Check("protocol_name_not_blank", ~Q(name=""), "A protocol needs a name.", "name")]

    def __str__(self) -> str:
        return self.name


class ProtocolVersion(ValidatedModel):
    """One version of a protocol. Once it is issued its steps stay as they are; a change is a new version."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN
    fixed_once_made = ("protocol", "number")
    fixed_once_set = ("issued_at",)

    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("version")
    reference = models.CharField(max_length=250, blank=True, help_text="A publication or SOP that it follows.")
    change_note = models.CharField(max_length=500, blank=True, help_text="What is different from the version before.")
    issued_at = models.DateTimeField(null=True, blank=True, editable=False)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    database_messages = {"protocol_version_issued": ("issued_at", "A version that is issued stays so.")}

    class Meta:
        ordering = ["protocol", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "number"],
                name="protocol_version_once",
                violation_error_message="The protocol already has this version.",
            ),
            Check("protocol_version_from_1", Q(number__gte=1), "Versions count from 1.", "number"),
        ]

    def __str__(self) -> str:
        return f"{self.protocol} v{self.number}"


class ProtocolStep(ValidatedModel):
    """One step: what, how much, by which route, on which day. Days count from day 0, or from the last dose of another step."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN
    fixed_once_made = ("version",)
    is_deletable = True

    version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=16, choices=StepKind.choices)
    after = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="followers",
        help_text="Days count from the last repeat of this step; empty: from day 0.",
    )
    relative_day = models.SmallIntegerField(default=0)
    window_before_days = models.PositiveSmallIntegerField(default=0)
    window_after_days = models.PositiveSmallIntegerField(default=0)
    repeats = models.PositiveSmallIntegerField("times", default=1)
    every_days = models.PositiveSmallIntegerField("every, days", default=1, help_text="Between two repeats.")
    # induction
    induction_model = TermField(vocabulary="induction_model", blank=True)
    agent = TermField(vocabulary="agent", blank=True, help_text="The drug, radiation or antigen.")
    # how much: of the agent, or of the product
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="steps")
    amount = NumericField(null=True, blank=True, help_text="Each time.")
    amount_unit = models.CharField(max_length=20, blank=True, help_text="mg/kg, Gy, µg, viable cells, particles, mL …")
    concentration_mg_per_ml = NumericField(null=True, blank=True)
    volume_ul = NumericField(
        "volume, µL", null=True, blank=True, help_text="An animal, or an ovary where both are injected."
    )
    vehicle = models.CharField(max_length=120, blank=True)
    route = TermField(vocabulary="route", blank=True)
    site = TermField(vocabulary="site", blank=True)
    anaesthesia = TermField(vocabulary="agent", blank=True)
    analgesia = TermField(vocabulary="agent", blank=True)
    analgesia_every_h = NumericField(null=True, blank=True)
    analgesia_for_h = NumericField(null=True, blank=True)
    instructions = models.TextField(blank=True)

    database_messages = {"protocol_step_issued": ("__all__", STEPS_STAY)}

    class Meta:
        ordering = ["version", "position", "relative_day"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "name"],
                name="protocol_step_name_once",
                violation_error_message="The version already has a step of this name.",
            ),
            Check("protocol_step_name_not_blank", ~Q(name=""), "A step needs a name.", "name"),
            Check("protocol_step_repeats", Q(repeats__gte=1), "A step is done at least once.", "repeats"),
            Check("protocol_step_every", Q(every_days__gte=1), "Repeats are at least a day apart.", "every_days"),
            Check("protocol_step_not_after_itself", ~Q(after=F("id")), "A step does not follow itself.", "after"),
            Check(
                "protocol_step_amount_with_unit",
                Q(amount=None, amount_unit="") | Q(amount__gt=0) & ~Q(amount_unit=""),
                "An amount is above 0 and has a unit.",
                "amount",
            ),
            Check(
                "protocol_step_induction",
                Q(kind="induction") & ~Q(induction_model="") | ~Q(kind="induction") & Q(induction_model=""),
                "An induction names its model; other steps have none.",
                "induction_model",
            ),
            *(
                Check(f"protocol_step_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("concentration_mg_per_ml", "volume_ul", "analgesia_every_h", "analgesia_for_h")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.version_id and self.version.issued_at:
            raise ValidationError(STEPS_STAY)
        if self.after and self.after.version_id != self.version_id:
            raise ValidationError({"after": "This step is of another version."})
        seen, before = {self.pk}, self.after
        while before is not None:
            if before.pk in seen:
                raise ValidationError({"after": "These steps would wait for each other."})
            seen.add(before.pk)
            before = before.after


class ArmProtocol(ValidatedModel):
    """That the animals of an arm go through a protocol, in the version with which they were planned."""

    experiment_path = "arm__experiment"
    duty = Duty.DESIGN
    fixed_once_made = ("arm", "version")
    is_deletable = True

    arm = models.ForeignKey(Arm, models.PROTECT, related_name="protocols")
    version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="arms")
    shift_days = models.SmallIntegerField(
        default=0, help_text="Added to every day of the protocol that counts from day 0."
    )

    class Meta:
        ordering = ["arm", "shift_days"]
        constraints = [
            models.UniqueConstraint(
                fields=["arm", "version"],
                name="arm_protocol_once",
                violation_error_message="The arm already follows this version.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.arm}: {self.version}"


class PlannedProcedure(ValidatedModel):
    """One step that an animal is to go through, with the day on which it is due."""

    experiment_path = "enrolment__experiment"
    hidden_while_masked = True  # what is planned follows the arm
    duty = Duty.DESIGN
    fixed_once_made = ("enrolment", "step", "repeat")
    reasonless = ("state",)

    class State(models.TextChoices):
        PLANNED = "planned"
        DONE = "done"
        CANCELLED = "cancelled"

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="planned_procedures")
    step = models.ForeignKey(ProtocolStep, models.PROTECT, related_name="planned")
    repeat = models.PositiveSmallIntegerField(default=1, help_text="The first is 1.")
    due_on = models.DateField()
    earliest_on = models.DateField()
    latest_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED, editable=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="assigned_procedures"
    )
    cancel_reason = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        ordering = ["due_on", "enrolment", "step"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "step", "repeat"],
                name="planned_procedure_once",
                violation_error_message="This is already planned for the animal.",
            ),
            Check(
                "planned_procedure_window",
                Q(earliest_on__lte=F("due_on"), latest_on__gte=F("due_on")),
                "The day lies in its window.",
                "due_on",
            ),
            Check(
                "planned_procedure_cancelled",
                ~Q(state="cancelled") | ~Q(cancel_reason=""),
                "A planned procedure is cancelled with a reason.",
                "cancel_reason",
            ),
        ]
        indexes = [models.Index(fields=["latest_on"], condition=Q(state="planned"), name="planned_procedure_open")]

    def __str__(self) -> str:
        return f"{self.step} of {self.enrolment}"
