"""Who cells come from, what they agreed to, and the tissue that was taken."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Donor(ValidatedModel):
    """A person or animal whose tissue is used, under a pseudonym: never a name."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    is_deletable = True

    class Sex(models.TextChoices):
        FEMALE = "F", "female"
        MALE = "M", "male"
        UNKNOWN = "U", "unknown"

    class Serology(models.TextChoices):
        NOT_TESTED = "not_tested"
        NEGATIVE = "negative", "negative for all that was tested"
        POSITIVE = "positive", "positive for at least one"

    class Delivery(models.TextChoices):
        VAGINAL = "vaginal"
        CAESAREAN = "caesarean"

    code = models.CharField("pseudonym", max_length=60, unique=True)
    species = TermField(vocabulary="species", default="human")
    strain = models.ForeignKey("experiments.Strain", models.PROTECT, null=True, blank=True, related_name="donors")
    sex = models.CharField(max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    age_years = NumericField(null=True, blank=True)
    gestational_weeks = NumericField(null=True, blank=True, help_text="Of perinatal tissue.")
    delivery = models.CharField(max_length=10, choices=Delivery.choices, blank=True)
    menstrual_cycle_day = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of menstrual blood or endometrium."
    )
    serology = models.CharField(
        "infection serology", max_length=10, choices=Serology.choices, default=Serology.NOT_TESTED
    )
    serology_detail = models.CharField(max_length=250, blank=True, help_text="Which tests, with their dates.")

    class Meta:
        ordering = ["code"]
        constraints = [
            Check("donor_code_not_blank", ~Q(code=""), "A donor needs a pseudonym.", "code"),
            Check("donor_age", Q(age_years=None) | Q(age_years__gte=0), "An age is not negative.", "age_years"),
            Check(
                "donor_gestational_weeks",
                Q(gestational_weeks=None) | Q(gestational_weeks__gt=0, gestational_weeks__lt=46),
                "Gestation takes more than 0 and less than 46 weeks.",
                "gestational_weeks",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Consent(ValidatedModel):
    """What a donor agreed to. A consent that is withdrawn bars every new use of the cells; what was done stays recorded."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    fixed_once_made = ("donor", "code", "version")
    fixed_once_set = ("withdrawn_at",)

    donor = models.ForeignKey(Donor, models.PROTECT, related_name="consents")
    code = models.CharField("consent id", max_length=60)
    version = models.CharField(max_length=30, help_text="Of the form that was signed.")
    scope = models.CharField(max_length=250, help_text="What the cells may be used for.")
    ethics_number = models.CharField(max_length=60, blank=True)
    given_on = models.DateField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawal_note = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        ordering = ["donor", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"],
                name="consent_once",
                violation_error_message="This version of the consent is already recorded.",
            ),
            Check("consent_code_not_blank", ~Q(code=""), "A consent needs an id.", "code"),
        ]

    def __str__(self) -> str:
        return f"{self.code}, version {self.version}"


class TissueSample(ValidatedModel):
    """Tissue taken from a donor."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    fixed_once_made = ("donor",)
    is_deletable = True

    class PlacentalPart(models.TextChoices):
        FETAL = "fetal"
        MATERNAL = "maternal"

    donor = models.ForeignKey(Donor, models.PROTECT, related_name="tissue_samples")
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, blank=True, related_name="tissue_samples")
    code = models.CharField(max_length=60, unique=True)
    source = TermField(vocabulary="tissue_source")
    placental_part = models.CharField(max_length=8, choices=PlacentalPart.choices, blank=True)
    collected_at = models.DateTimeField(null=True, blank=True)
    amount_g = NumericField(null=True, blank=True)
    amount_ml = NumericField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            Check("tissue_sample_code_not_blank", ~Q(code=""), "A tissue sample needs a code.", "code"),
            Check(
                "tissue_sample_placental_part",
                ~Q(source="placenta", placental_part="") & (Q(source="placenta") | Q(placental_part="")),
                "Of a placenta say whether the fetal or the maternal part was used; of other tissue nothing.",
                "placental_part",
            ),
            Check("tissue_sample_amount_g", Q(amount_g=None) | Q(amount_g__gt=0), "A mass is above 0 g.", "amount_g"),
            Check(
                "tissue_sample_amount_ml",
                Q(amount_ml=None) | Q(amount_ml__gt=0),
                "A volume is above 0 mL.",
                "amount_ml",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.consent is None:
            return
        if self.donor_id and self.consent.donor_id != self.donor_id:
            raise ValidationError({"consent": "This consent was given by another donor."})
        if self.consent.withdrawn_at and self._state.adding:
            raise ValidationError({"consent": f"This consent was withdrawn on {self.consent.withdrawn_at:%Y-%m-%d}."})
