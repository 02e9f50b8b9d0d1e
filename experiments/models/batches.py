"""From tissue to cells: isolation batches, their passages and what was counted."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from experiments.models.donors import TissueSample
from experiments.models.files import SourceFile
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class IsolationBatch(ValidatedModel):
    """Cells isolated at once from one tissue sample, and all that was grown from them."""

    experiment_path = LAB_WIDE
    concealed_by = "uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("tissue_sample",)
    closed_with = ("uses__experiment",)
    open_fields = ("expires_on", "note")
    is_deletable = True

    code = models.CharField(max_length=60, unique=True)
    tissue_sample = models.ForeignKey(TissueSample, models.PROTECT, related_name="batches")
    cell_type = TermField(vocabulary="cell_type", default="msc")
    method = TermField(vocabulary="isolation_method")
    collagenase_mg_per_ml = NumericField(null=True, blank=True)
    digestion_min = NumericField(null=True, blank=True)
    medium = models.CharField(max_length=120, blank=True)
    supplement = TermField(vocabulary="serum_supplement", blank=True)
    supplement_percent = NumericField(null=True, blank=True)
    oxygen_percent = NumericField(null=True, blank=True)
    seeding_cells_per_cm2 = NumericField(null=True, blank=True)
    yield_cells = NumericField("yield", null=True, blank=True, help_text="Cells.")
    isolated_on = models.DateField("P0 date")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    expires_on = models.DateField(null=True, blank=True, help_text="Nothing of the batch is dispensed after this day.")
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = "isolation batch"
        verbose_name_plural = "isolation batches"
        constraints = [
            Check("isolation_batch_code_not_blank", ~Q(code=""), "A batch needs a code.", "code"),
            *(
                Check(f"isolation_batch_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("collagenase_mg_per_ml", "digestion_min", "seeding_cells_per_cm2")
            ),
            *(
                Check(
                    f"isolation_batch_{name}",
                    Q(**{name: None}) | Q(**{f"{name}__gte": 0, f"{name}__lte": 100}),
                    "A percentage lies between 0 and 100.",
                    name,
                )
                for name in ("supplement_percent", "oxygen_percent")
            ),
            Check(
                "isolation_batch_yield",
                Q(yield_cells=None) | Q(yield_cells__gte=0),
                "It is not negative.",
                "yield_cells",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        consent = self.tissue_sample.consent if self.tissue_sample_id else None
        if consent and consent.withdrawn_at and self._state.adding:
            raise ValidationError(
                {"tissue_sample": f"The donor's consent was withdrawn on {consent.withdrawn_at:%Y-%m-%d}."}
            )


class Passage(ValidatedModel):
    """One passage of a batch. Doublings and doubling time follow from what was seeded and harvested."""

    experiment_path = LAB_WIDE
    concealed_by = "batch__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("batch", "previous")
    is_deletable = True

    batch = models.ForeignKey(IsolationBatch, models.PROTECT, related_name="passages")
    number = models.PositiveSmallIntegerField(help_text="0 is the primary culture.")
    label = models.CharField(max_length=30, blank=True, help_text="Tells apart two flasks of one passage.")
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="following")
    seeded_at = models.DateTimeField()
    harvested_at = models.DateTimeField(null=True, blank=True)
    seeded_cells = NumericField("seeded, N0", null=True, blank=True, help_text="Cells.")
    harvested_cells = NumericField("harvested, Nt", null=True, blank=True, help_text="Cells, dead ones included.")
    viable_cells = NumericField(null=True, blank=True)
    viability_percent = NumericField("viability, %", null=True, blank=True)
    medium = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["batch", "number", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number", "label"],
                name="passage_once",
                violation_error_message="The batch already has this passage; a second flask needs a label of its own.",
            ),
            Check(
                "passage_harvested_after_seeded",
                Q(harvested_at=None) | Q(harvested_at__gt=F("seeded_at")),
                "A passage is harvested after it was seeded.",
                "harvested_at",
            ),
            Check(
                "passage_seeded_cells", Q(seeded_cells=None) | Q(seeded_cells__gt=0), "It is above 0.", "seeded_cells"
            ),
            Check(
                "passage_harvested_cells",
                Q(harvested_cells=None) | Q(harvested_cells__gte=0),
                "It is not negative.",
                "harvested_cells",
            ),
            Check(
                "passage_viable_cells",
                Q(viable_cells=None)
                | Q(viable_cells__gte=0) & (Q(harvested_cells=None) | Q(viable_cells__lte=F("harvested_cells"))),
                "There are no more viable cells than cells.",
                "viable_cells",
            ),
            Check(
                "passage_viability_percent",
                Q(viability_percent=None) | Q(viability_percent__gte=0, viability_percent__lte=100),
                "A viability lies between 0 and 100 %.",
                "viability_percent",
            ),
            Check(
                "passage_viability_agrees",
                Q(viability_percent=None)
                | Q(viable_cells=None)
                | Q(harvested_cells=None)
                | Q(harvested_cells=0)
                | Q(viable_cells__gte=(F("viability_percent") - 1) * F("harvested_cells") / 100)
                & Q(viable_cells__lte=(F("viability_percent") + 1) * F("harvested_cells") / 100),
                "The viability is viable by all cells, within 1 percentage point.",
                "viability_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} P{self.number}{f' {self.label}' if self.label else ''}"

    def clean(self) -> None:
        before = self.previous if self.previous_id else None
        if before is None:
            return
        if before.batch_id != self.batch_id:
            raise ValidationError({"previous": "The previous passage is of another batch."})
        if self.number is not None and before.number + 1 != self.number:
            raise ValidationError({"number": f"After passage {before.number} comes {before.number + 1}."})
        if self.seeded_at and before.harvested_at is None:
            raise ValidationError({"previous": "The previous passage is not harvested yet."})
        if self.seeded_at and before.harvested_at and self.seeded_at < before.harvested_at:
            raise ValidationError(
                {"seeded_at": f"The previous passage was harvested at {before.harvested_at.isoformat()}."}
            )


class CellCount(ValidatedModel):
    """What a counter or a chamber told of a passage."""

    experiment_path = LAB_WIDE
    concealed_by = "passage__batch__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("passage", "source_file", "source_place")

    passage = models.ForeignKey(Passage, models.PROTECT, related_name="counts")
    counted_at = models.DateTimeField(null=True, blank=True)
    instrument = models.CharField(max_length=60, blank=True)
    sample_name = models.CharField(max_length=120, blank=True, help_text="As the instrument's file names it.")
    total_cells_per_ml = NumericField(null=True, blank=True)
    viable_cells_per_ml = NumericField(null=True, blank=True)
    viability_percent = NumericField("viability, %", null=True, blank=True)
    volume_ml = NumericField(null=True, blank=True, help_text="Of the suspension that was counted.")
    dilution = NumericField(null=True, blank=True)
    mean_diameter_um = NumericField(null=True, blank=True)
    source_file = models.ForeignKey(SourceFile, models.PROTECT, null=True, blank=True, related_name="+")
    source_place = models.CharField(max_length=120, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["passage", "counted_at", "id"]
        constraints = [
            Check(
                "cell_count_total",
                Q(total_cells_per_ml=None) | Q(total_cells_per_ml__gte=0),
                "It is not negative.",
                "total_cells_per_ml",
            ),
            Check(
                "cell_count_viable",
                Q(viable_cells_per_ml=None)
                | Q(viable_cells_per_ml__gte=0)
                & (Q(total_cells_per_ml=None) | Q(viable_cells_per_ml__lte=F("total_cells_per_ml"))),
                "There are no more viable cells than cells.",
                "viable_cells_per_ml",
            ),
            Check(
                "cell_count_viability",
                Q(viability_percent=None) | Q(viability_percent__gte=0, viability_percent__lte=100),
                "A viability lies between 0 and 100 %.",
                "viability_percent",
            ),
            Check("cell_count_volume", Q(volume_ml=None) | Q(volume_ml__gt=0), "A volume is above 0 mL.", "volume_ml"),
        ]

    def __str__(self) -> str:
        return f"{self.passage}: {self.sample_name or self.instrument or 'count'}"
