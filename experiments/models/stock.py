"""What stands in the freezers: boxes, vials, and the ledger of every movement."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from experiments.models.products import Lot
from experiments.models.terms import TermField
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class StorageBox(ValidatedModel):
    """A box with numbered places, in a freezer or tank."""

    experiment_path = LAB_WIDE
    duty = Duty.RECORD
    is_deletable = True

    name = models.CharField(max_length=60, unique=True)
    location = models.CharField(max_length=120, help_text="Freezer or tank, rack.")
    rows = models.PositiveSmallIntegerField(default=9)
    columns = models.PositiveSmallIntegerField(default=9)

    class Meta:
        ordering = ["name"]
        verbose_name = "storage box"
        verbose_name_plural = "storage boxes"
        constraints = [
            Check("storage_box_name_not_blank", ~Q(name=""), "A box needs a name.", "name"),
            Check("storage_box_rows", Q(rows__gte=1, rows__lte=26), "A box has 1 to 26 rows.", "rows"),
            Check("storage_box_columns", Q(columns__gte=1, columns__lte=48), "A box has 1 to 48 columns.", "columns"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self._state.adding or self.rows is None or self.columns is None:
            return
        outside = self.vials.filter(Q(row__gt=self.rows) | Q(column__gt=self.columns)).order_by("row", "column").first()
        if outside:
            raise ValidationError(f"Vial {outside} stands at {outside.place}, outside of a box of this size.")


class Vial(ValidatedModel):
    """One container of a lot: a vial, a tube, a syringe.

    What is left is the sum of its movements: the database refuses at the end of a transaction that they differ.
    """

    experiment_path = LAB_WIDE
    concealed_by = "lot__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("lot", "amount")
    fixed_once_set = ("thawed_at",)
    reasonless = ("amount_left", "state", "box", "row", "column", "thawed_at")

    class State(models.TextChoices):
        STORED = "stored"
        THAWED = "thawed", "thawed or opened"
        USED = "used", "used up"
        DISCARDED = "discarded"

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="vials")
    code = models.CharField("vial", max_length=60, unique=True, help_text="As its barcode reads.")
    amount = NumericField(help_text="What it held at first, in the product's dose unit.")
    amount_left = NumericField(editable=False)
    volume_ul = NumericField("volume, µL", null=True, blank=True)
    cryoprotectant = TermField(vocabulary="cryoprotectant", blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STORED, editable=False)
    thawed_at = models.DateTimeField("thawed or opened at", null=True, blank=True, editable=False)
    post_thaw_viability_percent = NumericField("post-thaw viability, %", null=True, blank=True, editable=False)
    box = models.ForeignKey(StorageBox, models.PROTECT, null=True, blank=True, related_name="vials")
    row = models.PositiveSmallIntegerField(null=True, blank=True)
    column = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["lot", "code"]
        constraints = [
            Check("vial_code_not_blank", ~Q(code=""), "A vial needs a code.", "code"),
            Check("vial_amount", Q(amount__gt=0), "A vial holds more than nothing.", "amount"),
            Check(
                "vial_amount_left",
                Q(amount_left__gte=0),
                "There is not that much left in the vial.",
                "amount_left",
            ),
            Check(
                "vial_place_whole",
                Q(box=None, row=None, column=None) | Q(box__isnull=False, row__gte=1, column__gte=1),
                "A place is a box with row and column, each from 1.",
                "box",
            ),
            models.UniqueConstraint(
                fields=["box", "row", "column"],
                condition=Q(box__isnull=False),
                name="vial_place_once",
                violation_error_message="Another vial stands at this place.",
            ),
            Check(
                "vial_used_has_no_place",
                Q(state__in=["stored", "thawed"]) | Q(box=None),
                "A vial that is used up or discarded stands in no box.",
                "box",
            ),
            Check(
                "vial_thawed_at",
                Q(state="stored", thawed_at=None)
                | Q(state="discarded")
                | Q(state__in=["thawed", "used"], thawed_at__isnull=False),
                "A vial is thawed or opened once, and used after that.",
                "thawed_at",
            ),
            Check(
                "vial_thawed_after_frozen",
                Q(thawed_at=None) | Q(frozen_at=None) | Q(thawed_at__gt=F("frozen_at")),
                "A vial is thawed after it was frozen.",
                "thawed_at",
            ),
            Check(
                "vial_post_thaw_viability",
                Q(post_thaw_viability_percent=None)
                | Q(post_thaw_viability_percent__gte=0, post_thaw_viability_percent__lte=100),
                "A viability lies between 0 and 100 %.",
                "post_thaw_viability_percent",
            ),
            Check(
                "vial_used_is_empty",
                ~Q(state__in=["used", "discarded"]) | Q(amount_left=0),
                "A vial that is used up or discarded holds nothing.",
                "amount_left",
            ),
            Check(
                "vial_empty_is_used",
                ~Q(state__in=["stored", "thawed"]) | Q(amount_left__gt=0),
                "A vial that holds nothing is used up or discarded.",
                "amount_left",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def place(self) -> str:
        """Row as a letter, column as a number: ``C7``; empty where it stands in no box."""
        return f"{chr(64 + self.row)}{self.column}" if self.box_id and self.row else ""

    def clean(self) -> None:
        if self.box and self.row and self.column and (self.row > self.box.rows or self.column > self.box.columns):
            told = f"The box {self.box} has {self.box.rows} rows and {self.box.columns} columns."
            raise ValidationError({"row" if self.row > self.box.rows else "column": told})


class StockMovement(ValidatedModel):
    """One line of the ledger: what came into a vial or left it.

    The database lets nobody change or delete one; a wrong one is corrected by another.
    """

    experiment_path = ("experiment", "experiment__isnull")
    hidden_while_masked = True
    concealed_by = "vial__lot__uses__experiment"
    duty = Duty.RECORD
    asks_reason = False

    class Kind(models.TextChoices):
        MADE = "made"
        RECEIVED = "received"
        DISPENSED = "dispensed", "dispensed for a dose"
        CONSUMED = "consumed", "consumed in making another lot"
        DISCARDED = "discarded"
        MOVED_IN = "moved_in", "moved in from another vial"
        MOVED_OUT = "moved_out", "moved out into another vial"
        CORRECTED = "corrected", "corrected after counting"

    vial = models.ForeignKey(Vial, models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount = NumericField(help_text="In the product's dose unit; below 0 where it left.")
    moved_at = models.DateTimeField(default=timezone.now)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    experiment = models.ForeignKey(
        "experiments.Experiment", models.PROTECT, null=True, blank=True, related_name="stock_movements"
    )
    dose = models.ForeignKey("experiments.Dose", models.PROTECT, null=True, blank=True, related_name="movements")
    made_lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="consumption")
    counterpart = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["moved_at", "id"]
        constraints = [
            Check(
                "stock_movement_sign",
                Q(kind__in=["made", "received", "moved_in"], amount__gt=0)
                | Q(kind__in=["dispensed", "consumed", "discarded", "moved_out"], amount__lt=0)
                | Q(kind="corrected") & ~Q(amount=0),
                "What comes in is above 0, what leaves is below 0.",
                "amount",
            ),
            Check(
                "stock_movement_reason",
                ~Q(kind__in=["discarded", "corrected"]) | ~Q(reason=""),
                "Discarding and correcting need a reason.",
                "reason",
            ),
            Check(
                "stock_movement_dose",
                Q(kind="dispensed", dose__isnull=False, experiment__isnull=False)
                | ~Q(kind="dispensed") & Q(dose=None, experiment=None),
                "What is dispensed goes into a dose of an experiment, nothing else does.",
                "dose",
            ),
            Check(
                "stock_movement_made_lot",
                Q(kind="consumed", made_lot__isnull=False) | ~Q(kind="consumed") & Q(made_lot=None),
                "What is consumed goes into another lot, nothing else does.",
                "made_lot",
            ),
        ]
        indexes = [models.Index(fields=["vial", "moved_at"], name="stock_movement_of_vial")]

    def __str__(self) -> str:
        return f"{self.vial}: {self.get_kind_display()} {self.amount}"
