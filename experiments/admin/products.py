"""Products and their lots."""

from django.contrib import admin

from experiments.admin.notes import note_verb
from experiments.admin.releasing import DECISIONS
from experiments.admin.stock_verbs import LOT_VERBS
from experiments.admin.studies import OfExperiment
from experiments.admin.words import word
from experiments.models import Lot, LotSource, Product, StockUse, VesicleCharacterisation
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(Product)
class ProductAdmin(DoorAdmin):
    list_display = ["name", "kind", "dose_unit", word("species"), word("tissue_source"), "carrier"]
    list_filter = ["kind", "dose_unit"]
    search_fields = ["name", "description"]
    autocomplete_fields = ["strain"]


class LotSourceInline(DoorTabularInline):
    model = LotSource
    fk_name = "lot"
    fields = ["source_lot", "source_passage", "amount"]
    autocomplete_fields = ["source_lot", "source_passage"]


@admin.register(Lot)
class LotAdmin(PageMixin, DoorAdmin):
    page = "lot"
    verbs = (*LOT_VERBS, *DECISIONS, note_verb("lot"))
    list_display = ["code", "product", "passage", "made_on", "expires_on"]
    list_select_related = ["passage", "passage__batch", "product"]
    search_fields = ["code", "product__name", "passage__label"]
    autocomplete_fields = ["product", "passage", "made_by"]
    inlines = [LotSourceInline]


@admin.register(LotSource)
class LotSourceAdmin(DoorAdmin):
    list_display = ["lot", "source_lot", "source_passage", "amount"]
    list_select_related = ["lot", "source_lot", "source_passage", "source_passage__batch"]
    search_fields = ["lot__code", "source_lot__code", "source_passage__label"]
    autocomplete_fields = ["lot", "source_lot", "source_passage"]


@admin.register(VesicleCharacterisation)
class VesicleCharacterisationAdmin(DoorAdmin):
    list_display = ["lot", "particles_per_ml", "protein_ug_per_ml", "transmembrane_markers", "single_particle_method"]
    list_select_related = ["lot"]
    search_fields = ["lot__code"]
    autocomplete_fields = ["lot"]


@admin.register(StockUse)
class StockUseAdmin(VerbOwnedAdmin):
    list_display = ["experiment", "lot", "batch"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["batch", "experiment", "lot"]
    search_fields = ["experiment__code", "lot__code", "batch__code"]


register_entry(Entry("Stock", "Products", "admin:experiments_product_changelist", "category", 10))
register_entry(Entry("Stock", "Lots", "admin:experiments_lot_changelist", "inventory_2", 20))
