"""Whether cells are what they are said to be and safe to give: identity, safety, release and recall."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from experiments.models.batches import IsolationBatch, Passage
from experiments.models.products import Lot
from experiments.rules import identity
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.fields import NumericField
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

RULE_SETS = {f"{key} {version}": rules for (key, version), rules in identity.RULE_SETS.items()}
FINDINGS = {"plastic_adherent": "plastic_adherence"} | {
    name: name for name in ("osteogenic", "adipogenic", "chondrogenic")
}
YES_NO = [("yes", "yes"), ("no", "no"), ("not_tested", "not tested")]


class IdentityTest(ValidatedModel):
    """What was tested of the cells' identity. The verdict follows from it and from a versioned set of rules."""

    experiment_path = LAB_WIDE
    concealed_by = "batch__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("batch", "passage")

    batch = models.ForeignKey(IsolationBatch, models.PROTECT, related_name="identity_tests")
    passage = models.ForeignKey(Passage, models.PROTECT, null=True, blank=True, related_name="identity_tests")
    tested_on = models.DateField()
    rule_set = models.CharField(max_length=40, help_text="Whose criteria the verdict follows, with their version.")
    plastic_adherent = models.CharField(max_length=10, choices=YES_NO, default="not_tested")
    osteogenic = models.CharField(max_length=10, choices=YES_NO, default="not_tested")
    adipogenic = models.CharField(max_length=10, choices=YES_NO, default="not_tested")
    chondrogenic = models.CharField(max_length=10, choices=YES_NO, default="not_tested")
    note = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["batch", "-tested_on"]

    def __str__(self) -> str:
        return f"identity of {self.passage or self.batch}, {self.tested_on}"

    def clean(self) -> None:
        if self.rule_set not in RULE_SETS:
            told = f"“{self.rule_set}” is no rule set; expected one of: {', '.join(sorted(RULE_SETS))}."
            raise ValidationError({"rule_set": told})

    def verdict(self) -> identity.Verdict:
        """What the test's own rule set, in its version, says of the markers and findings as they are now.

        Raises:
            ValidationError: a rule set that was recorded before sets were named.
        """
        self.clean()
        findings = {FINDINGS[name]: getattr(self, name).replace("_", " ") for name in FINDINGS}
        markers = [row.as_read() for row in self.markers.all()]
        return identity.assess(markers, findings, RULE_SETS[self.rule_set])


class MarkerResult(ValidatedModel):
    """One surface marker of an identity test, as it was reported: a qualifier is never cast to a number."""

    experiment_path = LAB_WIDE
    concealed_by = "identity_test__batch__uses__experiment"
    duty = Duty.RECORD
    fixed_once_made = ("identity_test",)

    class Qualifier(models.TextChoices):
        EQUAL = "=", "="
        ABOVE = ">", ">"
        AT_LEAST = ">=", "≥"
        BELOW = "<", "<"
        AT_MOST = "<=", "≤"
        POSITIVE = "+", "+, without a number"
        NEGATIVE = "-", "−, without a number"
        NOT_TESTED = "not_tested", "not tested"

    identity_test = models.ForeignKey(IdentityTest, models.PROTECT, related_name="markers")
    marker = models.CharField(max_length=30, help_text="e.g. CD73, HLA-DR.")
    qualifier = models.CharField(max_length=10, choices=Qualifier.choices, default=Qualifier.EQUAL)
    percent = NumericField("positive cells, %", null=True, blank=True)
    control = models.CharField(max_length=60, blank=True, help_text="Isotype, FMO or unstained.")
    events = models.PositiveIntegerField(null=True, blank=True)
    is_after_ifn_gamma = models.BooleanField("after IFN-γ", default=False)

    class Meta:
        ordering = ["identity_test", "marker"]
        constraints = [
            models.UniqueConstraint(
                fields=["identity_test", "marker", "is_after_ifn_gamma"],
                name="marker_result_once",
                violation_error_message="The test already has this marker.",
            ),
            Check("marker_result_marker_not_blank", ~Q(marker=""), "Name the marker.", "marker"),
            Check(
                "marker_result_percent",
                Q(qualifier__in=["+", "-", "not_tested"], percent=None)
                | Q(qualifier__in=["=", ">", ">=", "<", "<="], percent__gte=0, percent__lte=100),
                "With =, >, ≥, < or ≤ give a percentage from 0 to 100; with +, − or not tested none.",
                "percent",
            ),
        ]

    def __str__(self) -> str:
        number = "" if self.percent is None else f" {self.percent.normalize():f} %"
        return f"{self.marker} {self.get_qualifier_display()}{number}"

    def as_read(self) -> identity.Marker:
        """The row as the rules of identity know it."""
        qualifier = self.qualifier.replace("_", " ")
        return identity.Marker.of(self.marker, qualifier, self.percent, self.control, self.is_after_ifn_gamma)


