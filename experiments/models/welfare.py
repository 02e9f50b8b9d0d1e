"""Rules about animals' welfare, the alerts that they raise, and notes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from experiments.models.animals import Animal, Enrolment
from experiments.models.batches import IsolationBatch
from experiments.models.observations import Observation
from experiments.models.procedures import Procedure
from experiments.models.products import Lot
from experiments.models.studies import Experiment
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class WelfareRule(ValidatedModel):
    """From which loss of body weight, or which score, somebody has to look. Without an experiment it holds in all of them."""

    experiment_path = ("experiment", "experiment__isnull")
    duty = Duty.DESIGN
    fixed_once_made = ("experiment", "kind")

    class Kind(models.TextChoices):
        WEIGHT_LOSS_PERCENT = "weight_loss_percent", "loss of body weight, %"
        WELFARE_SCORE = "welfare_score", "welfare score"

    class Reference(models.TextChoices):
        DAY_0 = "day_0", "weight of day 0"
        BEFORE_INDUCTION = "before_induction", "last weight before the induction"
        PEAK = "peak", "highest weight so far"
        BASELINE = "baseline", "mean before day 0"

    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="welfare_rules")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reference = models.CharField(
        max_length=16, choices=Reference.choices, default=Reference.DAY_0, help_text="Of a loss of weight."
    )
    threshold = NumericField(help_text="From this loss in %, or this score, on.")
    from_day = models.SmallIntegerField(
        null=True, blank=True, help_text="First study day on which it holds; empty: from the first."
    )
    to_day = models.SmallIntegerField(null=True, blank=True, help_text="Last study day; empty: to the last.")
    is_humane_endpoint = models.BooleanField("humane endpoint", default=False)
    action = models.CharField(max_length=250, help_text="What has to be done.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["experiment", "kind", "threshold"]
        constraints = [
            Check("welfare_rule_threshold", Q(threshold__gt=0), "It is above 0.", "threshold"),
            Check(
                "welfare_rule_days",
                Q(from_day=None) | Q(to_day=None) | Q(to_day__gte=models.F("from_day")),
                "The last day is not before the first.",
                "to_day",
            ),
            Check("welfare_rule_action_not_blank", ~Q(action=""), "Say what has to be done.", "action"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from {self.threshold.normalize():f}"


class Alert(ValidatedModel):
    """Something that somebody has to look at. It has an owner, and is resolved with what was done."""

    experiment_path = "experiment"
    hidden_while_masked = True
    stays_open = True  # a batch may be recalled after an experiment that used it was closed
    duty = Duty.RECORD
    fixed_once_made = ("experiment", "enrolment", "kind", "raised_at", "message", "rule", "observation", "procedure")
    asks_reason = False

    class Kind(models.TextChoices):
        WELFARE = "welfare"
        DEVIATION = "deviation"
        LIMIT = "limit", "outside of a limit"
        RECALL = "recall"
        LICENCE = "licence"

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="alerts")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, null=True, blank=True, related_name="alerts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    message = models.CharField(max_length=500)
    rule = models.ForeignKey(WelfareRule, models.PROTECT, null=True, blank=True, related_name="alerts")
    observation = models.ForeignKey(Observation, models.PROTECT, null=True, blank=True, related_name="alerts")
    procedure = models.ForeignKey(Procedure, models.PROTECT, null=True, blank=True, related_name="alerts")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="alerts")
    raised_at = models.DateTimeField(default=timezone.now, editable=False)
    mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    resolution = models.CharField(max_length=500, blank=True, editable=False)

    database_messages = {
        "alert_enrolment_same_experiment": ("enrolment", "The animal is enrolled in another experiment.")
    }

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            Check(
                "alert_resolved_whole",
                Q(state="open", resolved_at=None, resolved_by=None, resolution="")
                | Q(state="resolved", resolved_at__isnull=False, resolved_by__isnull=False) & ~Q(resolution=""),
                "An alert is resolved by somebody, with what was done.",
                "resolution",
            ),
            models.UniqueConstraint(
                fields=["enrolment", "rule"],
                condition=Q(state="open", rule__isnull=False),
                name="alert_open_once",
                violation_error_message="This alert is already open.",
            ),
            models.UniqueConstraint(
                fields=["experiment", "message"],
                condition=Q(kind="licence"),
                name="alert_licence_once",
                violation_error_message="This alert was already raised.",
            ),
        ]
        indexes = [models.Index(fields=["experiment"], condition=Q(state="open"), name="alert_open")]

    def __str__(self) -> str:
        return self.message


class Note(ValidatedModel):
    """A remark on something of the record, with the people whom it calls on."""

    experiment_path = ("experiment", "experiment__isnull", "@author")
    concealed_by = ("batch__uses__experiment", "lot__uses__experiment")
    hidden_while_masked = True  # its words may tell the arm
    duty = Duty.ASSESS
    fixed_once_made = ("experiment", "animal", "batch", "lot", "procedure", "text")
    asks_reason = False

    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, blank=True, related_name="notes")
    animal = models.ForeignKey(Animal, models.PROTECT, null=True, blank=True, related_name="notes")
    procedure = models.ForeignKey(Procedure, models.PROTECT, null=True, blank=True, related_name="notes")
    batch = models.ForeignKey(IsolationBatch, models.PROTECT, null=True, blank=True, related_name="notes")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="notes")
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="notes", editable=False)
    written_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-written_at"]
        constraints = [
            Check("note_text_not_blank", ~Q(text=""), "A note has words.", "text"),
            Check(
                "note_subject",
                Q(experiment__isnull=False)
                | Q(animal=None, procedure=None) & (Q(batch__isnull=False) | Q(lot__isnull=False)),
                "A note is on an experiment, an animal or procedure of it, a batch or a lot.",
                "experiment",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class NoteMention(ValidatedModel):
    """A person whom a note calls on, and when they have seen it."""

    experiment_path = ("note__experiment", "note__experiment__isnull", "@person")
    concealed_by = ("note__batch__uses__experiment", "note__lot__uses__experiment")
    hidden_while_masked = True
    duty = Duty.ASSESS
    fixed_once_made = ("note", "person")
    stays_open = True  # that somebody has seen it is no part of the record
    asks_reason = False

    note = models.ForeignKey(Note, models.PROTECT, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="mentions")
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    mailed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["note", "person"]
        constraints = [
            models.UniqueConstraint(
                fields=["note", "person"],
                name="note_mention_once",
                violation_error_message="The note already calls on this person.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} in “{self.note}”"
