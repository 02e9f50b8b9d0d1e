"""Imports of a laboratory's own sheets: the reusable mapping, the run, and every row with its problems."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from experiments.models.files import SourceFile
from experiments.models.jobs import Job
from experiments.sheets.tallies import TallySheetTemplate
from experiments.sheets.template import AnimalSheetTemplate
from experiments.sheets.template_json import TemplateRefused
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

KINDS: dict[str, type[AnimalSheetTemplate] | type[TallySheetTemplate]] = {
    "animals": AnimalSheetTemplate,
    "tallies": TallySheetTemplate,
}


class ImportTemplate(ValidatedModel):
    """Which column of a sheet holds what, chosen by a user and kept for the next file."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40, default="animals", help_text="Which importer reads it.")
    mapping = models.JSONField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.kind not in KINDS:
            raise ValidationError({"kind": f"“{self.kind}” is no kind of sheet; expected {' or '.join(KINDS)}."})
        try:
            KINDS[self.kind].from_json(self.mapping)
        except TemplateRefused as refusal:
            raise ValidationError({"mapping": refusal.faults}) from None


class ImportRun(ValidatedModel):
    """One file read through a template, or as a record table whose columns are named by a model's fields.

    Nothing is written to the record before a person takes the rows. Which rows an import wrote is told by the trail.
    """

    experiment_path = ("source_file__experiment", "@source_file__uploaded_by")
    duty = Duty.ASSESS  # a table of observations is for who records them; what else a file writes asks for more
    hidden_while_masked = True
    asks_reason = False

    class State(models.TextChoices):
        CHECKING = "checking"
        CHECKED = "checked"
        TAKING = "taking"
        TAKEN = "taken"
        DISCARDED = "discarded"
        UNDONE = "undone"

    source_file = models.ForeignKey(SourceFile, models.PROTECT, related_name="import_runs")
    template = models.ForeignKey(ImportTemplate, models.PROTECT, null=True, blank=True, related_name="runs")
    table = models.CharField(max_length=40, blank=True, help_text="The type of record, where a row of the file is one.")
    mapping = models.JSONField(help_text="The template's mapping when the run began, or how the table was written.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKING)
    problems = models.JSONField(default=list, blank=True, help_text="What is wrong with the file as a whole.")
    valid_rows_only = models.BooleanField(default=False)
    job = models.ForeignKey(Job, models.PROTECT, null=True, blank=True, related_name="+")
    counts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            Check(
                "import_run_template_or_table",
                Q(table="", template__isnull=False) | (Q(template__isnull=True) & ~Q(table="")),
                "A file is read through a template or as a table of records: name one of them.",
                "template",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_file} {f'as {self.table}' if self.table else f'through {self.template}'}"


class ImportRow(ValidatedModel):
    """A row of the file as it came, with everything that is wrong with it."""

    experiment_path = ("run__source_file__experiment", "@run__source_file__uploaded_by")
    duty = Duty.RECORD
    hidden_while_masked = True
    asks_reason = False

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows")
    sheet = models.CharField(max_length=120)
    row_number = models.PositiveIntegerField()
    cells = models.JSONField()
    problems = models.JSONField(default=list, blank=True)
    is_valid = models.BooleanField()

    class Meta:
        ordering = ["run", "sheet", "row_number"]
        constraints = [models.UniqueConstraint(fields=["run", "sheet", "row_number"], name="import_row_once")]

    def __str__(self) -> str:
        return f"{self.sheet} row {self.row_number}"
