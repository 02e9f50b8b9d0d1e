"""What was computed: per well, per sample, and what was published of it."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from assays.models.curves import Curve
from assays.models.parts import PartOfRun, finite, one_of
from assays.models.plates import Role, Well
from experiments.models import Animal, Endpoint, Observation, Specimen
from labdb.base.constraints import Check
from labdb.base.fields import NumericField

QUALIFIERS = [("=", "="), ("<", "<"), (">", ">")]
QUALIFIED = Check(
    "assay_result_value",
    Q(qualifier="=", value__isnull=False, limit__isnull=True)
    | Q(qualifier__in=["<", ">"], value__isnull=True, limit__isnull=False)
    | Q(qualifier="", value__isnull=True, limit__isnull=True),
    "A result is a value, or a qualifier < or > with its limit, or nothing with a flag that says why.",
    "value",
)


class WellResult(PartOfRun):
    """A well read from its curve, before dilution; a standard read back carries its recovery.

    ``response`` is what remains of the reading after reference and blank, ``concentration`` what the curve gives, also
    outside the standards: ``qualifier`` says on which side. Computed anew whenever the run is quantified.
    """

    well = models.ForeignKey(Well, models.PROTECT, related_name="results")
    curve = models.ForeignKey(Curve, models.PROTECT, related_name="well_results")
    role = models.CharField(max_length=8, choices=Role.choices)
    sample = models.CharField(max_length=120, blank=True)
    group = models.CharField(max_length=120, blank=True)
    response = models.FloatField(null=True, blank=True)
    nominal_concentration = NumericField(null=True, blank=True)
    concentration = models.FloatField(null=True, blank=True)
    standard_error = models.FloatField(null=True, blank=True)
    recovery_percent = models.FloatField(null=True, blank=True)
    qualifier = models.CharField(max_length=1, choices=QUALIFIERS, blank=True)
    is_used = models.BooleanField(help_text="Entered the curve (standards) or a mean (others).")
    flags = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["well"]
        constraints = [
            models.UniqueConstraint(
                fields=["well", "role", "group", "sample"],
                name="well_result_once",
                violation_error_message="The well was already evaluated as this.",
            ),
            *(
                finite("well_result", name)
                for name in ("response", "concentration", "standard_error", "recovery_percent")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.well}: {self.response}"


class Result(PartOfRun):
    """What a run says of one sample at one dilution, or of one animal's tallies; dilution is applied, once.

    ``value`` or ``limit`` stand in ``unit``. An excluded result stays and is not published.
    """

    position = models.PositiveIntegerField()
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.SAMPLE)
    sample = models.CharField(max_length=120)
    group = models.CharField(max_length=120, blank=True)
    specimen = models.ForeignKey(Specimen, models.PROTECT, null=True, blank=True, related_name="+")
    animal = models.ForeignKey(Animal, models.PROTECT, null=True, blank=True, related_name="+")
    places = models.CharField(max_length=500, blank=True, help_text="Plate and wells, or rows of the sheet.")
    n_wells = models.PositiveIntegerField("wells or rows")
    n_used = models.PositiveIntegerField("of these used")
    mean_response = models.FloatField(null=True, blank=True)
    dilution_factor = NumericField(default=1)
    qualifier = models.CharField(max_length=1, choices=QUALIFIERS, blank=True)
    value = NumericField(null=True, blank=True)
    limit = NumericField(null=True, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    standard_error = models.FloatField(null=True, blank=True)
    sd = models.FloatField("SD", null=True, blank=True)
    cv_percent = models.FloatField("CV, %", null=True, blank=True)
    flags = models.CharField(max_length=200, blank=True)
    is_excluded = models.BooleanField(default=False)
    excluded_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "position"],
                name="assay_result_once",
                violation_error_message="The run already has a result in this position.",
            ),
            QUALIFIED,
            one_of("assay_result_qualifier", "qualifier", ["=", "<", ">", ""], "Unknown qualifier."),
            Check("assay_result_used", Q(n_used__lte=models.F("n_wells")), "More wells used than there are.", "n_used"),
            Check(
                "assay_result_excluded_reason",
                Q(is_excluded=False, excluded_reason="") | (Q(is_excluded=True) & ~Q(excluded_reason="")),
                "An excluded result has a reason.",
                "excluded_reason",
            ),
            *(finite("assay_result", name) for name in ("mean_response", "standard_error", "sd", "cv_percent")),
        ]

    def __str__(self) -> str:
        return f"{self.sample}: {self.shown_value}"

    @property
    def number(self) -> Decimal | None:
        """The value, or the limit of a qualified result."""
        return self.value if self.qualifier == "=" else self.limit

    @property
    def shown_value(self) -> str:
        if self.number is None:
            return "no result"
        sign = "" if self.qualifier == "=" else self.qualifier
        digits = f"{float(self.number):.4g}" if abs(self.number) < 10_000 else f"{self.number:.0f}"
        return f"{sign}{digits} {self.unit}".strip()


class Publication(PartOfRun):
    """Which observation a result became. Written once, when an accepted run is published."""

    database_messages = {
        **PartOfRun.database_messages,
        "assay_publication_of_accepted": ("run", "Only an accepted run is published."),
        "assay_publication_fixed": ("result", "What was published stays; correct the observation instead."),
    }

    result = models.OneToOneField(Result, models.PROTECT, related_name="publication")
    observation = models.OneToOneField(Observation, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["run", "result"]

    def __str__(self) -> str:
        return f"{self.result} as observation"
