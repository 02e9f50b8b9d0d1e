"""What befalls animals and needs several fields that depend on each other; what is a value is published as an observation."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from experiments.models.animals import Animal, Enrolment, Litter
from experiments.models.terms import TermField, words_of
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class FertilityTrial(ValidatedModel):
    """One pairing of a female with a male and what came of it. Not mated is not infertile; not pregnant has no litter size."""

    experiment_path = "enrolment__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("enrolment",)

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="fertility_trials")
    male = models.ForeignKey(Animal, models.PROTECT, null=True, blank=True, related_name="sired_trials")
    male_label = models.CharField(max_length=60, blank=True, help_text="Where the male is no animal of the record.")
    paired_on = models.DateField()
    separated_on = models.DateField(null=True, blank=True)
    plug_on = models.DateField("plug seen on", null=True, blank=True)
    is_mated = models.BooleanField("mated", null=True, blank=True, help_text="Empty where it is unknown.")
    is_pregnant = models.BooleanField("pregnant", null=True, blank=True, help_text="Empty where it is unknown.")
    corpora_lutea = models.PositiveSmallIntegerField(null=True, blank=True)
    implantations = models.PositiveSmallIntegerField(null=True, blank=True)
    live_fetuses = models.PositiveSmallIntegerField(null=True, blank=True)
    dead_fetuses = models.PositiveSmallIntegerField(null=True, blank=True)
    resorptions = models.PositiveSmallIntegerField(null=True, blank=True)
    born_on = models.DateField(null=True, blank=True)
    pups_total = models.PositiveSmallIntegerField(null=True, blank=True)
    pups_male = models.PositiveSmallIntegerField(null=True, blank=True)
    pups_female = models.PositiveSmallIntegerField(null=True, blank=True)
    pups_alive = models.PositiveSmallIntegerField(null=True, blank=True)
    litter = models.OneToOneField(Litter, models.PROTECT, null=True, blank=True, related_name="trial")
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["enrolment", "paired_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "paired_on"],
                name="fertility_trial_once",
                violation_error_message="A trial of this female that began on this day is already recorded.",
            ),
            Check(
                "fertility_trial_separated",
                Q(separated_on=None) | Q(separated_on__gte=F("paired_on")),
                "They are separated after they were paired.",
                "separated_on",
            ),
            Check(
                "fertility_trial_plug",
                Q(plug_on=None) | Q(plug_on__gte=F("paired_on")),
                "A plug is seen after pairing.",
                "plug_on",
            ),
            Check(
                "fertility_trial_plug_mated",
                Q(plug_on=None) | Q(is_mated=True),
                "Who has a plug was mated.",
                "is_mated",
            ),
            Check(
                "fertility_trial_born",
                Q(born_on=None) | Q(born_on__gt=F("paired_on")),
                "Pups are born after pairing.",
                "born_on",
            ),
            Check(
                "fertility_trial_pregnant_mated",
                ~Q(is_pregnant=True) | Q(is_mated=None) | Q(is_mated=True),
                "Who is pregnant was mated.",
                "is_mated",
            ),
            Check(
                "fertility_trial_litter_of_pregnant",
                Q(is_pregnant=True)
                | Q(pups_total=None, pups_male=None, pups_female=None, pups_alive=None, born_on=None, litter=None),
                "Only who was pregnant has a litter.",
                "is_pregnant",
            ),
            Check(
                "fertility_trial_implantations",
                Q(implantations=None) | Q(corpora_lutea=None) | Q(implantations__lte=F("corpora_lutea")),
                "There are no more implantations than corpora lutea.",
                "implantations",
            ),
            Check(
                "fertility_trial_fetuses",
                Q(implantations=None)
                | Q(live_fetuses=None)
                | Q(dead_fetuses=None)
                | Q(resorptions=None)
                | Q(implantations__gte=F("live_fetuses") + F("dead_fetuses") + F("resorptions")),
                "Live, dead and resorbed fetuses are no more than the implantations.",
                "implantations",
            ),
            Check(
                "fertility_trial_pups",
                Q(pups_total=None)
                | Q(pups_male=None)
                | Q(pups_female=None)
                | Q(pups_total=F("pups_male") + F("pups_female")),
                "Males and females add up to the pups.",
                "pups_total",
            ),
            Check(
                "fertility_trial_pups_alive",
                Q(pups_alive=None) | Q(pups_total__isnull=False, pups_alive__lte=F("pups_total")),
                "There are no more pups alive than pups.",
                "pups_alive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment.animal}, paired on {self.paired_on}"

    def clean(self) -> None:
        if self.enrolment_id and self.enrolment.animal.sex == Animal.Sex.MALE:
            raise ValidationError({"enrolment": "A fertility trial is of a female."})
        if self.male and self.male.sex == Animal.Sex.FEMALE:
            raise ValidationError({"male": "This animal is a female."})


class AdverseEvent(ValidatedModel):
    """Something untoward that happened to an animal, whether or not the treatment caused it."""

    experiment_path = "enrolment__experiment"
    hidden_while_masked = True
    duty = Duty.RECORD
    fixed_once_made = ("enrolment",)

    class Severity(models.TextChoices):
        MILD = "mild"
        MODERATE = "moderate"
        SEVERE = "severe"
        FATAL = "fatal"

    class Relation(models.TextChoices):
        UNRELATED = "unrelated"
        POSSIBLE = "possible"
        PROBABLE = "probable"
        UNKNOWN = "unknown"

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="adverse_events")
    kind = TermField(vocabulary="adverse_event")
    occurred_on = models.DateField()
    severity = models.CharField(max_length=8, choices=Severity.choices)
    relation = models.CharField(
        "related to the treatment", max_length=10, choices=Relation.choices, default=Relation.UNKNOWN
    )
    description = models.CharField(max_length=500)
    action_taken = models.CharField(max_length=250, blank=True)
    resolved_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["enrolment", "occurred_on"]
        constraints = [
            Check("adverse_event_description_not_blank", ~Q(description=""), "Say what happened.", "description"),
            Check(
                "adverse_event_resolved",
                Q(resolved_on=None) | Q(resolved_on__gte=F("occurred_on")),
                "It is resolved after it occurred.",
                "resolved_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{words_of(self, 'kind')} of {self.enrolment.animal} on {self.occurred_on}"


class Tumour(ValidatedModel):
    """A tumour that was looked for and found."""

    experiment_path = "enrolment__experiment"
    hidden_while_masked = True
    duty = Duty.RECORD
    fixed_once_made = ("enrolment",)

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="tumours")
    organ = TermField(vocabulary="organ")
    found_on = models.DateField()
    size_mm = NumericField("size, mm", null=True, blank=True)
    histology = models.CharField(max_length=250, blank=True)
    is_of_donor_cells = models.BooleanField(
        "of the given cells", null=True, blank=True, help_text="Empty where it was not tested."
    )

    class Meta:
        ordering = ["enrolment", "found_on"]
        constraints = [Check("tumour_size_mm", Q(size_mm=None) | Q(size_mm__gt=0), "It is above 0.", "size_mm")]

    def __str__(self) -> str:
        return f"{words_of(self, 'organ')} of {self.enrolment.animal}"
