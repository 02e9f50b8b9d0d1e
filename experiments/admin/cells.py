"""Donors, tissue, batches and their passages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from experiments.admin.notes import note_verb
from experiments.admin.releasing import CONSENT_VERBS, DECISIONS
from experiments.admin.words import word
from experiments.derived import expansion_of
from experiments.models import CellCount, Consent, Donor, IsolationBatch, Passage, TissueSample
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin
from labdb.base.panels import Entry, Panel, register_entry, register_panel


class ConsentInline(DoorTabularInline):
    model = Consent
    fields = ["code", "version", "scope", "ethics_number", "given_on", "withdrawn_at"]
    readonly_fields = ["withdrawn_at"]
    is_deletable = False


@admin.register(Donor)
class DonorAdmin(PageMixin, DoorAdmin):
    page = "donor"
    list_display = ["code", word("species"), "sex", "age_years", "serology"]
    list_filter = ["sex", "serology"]
    search_fields = ["code"]
    autocomplete_fields = ["strain"]
    inlines = [ConsentInline]


@admin.register(Consent)
class ConsentAdmin(DoorAdmin):
    verbs = CONSENT_VERBS
    readonly_fields = ["withdrawn_at", "withdrawal_note"]
    list_display = ["code", "version", "donor", "scope", "given_on", "withdrawn_at"]
    list_select_related = ["donor"]
    search_fields = ["code", "donor__code"]
    autocomplete_fields = ["donor"]


@admin.register(TissueSample)
class TissueSampleAdmin(DoorAdmin):
    list_display = ["code", word("source"), "donor", "consent", "collected_at"]
    list_select_related = ["consent", "donor"]
    search_fields = ["code", "donor__code", "consent__code"]
    autocomplete_fields = ["donor", "consent"]


class PassageInline(DoorTabularInline):
    model = Passage
    fields = [
        "number",
        "label",
        "previous",
        "seeded_at",
        "harvested_at",
        "seeded_cells",
        "harvested_cells",
        "viable_cells",
        "viability_percent",
        "medium",
    ]
    autocomplete_fields = ["previous"]


@admin.register(IsolationBatch)
class IsolationBatchAdmin(PageMixin, DoorAdmin):
    page = "batch"
    verbs = (*DECISIONS, note_verb("batch"))
    list_display = ["code", "tissue_sample", word("cell_type"), word("method"), "isolated_on", "expires_on"]
    list_select_related = ["tissue_sample"]
    search_fields = ["code", "tissue_sample__code"]
    autocomplete_fields = ["tissue_sample", "operator"]
    inlines = [PassageInline]


@admin.register(Passage)
class PassageAdmin(DoorAdmin):
    list_display = ["batch", "number", "label", "seeded_at", "harvested_at", "viable_cells", "viability_percent"]
    list_select_related = ["batch"]
    search_fields = ["label", "batch__code"]
    autocomplete_fields = ["batch", "previous"]


@admin.register(CellCount)
class CellCountAdmin(DoorAdmin):
    list_display = ["passage", "counted_at", "instrument", "sample_name", "viable_cells_per_ml", "viability_percent"]
    list_select_related = ["passage", "passage__batch"]
    search_fields = ["sample_name", "passage__label"]
    autocomplete_fields = ["passage", "source_file"]


def expansion(request: HttpRequest, batch: IsolationBatch) -> dict[str, Any]:
    """How the cells multiplied, a line a passage."""
    return {"rows": expansion_of(batch)}


register_panel(Panel("batch", "expansion", "Expansion", "experiments/batch_expansion.html", expansion, 15, False))
register_entry(Entry("Cells", "Donors", "admin:experiments_donor_changelist", "face", 10))
register_entry(Entry("Cells", "Tissue samples", "admin:experiments_tissuesample_changelist", "biotech", 20))
register_entry(Entry("Cells", "Isolation batches", "admin:experiments_isolationbatch_changelist", "experiment", 30))
