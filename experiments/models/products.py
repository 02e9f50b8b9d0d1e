"""What is given to animals: products, their lots, and what each lot was made from."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from experiments.models.batches import IsolationBatch, Passage
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Product(ValidatedModel):
    """A kind of thing that is given: a cell suspension, vesicles, a medium, a vehicle. A lot is what stands in the freezer."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    fixed_once_made = ("kind",)
    closed_with = ("lots__uses__experiment",)
    is_deletable = True

    class Kind(models.TextChoices):
        CELL_SUSPENSION = "cell_suspension"
        ENGINEERED_CELLS = "engineered_cells"
        VESICLES = "vesicles", "extracellular vesicles"
        CONDITIONED_MEDIUM = "conditioned_medium"
        VEHICLE = "vehicle", "vehicle or sham"
        HORMONE = "hormone", "hormone replacement"
        OTHER = "other"

    class Unit(models.TextChoices):
        VIABLE_CELLS = "viable cells"
        PARTICLES = "particles"
        UG_PROTEIN = "µg protein"
        ML = "mL"
        MG = "mg"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    dose_unit = models.CharField(max_length=14, choices=Unit.choices, help_text="In which its doses are counted.")
    tissue_source = TermField(vocabulary="tissue_source", blank=True)
    cell_type = TermField(vocabulary="cell_type", blank=True)
    species = TermField(vocabulary="species", blank=True, help_text="Of the cells, or of those that it comes from.")
    strain = models.ForeignKey("experiments.Strain", models.PROTECT, null=True, blank=True, related_name="+")
    carrier = models.CharField(
        max_length=120, blank=True, help_text="Scaffold or gel in which it is given: collagen, hyaluronan, GelMA …"
    )
    supplier = models.CharField(max_length=120, blank=True)
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            Check("product_name_not_blank", ~Q(name=""), "A product needs a name.", "name"),
            Check(
                "product_dose_unit",
                ~Q(kind__in=("cell_suspension", "engineered_cells")) & ~Q(dose_unit="viable cells")
                | Q(kind__in=("cell_suspension", "engineered_cells"), dose_unit="viable cells"),
                "Cells are counted as viable cells, nothing else is.",
                "dose_unit",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Lot(ValidatedModel):
    """A product as it was made or bought at once. Nothing of it is dispensed before its release or after its expiry."""

    experiment_path = LAB_WIDE
    concealed_by = "uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("product",)
    fixed_once_set = ("passage",)
    closed_with = ("uses__experiment",)
    open_fields = ("expires_on", "note")
    is_deletable = True

    code = models.CharField("lot", max_length=60, unique=True)
    product = models.ForeignKey(Product, models.PROTECT, related_name="lots")
    passage = models.ForeignKey(
        Passage,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="lots",
        help_text="Of a cell suspension: what was harvested.",
    )
    made_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    supplier_lot = models.CharField(max_length=60, blank=True)
    # conditioned medium
    source_cells = NumericField(null=True, blank=True, help_text="Cells that it was collected from.")
    conditioning_h = NumericField("conditioned for, h", null=True, blank=True)
    collected_ml = NumericField(null=True, blank=True)
    concentration_fold = NumericField("concentrated, fold", null=True, blank=True)
    is_serum_free = models.BooleanField(null=True, blank=True)
    # engineered cells
    gene = models.CharField(max_length=60, blank=True)
    vector = models.CharField(max_length=60, blank=True)
    moi = NumericField("MOI", null=True, blank=True)
    positive_percent = NumericField("positive, %", null=True, blank=True)
    vector_copies_per_cell = NumericField(null=True, blank=True)
    # in a carrier
    carrier_volume_ul = NumericField(null=True, blank=True)
    cells_per_ml = NumericField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            Check("lot_code_not_blank", ~Q(code=""), "A lot needs a code.", "code"),
            Check(
                "lot_expires_after_made",
                Q(expires_on=None) | Q(expires_on__gte=F("made_on")),
                "A lot does not expire before it was made.",
                "expires_on",
            ),
            Check(
                "lot_positive_percent",
                Q(positive_percent=None) | Q(positive_percent__gte=0, positive_percent__lte=100),
                "A percentage lies between 0 and 100.",
                "positive_percent",
            ),
            *(
                Check(f"lot_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("source_cells", "conditioning_h", "collected_ml", "concentration_fold", "moi")
                + ("vector_copies_per_cell", "carrier_volume_ul", "cells_per_ml")
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.passage and self.passage.harvested_at is None:
            raise ValidationError({"passage": "This passage is not harvested yet."})
        consent = self.passage.batch.tissue_sample.consent if self.passage else None
        if consent and consent.withdrawn_at and self._state.adding:
            raise ValidationError({"passage": f"The donor's consent was withdrawn on {consent.withdrawn_at:%Y-%m-%d}."})


class LotSource(ValidatedModel):
    """That ``lot`` was made from another lot or a passage: vesicles from a medium, a gel from cells."""

    experiment_path = LAB_WIDE
    concealed_by = (
        "lot__uses__experiment",
        "source_lot__uses__experiment",
        "source_passage__batch__uses__experiment",
    )
    duty = Duty.RECORD
    fixed_once_made = ("lot", "source_lot", "source_passage")
    is_deletable = True
    database_messages = {
        "lot_source_no_circle": ("source_lot", "This source was itself made from the lot."),
        "lot_source_kept": ("lot", "The lot was given, or the ledger tells this source: it stays."),
    }

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="sources")
    source_lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="derived")
    source_passage = models.ForeignKey(Passage, models.PROTECT, null=True, blank=True, related_name="derived")
    amount = NumericField(null=True, blank=True, help_text="How much of it was used, in its dose unit or in cells.")

    class Meta:
        ordering = ["lot", "id"]
        constraints = [
            Check(
                "lot_source_one",
                Q(source_lot=None, source_passage__isnull=False) | Q(source_lot__isnull=False, source_passage=None),
                "A source is one lot or one passage.",
                "source_lot",
            ),
            Check("lot_source_not_itself", ~Q(source_lot=F("lot")), "A lot is not made from itself.", "source_lot"),
            models.UniqueConstraint(
                fields=["lot", "source_lot", "source_passage"],
                name="lot_source_once",
                nulls_distinct=False,
                violation_error_message="This source is already named.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} from {self.source_lot or self.source_passage}"

    def is_draft(self) -> bool:
        """Until something of the lot was given, or a vial was consumed in making it."""
        return not (self.lot.uses.exists() or self.lot.consumption.filter(vial__lot=self.source_lot_id).exists())


class VesicleCharacterisation(ValidatedModel):
    """What MISEV asks to be told of extracellular vesicles (Welsh et al., J Extracell Vesicles 2024;13:e12404)."""

    experiment_path = LAB_WIDE
    concealed_by = "lot__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("lot",)

    lot = models.OneToOneField(Lot, models.PROTECT, related_name="vesicles")
    source_cells = NumericField(null=True, blank=True)
    source_ml = NumericField("source volume, mL", null=True, blank=True)
    particles_per_ml = NumericField(null=True, blank=True)
    protein_ug_per_ml = NumericField("protein, µg/mL", null=True, blank=True)
    lipid_ug_per_ml = NumericField("lipid, µg/mL", null=True, blank=True)
    transmembrane_markers = models.CharField(max_length=120, help_text="At least one found, e.g. CD63, CD81.")
    cytosolic_markers = models.CharField(max_length=120, help_text="At least one found, e.g. TSG101, ALIX.")
    contaminant_marker = models.CharField(max_length=120, help_text="What was looked for and not found, e.g. calnexin.")
    imaging_method = models.CharField(max_length=60, help_text="e.g. TEM.")
    single_particle_method = models.CharField(max_length=60, help_text="e.g. NTA.")
    mode_diameter_nm = NumericField(null=True, blank=True)

    class Meta:
        ordering = ["lot"]
        verbose_name = "vesicle characterisation"
        constraints = [
            Check(
                "vesicles_two_amounts",
                Q(particles_per_ml__isnull=False, protein_ug_per_ml__isnull=False)
                | Q(particles_per_ml__isnull=False, lipid_ug_per_ml__isnull=False)
                | Q(protein_ug_per_ml__isnull=False, lipid_ug_per_ml__isnull=False),
                "Give at least two of particles, protein and lipid.",
                "particles_per_ml",
            ),
            *(
                Check(f"vesicles_{name}", Q(**{name: None}) | Q(**{f"{name}__gt": 0}), "It is above 0.", name)
                for name in ("source_cells", "source_ml", "particles_per_ml", "protein_ug_per_ml", "lipid_ug_per_ml")
                + ("mode_diameter_nm",)
            ),
        ]

    def __str__(self) -> str:
        return f"vesicles of {self.lot}"

    def clean(self) -> None:
        if self.lot_id and self.lot.product.kind != Product.Kind.VESICLES:
            raise ValidationError({"lot": f"This lot is of {self.lot.product.get_kind_display()}, not of vesicles."})


class StockUse(ValidatedModel):
    """That an experiment used a lot or a batch, be it through what was made from it.

    The database writes it as soon as something is dispensed for a dose, and when it is told later what a lot was made
    from. Who is masked in the experiment does not see the lot and the batch, nor what hangs on them (``concealed_by``).
    """

    experiment_path = "experiment"
    hidden_while_masked = True
    asks_reason = False

    experiment = models.ForeignKey("experiments.Experiment", models.PROTECT, related_name="stock_uses")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="uses")
    batch = models.ForeignKey(IsolationBatch, models.PROTECT, null=True, blank=True, related_name="uses")

    class Meta:
        ordering = ["experiment", "id"]
        constraints = [
            Check(
                "stock_use_one",
                Q(lot=None, batch__isnull=False) | Q(lot__isnull=False, batch=None),
                "A use is of one lot or one batch.",
            ),
            models.UniqueConstraint(
                fields=["experiment", "lot", "batch"],
                name="stock_use_once",
                nulls_distinct=False,
                violation_error_message="This use is already recorded.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot or self.batch} in {self.experiment}"
