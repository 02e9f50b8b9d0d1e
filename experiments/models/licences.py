"""The animal licences under which experiments are done."""

from django.db import models
from django.db.models import F, Q

from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Licence(ValidatedModel):
    """A licence or ethics approval: until when, for how many animals, up to which severity."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN
    is_deletable = True

    class Severity(models.TextChoices):
        NON_RECOVERY = "non_recovery"
        MILD = "mild"
        MODERATE = "moderate"
        SEVERE = "severe"

    number = models.CharField(max_length=60, unique=True)
    authority = models.CharField(max_length=120, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField()
    animals_allowed = models.PositiveIntegerField()
    severity = models.CharField("allowed severity", max_length=12, choices=Severity.choices)

    class Meta:
        ordering = ["number"]
        constraints = [
            Check("licence_number_not_blank", ~Q(number=""), "A licence needs a number.", "number"),
            Check(
                "licence_expires_after_start",
                Q(starts_on=None) | Q(expires_on__gt=F("starts_on")),
                "A licence expires after it began.",
                "expires_on",
            ),
        ]

    def __str__(self) -> str:
        return self.number
