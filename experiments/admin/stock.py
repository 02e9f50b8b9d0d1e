"""Boxes, vials and their movements."""

from django.contrib import admin

from experiments.admin.stock_verbs import VIAL_VERBS
from experiments.admin.studies import OfExperiment
from experiments.models import StockMovement, StorageBox, Vial
from labdb.base.admin import DoorAdmin, PageMixin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(StorageBox)
class StorageBoxAdmin(DoorAdmin):
    list_display = ["name", "location", "rows", "columns"]
    search_fields = ["name"]


@admin.register(Vial)
class VialAdmin(PageMixin, VerbOwnedAdmin):
    page = "vial"
    verbs = VIAL_VERBS
    list_display = ["code", "lot", "state", "amount_left", "amount", "box", "row", "column", "frozen_at"]
    list_filter = ["state"]
    list_select_related = ["box", "lot"]
    search_fields = ["code", "lot__code", "box__name"]


@admin.register(StockMovement)
class StockMovementAdmin(VerbOwnedAdmin):
    list_display = ["moved_at", "vial", "kind", "amount", "experiment", "moved_by", "reason"]
    list_filter = [("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment", "moved_by", "vial"]
    search_fields = ["vial__code", "experiment__code", "dose__procedure__name"]


register_entry(Entry("Stock", "Vials", "admin:experiments_vial_changelist", "ac_unit", 30))
register_entry(Entry("Stock", "Boxes", "admin:experiments_storagebox_changelist", "grid_on", 40))
register_entry(Entry("Stock", "Movements", "admin:experiments_stockmovement_changelist", "swap_vert", 50))
