"""Counts as they were tallied under the microscope."""

from django.db import models
from django.db.models import Q

from assays.models.parts import PartOfRun
from labdb.base.constraints import Check


class Tally(PartOfRun):
    """``count`` structures of one class on one section of one ovary, as a row of the sheet says."""

    animal_name = models.CharField(max_length=60)
    side = models.CharField(max_length=5, choices=[("left", "left"), ("right", "right")])
    section = models.PositiveIntegerField()
    structure = models.CharField(max_length=60)
    count = models.PositiveIntegerField()
    source_line = models.PositiveIntegerField("row of the sheet")

    class Meta:
        ordering = ["run", "source_line"]
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "animal_name", "side", "section", "structure"],
                name="tally_once",
                violation_error_message="This structure was already counted on this section.",
            ),
            Check("tally_section", Q(section__gte=1), "Sections count from 1.", "section"),
        ]

    def __str__(self) -> str:
        return f"{self.animal_name} {self.side}, section {self.section}, {self.structure}: {self.count}"