class SafetyTest(ValidatedModel):
    """One safety test of a batch, a passage of it, or a lot."""

    experiment_path = LAB_WIDE
    concealed_by = ("batch__uses__experiment", "lot__uses__experiment")
    duty = Duty.RECORD
    fixed_once_made = ("batch", "lot", "kind")

    class Kind(models.TextChoices):
        STERILITY = "sterility"
        MYCOPLASMA = "mycoplasma"
        KARYOTYPE = "karyotype"
        STR = "str", "STR profile"
        ENDOTOXIN = "endotoxin"
        VIRUS = "virus", "adventitious virus"
        TUMOURIGENICITY = "tumourigenicity"

    class Outcome(models.TextChoices):
        PENDING = "pending"
        PASSED = "passed"
        FAILED = "failed"

    batch = models.ForeignKey(IsolationBatch, models.PROTECT, null=True, blank=True, related_name="safety_tests")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="safety_tests")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    tested_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    method = models.CharField(max_length=120, blank=True)
    metaphases = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Counted for a karyotype, at least 20."
    )
    endotoxin_eu_per_ml = NumericField("endotoxin, EU/mL", null=True, blank=True)
    detail = models.CharField(max_length=250, blank=True, help_text="e.g. 46,XX; the STR profile's match.")

    class Meta:
        ordering = ["kind", "tested_on"]
        constraints = [
            Check(
                "safety_test_one_subject",
                Q(batch=None, lot__isnull=False) | Q(batch__isnull=False, lot=None),
                "A safety test is of one batch or one lot.",
                "batch",
            ),
            Check(
                "safety_test_day",
                Q(outcome="pending") | Q(tested_on__isnull=False),
                "Say on which day it was tested.",
                "tested_on",
            ),
            Check(
                "safety_test_metaphases",
                ~Q(kind="karyotype", outcome="passed") | Q(metaphases__gte=20),
                "A karyotype passes on at least 20 metaphases.",
                "metaphases",
            ),
            Check(
                "safety_test_endotoxin",
                Q(endotoxin_eu_per_ml=None) | Q(kind="endotoxin", endotoxin_eu_per_ml__gte=0),
                "EU/mL belong to an endotoxin test and are not negative.",
                "endotoxin_eu_per_ml",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.batch or self.lot}: {self.get_outcome_display()}"


class Release(ValidatedModel):
    """The decision that a batch or a lot may be given, or not. It is never changed; a later one follows it."""

    experiment_path = LAB_WIDE
    concealed_by = ("batch__uses__experiment", "lot__uses__experiment")
    duty = Duty.DECIDE
    fixed_once_made = ("batch", "lot", "decision", "statement", "decided_by", "decided_at", "is_self_released")
    asks_reason = False

    class Decision(models.TextChoices):
        RELEASED = "released"
        REJECTED = "rejected"

    batch = models.ForeignKey(IsolationBatch, models.PROTECT, null=True, blank=True, related_name="releases")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="releases")
    decision = models.CharField(max_length=8, choices=Decision.choices)
    statement = models.CharField(max_length=500, help_text="On what the decision rests.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    decided_at = models.DateTimeField(default=timezone.now, editable=False)
    is_self_released = models.BooleanField("self-released", default=False, editable=False)

    class Meta:
        ordering = ["-decided_at"]
        constraints = [
            Check(
                "release_one_subject",
                Q(batch=None, lot__isnull=False) | Q(batch__isnull=False, lot=None),
                "A release is of one batch or one lot.",
                "batch",
            ),
            Check("release_statement_not_blank", ~Q(statement=""), "Say on what the decision rests.", "statement"),
        ]

    def __str__(self) -> str:
        by_whom = ", self-released" if self.is_self_released else ""
        return f"{self.batch or self.lot}: {self.get_decision_display()}{by_whom}"


class Recall(ValidatedModel):
    """That a batch or a lot must not be given any more, with everything made from it."""

    experiment_path = LAB_WIDE
    concealed_by = ("batch__uses__experiment", "lot__uses__experiment")
    duty = Duty.DECIDE
    fixed_once_made = ("batch", "lot", "reason", "recalled_by", "recalled_at")
    asks_reason = False

    batch = models.ForeignKey(IsolationBatch, models.PROTECT, null=True, blank=True, related_name="recalls")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="recalls")
    reason = models.CharField(max_length=500)
    recalled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    recalled_at = models.DateTimeField(default=timezone.now, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    lift_reason = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["-recalled_at"]
        constraints = [
            Check(
                "recall_one_subject",
                Q(batch=None, lot__isnull=False) | Q(batch__isnull=False, lot=None),
                "A recall is of one batch or one lot.",
                "batch",
            ),
            *(
                models.UniqueConstraint(
                    fields=[subject],
                    condition=Q(lifted_at=None),
                    name=f"recall_of_{subject}_once",
                    violation_error_message=f"This {subject} is recalled already.",
                )
                for subject in ("batch", "lot")
            ),
            Check("recall_reason_not_blank", ~Q(reason=""), "A recall needs a reason.", "reason"),
            Check(
                "recall_lifted_whole",
                Q(lifted_at=None, lifted_by=None, lift_reason="")
                | Q(lifted_at__gte=F("recalled_at"), lifted_by__isnull=False) & ~Q(lift_reason=""),
                "A recall is lifted by somebody, with a reason.",
                "lift_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"recall of {self.batch or self.lot}"
