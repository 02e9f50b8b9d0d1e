"""Stored outcome summaries, what makes them stale, and the reports made of them."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from experiments.models.jobs import Job
from experiments.models.observations import Endpoint
from experiments.models.studies import Arm, Experiment, Timepoint
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

SHOWN_WHILE_BLINDED = ("counts",)  # methods, pooled over the arms
ESTIMATE_NUMBERS = ("estimate", "lower", "upper", "level", "statistic", "df1", "df2", "p_value")


def _finite(name: str) -> Check:
    bounds = Q(**{f"{name}__gt": float("-inf"), f"{name}__lt": float("inf")})  # NaN sorts above infinity
    return Check(
        f"estimate_{name}_finite", Q(**{f"{name}__isnull": True}) | bounds, "This is not a finite number.", name
    )


class DataChange(models.Model):
    """Written by database triggers, whoever changed the data: this experiment's summaries may be stale.

    ``endpoint`` is empty where the design changed. Rows are only ever added and taken away, so that writers never wait
    for each other.
    """

    experiment = models.ForeignKey(Experiment, models.DO_NOTHING, related_name="+", db_constraint=False)
    endpoint = models.ForeignKey(
        Endpoint, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.experiment_id} at {self.changed_at}"


class OutcomeSummary(ValidatedModel):
    """The statistics of one endpoint of one experiment, keyed by the digest of its inputs."""

    experiment_path = "experiment"
    duty = Duty.ANALYSE
    stays_open = True
    asks_reason = False

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="summaries")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+")
    scale = models.CharField(max_length=10, choices=Endpoint.Scale.choices)
    inputs_sha256 = models.CharField("digest of inputs", max_length=64)
    methods = models.JSONField(help_text="Each statistic and the version of its method.")
    computed_at = models.DateTimeField()
    is_current = models.BooleanField(default=True)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["experiment", "endpoint", "-computed_at"]
        verbose_name_plural = "outcome summaries"
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "endpoint"],
                condition=Q(is_current=True),
                name="outcome_summary_current_once",
                violation_error_message="The endpoint already has a current summary.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.endpoint}"


class Estimate(ValidatedModel):
    """One computed quantity of a summary: at a timepoint, of an arm, or of an arm against its reference arm.

    A computation that was refused has no numbers and says why in ``refused``.
    """

    experiment_path = "summary__experiment"
    duty = Duty.ANALYSE
    stays_open = True
    shown_while_blinded = Q(arm=None, reference_arm=None, method_key__in=SHOWN_WHILE_BLINDED)
    asks_reason = False

    summary = models.ForeignKey(OutcomeSummary, models.CASCADE, related_name="estimates")
    timepoint = models.ForeignKey(Timepoint, models.PROTECT, null=True, related_name="+", db_index=False)
    arm = models.ForeignKey(Arm, models.PROTECT, null=True, related_name="+", db_index=False)
    reference_arm = models.ForeignKey(Arm, models.PROTECT, null=True, related_name="+", db_index=False)
    quantity = models.CharField(max_length=60)
    scale = models.CharField(max_length=10, choices=Endpoint.Scale.choices)
    estimate = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    level = models.FloatField(null=True)
    statistic = models.FloatField(null=True)
    df1 = models.FloatField(null=True)
    df2 = models.FloatField(null=True)
    p_value = models.FloatField(null=True)
    n_by_arm = models.JSONField(default=dict, help_text="Quantified experimental units of each arm that took part.")
    method_key = models.CharField(max_length=60)
    method_version = models.CharField(max_length=20)
    method = models.CharField(max_length=250)
    reference = models.CharField(max_length=300, blank=True, help_text="Source of the formula.")
    warnings = models.JSONField(default=list)
    refused = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["summary", "timepoint__study_day", "quantity", "arm__position"]
        constraints = [
            models.UniqueConstraint(
                fields=["summary", "timepoint", "arm", "reference_arm", "quantity"],
                nulls_distinct=False,
                name="estimate_once",
            ),
            Check(
                "estimate_or_refusal",
                Q(refused="", estimate__isnull=False)
                | Q(refused="", statistic__isnull=False)
                | (~Q(refused="") & Q(estimate__isnull=True, statistic__isnull=True)),
                "An estimate has a number, or is refused by name.",
                "estimate",
            ),
            *(_finite(name) for name in ESTIMATE_NUMBERS),
        ]

    def __str__(self) -> str:
        return f"{self.quantity}: {self.refused or self.estimate}"


class ReportSchedule(ValidatedModel):
    """When a report of an experiment is made by itself."""

    experiment_path = "experiment"
    duty = Duty.ANALYSE
    fixed_once_made = ("experiment",)
    stays_open = True
    asks_reason = False
    is_deletable = True

    class Cadence(models.TextChoices):
        DAILY = "daily"
        WEEKLY = "weekly"
        MONTHLY = "monthly"

    class Weekday(models.IntegerChoices):
        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="report_schedules")
    cadence = models.CharField(max_length=8, choices=Cadence.choices, default=Cadence.WEEKLY)
    weekday = models.SmallIntegerField(choices=Weekday.choices, null=True, blank=True, help_text="For weekly reports.")
    day_of_month = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 28, for monthly reports.")
    at_time = models.TimeField("time of day", help_text="Local time in the time zone below.")
    time_zone = models.CharField(max_length=60, default="UTC", help_text="e.g. Europe/Zurich")
    is_active = models.BooleanField(default=True)
    active_since = models.DateTimeField(default=timezone.now, editable=False, help_text="Due times before it are past.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True
    )

    class Meta:
        ordering = ["experiment", "cadence"]
        constraints = [
            Check(
                "report_schedule_weekday",
                ~Q(cadence="weekly") | Q(weekday__isnull=False, weekday__range=(0, 6)),
                "A weekly report needs its weekday.",
                "weekday",
            ),
            Check(
                "report_schedule_day_of_month",
                ~Q(cadence="monthly") | Q(day_of_month__isnull=False, day_of_month__range=(1, 28)),
                "A monthly report needs a day from 1 to 28.",
                "day_of_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment}, {self.get_cadence_display()}"

    def clean(self) -> None:
        from zoneinfo import available_timezones

        from django.core.exceptions import ValidationError

        if self.time_zone not in available_timezones():
            raise ValidationError({"time_zone": f"“{self.time_zone}” is not a time zone, e.g. Europe/Zurich."})


class Report(ValidatedModel):
    """A rendered report: a PDF kept by its SHA-256, with the digest of what it was made from."""

    experiment_path = "experiment"
    duty = Duty.ANALYSE
    stays_open = True
    asks_reason = False

    class Kind(models.TextChoices):
        OUTCOME = "outcome", "outcome report"

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.OUTCOME)
    schedule = models.ForeignKey(ReportSchedule, models.PROTECT, null=True, blank=True, related_name="reports")
    due_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")
    inputs_sha256 = models.CharField("digest of inputs", max_length=64, blank=True)
    sha256 = models.CharField("SHA-256 of the PDF", max_length=64, blank=True)
    rendered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "due_at"],
                name="report_once_per_due_time",
                violation_error_message="The report of this due time exists already.",
            ),
            Check(
                "report_due_of_schedule",
                Q(schedule__isnull=True, due_at__isnull=True) | Q(schedule__isnull=False, due_at__isnull=False),
                "A scheduled report has its due time, another has none.",
                "due_at",
            ),
            Check(
                "report_rendered_whole",
                Q(sha256="", rendered_at__isnull=True) | (~Q(sha256="") & Q(rendered_at__isnull=False)),
                "A rendered report has its file and time.",
                "sha256",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.experiment}"

    @property
    def path(self) -> Path:
        return Path(settings.LABDB_FILES_DIR) / self.sha256[:2] / self.sha256

    @property
    def file_name(self) -> str:
        return f"{self.experiment.code}-{self.kind}-{self.created_at:%Y-%m-%d}.pdf"
