"""What was given to animals."""

from django.contrib import admin

from experiments.admin.plan_verbs import MEDICATION_VERBS
from experiments.admin.recorded import RecordedAdmin
from experiments.admin.studies import OfExperiment
from experiments.admin.words import word
from experiments.models import Dose, DoseVial, Induction, Medication
from labdb.base.admin import DoorAdmin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(Induction)
class InductionAdmin(RecordedAdmin):
    list_display = [
        "procedure",
        word("induction_model"),
        word("agent"),
        "amount",
        "amount_unit",
        word("route"),
        "given_ml",
    ]
    list_filter = [("procedure__experiment", OfExperiment)]
    list_select_related = ["procedure"]
    search_fields = ["procedure__name"]
    autocomplete_fields = ["procedure"]


@admin.register(Dose)
class DoseAdmin(RecordedAdmin):
    list_display = ["procedure", "product", "amount", word("route"), word("site"), "viability_percent"]
    list_filter = [("procedure__experiment", OfExperiment)]
    list_select_related = ["procedure", "product"]
    search_fields = ["procedure__name", "product__name"]
    autocomplete_fields = ["procedure", "product"]


@admin.register(DoseVial)
class DoseVialAdmin(VerbOwnedAdmin):
    list_display = ["dose", "vial", "amount"]
    list_filter = [("dose__procedure__experiment", OfExperiment)]
    list_select_related = ["dose", "dose__product", "vial"]
    search_fields = ["dose__procedure__name", "vial__code"]


@admin.register(Medication)
class MedicationAdmin(DoorAdmin):
    verbs = MEDICATION_VERBS
    list_display = ["kind", word("agent"), "procedure", "due_at", "given_at", "omitted_reason"]
    list_filter = [("procedure__experiment", OfExperiment), "kind"]
    list_select_related = ["procedure"]
    search_fields = ["procedure__name"]
    autocomplete_fields = ["procedure", "given_by"]


register_entry(Entry("Record", "Doses", "admin:experiments_dose_changelist", "syringe", 60))
register_entry(
    Entry("Record", "Anaesthesia and analgesia", "admin:experiments_medication_changelist", "medication", 70)
)
