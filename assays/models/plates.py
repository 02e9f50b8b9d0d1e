"""Plates as they were read: wells with their meaning, and every reading as the instrument printed it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from assays.models.parts import PartOfRun, one_of
from experiments.models import Specimen
from labdb.base.constraints import Check
from labdb.base.fields import NumericField


class Role(models.TextChoices):
    STANDARD = "standard"
    BLANK = "blank"
    CONTROL = "control"
    SAMPLE = "sample"
    UNUSED = "unused", "no meaning in the layout"


class Plate(PartOfRun):
    """One plate of a run; ``unit`` is that of its readings."""

    position = models.PositiveIntegerField()
    label = models.CharField(max_length=120)
    rows = models.PositiveSmallIntegerField()
    columns = models.PositiveSmallIntegerField()
    read_mode = models.CharField(max_length=60, blank=True)
    read_type = models.CharField(max_length=60, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    temperature_c = NumericField("temperature, °C", null=True, blank=True)
    read_at = models.CharField(max_length=60, blank=True, help_text="As the instrument printed it.")
    source_line = models.PositiveIntegerField()

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "label"], name="plate_label_once", violation_error_message="Two plates carry one name."
            ),
            models.UniqueConstraint(
                fields=["id", "run"], name="plate_with_run", violation_error_message="This plate exists already."
            ),
            Check("plate_rows", Q(rows__range=(1, 32)), "A plate has 1 to 32 rows.", "rows"),
            Check("plate_columns", Q(columns__range=(1, 48)), "A plate has 1 to 48 columns.", "columns"),
        ]

    def __str__(self) -> str:
        return self.label


class Well(PartOfRun):
    """One well: its place (row and column count from 1), what is in it, and whether a person masked it."""

    plate = models.ForeignKey(Plate, models.PROTECT, related_name="wells")
    name = models.CharField(max_length=4, help_text="e.g. A1")
    row = models.PositiveIntegerField()
    column = models.PositiveIntegerField()
    role = models.CharField(max_length=8, choices=Role.choices)
    sample = models.CharField(max_length=120, blank=True)
    group = models.CharField(max_length=120, blank=True)
    specimen = models.ForeignKey(Specimen, models.PROTECT, null=True, blank=True, related_name="+")
    nominal_concentration = NumericField(null=True, blank=True)
    nominal_unit = models.CharField(max_length=30, blank=True)
    dilution_factor = NumericField(default=1)
    is_masked = models.BooleanField(default=False, help_text="Left out of the evaluation by a person.")
    masked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    masked_at = models.DateTimeField(null=True, blank=True)
    masked_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["plate", "row", "column"]
        constraints = [
            models.UniqueConstraint(
                fields=["plate", "row", "column"],
                name="well_place_once",
                violation_error_message="The plate already has a well in this place.",
            ),
            Check("well_place", Q(row__gte=1, column__gte=1), "Rows and columns count from 1.", "row"),
            Check("well_dilution", Q(dilution_factor__gt=0), "A dilution factor is above 0.", "dilution_factor"),
            Check(
                "well_nominal",
                Q(nominal_concentration__isnull=True) | Q(nominal_concentration__gte=0),
                "A concentration is 0 or more.",
                "nominal_concentration",
            ),
            Check(
                "well_masked_whole",
                Q(is_masked=False, masked_by__isnull=True, masked_at__isnull=True, masked_reason="")
                | (Q(is_masked=True, masked_by__isnull=False, masked_at__isnull=False) & ~Q(masked_reason="")),
                "A masked well names who masked it, when and why.",
                "masked_reason",
            ),
            one_of("well_role", "role", Role.values, "Unknown role."),
        ]

    def __str__(self) -> str:
        return f"{self.plate} {self.name}"


class Reading(PartOfRun):
    """What the instrument printed for a well in one channel: a number, a flag, or both (a masked well keeps its number)."""

    well = models.ForeignKey(Well, models.PROTECT, related_name="readings")
    channel = models.CharField(max_length=60)
    wavelength_nm = NumericField("wavelength, nm", null=True, blank=True)
    is_reduced = models.BooleanField(default=False, help_text="Computed by the instrument's own software.")
    value = NumericField(null=True, blank=True, help_text="In the plate's unit, exactly as printed.")
    flag = models.CharField(max_length=20, blank=True)
    printed = models.CharField(max_length=60, blank=True, help_text="The text in the file.")
    source_line = models.PositiveIntegerField()

    class Meta:
        ordering = ["well", "channel"]
        constraints = [
            models.UniqueConstraint(
                fields=["well", "channel"],
                name="reading_once",
                violation_error_message="The well was already read in this channel.",
            ),
            Check(
                "reading_value_or_flag",
                Q(value__isnull=False) | ~Q(flag=""),
                "A reading has a number, or a flag that says why not.",
                "value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.well}, {self.channel}: {self.printed}"
