"""Protocols and what is planned from them."""

from django.contrib import admin

from experiments.admin.studies import OfExperiment
from experiments.admin.words import word
from experiments.models import ArmProtocol, PlannedProcedure, Protocol, ProtocolStep, ProtocolVersion
from labdb.base.admin import DoorAdmin, DoorTabularInline, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(Protocol)
class ProtocolAdmin(DoorAdmin):
    list_display = ["name", "description"]
    search_fields = ["name", "description"]


class ProtocolStepInline(DoorTabularInline):
    model = ProtocolStep
    fields = [
        "position",
        "name",
        "kind",
        "after",
        "relative_day",
        "window_before_days",
        "window_after_days",
        "repeats",
        "every_days",
        "induction_model",
    ]
    autocomplete_fields = ["after"]


@admin.register(ProtocolVersion)
class ProtocolVersionAdmin(DoorAdmin):
    list_display = ["protocol", "number", "reference", "issued_at"]
    list_select_related = ["protocol"]
    search_fields = ["protocol__name"]
    autocomplete_fields = ["protocol"]
    inlines = [ProtocolStepInline]


@admin.register(ProtocolStep)
class ProtocolStepAdmin(DoorAdmin):
    list_display = [
        "name",
        "version",
        "kind",
        "relative_day",
        word("agent"),
        "product",
        "amount",
        "amount_unit",
        word("route"),
    ]
    list_filter = ["kind"]
    list_select_related = ["product", "version", "version__protocol"]
    search_fields = ["name", "version__protocol__name", "product__name"]
    autocomplete_fields = ["version", "after", "product"]


@admin.register(ArmProtocol)
class ArmProtocolAdmin(DoorAdmin):
    list_display = ["arm", "version", "shift_days"]
    list_filter = [("arm__experiment", OfExperiment)]
    list_select_related = ["arm", "version", "version__protocol"]
    search_fields = ["arm__label", "version__protocol__name"]
    autocomplete_fields = ["arm", "version"]


@admin.register(PlannedProcedure)
class PlannedProcedureAdmin(VerbOwnedAdmin):
    list_display = ["due_on", "step", "enrolment", "state", "latest_on", "assigned_to"]
    list_filter = [("enrolment__experiment", OfExperiment), "state"]
    list_select_related = ["assigned_to", "enrolment", "enrolment__animal", "enrolment__experiment", "step"]
    search_fields = ["enrolment__experiment__code", "step__name"]


register_entry(Entry("Studies", "Protocols", "admin:experiments_protocol_changelist", "description", 40))
register_entry(
    Entry("Studies", "Planned procedures", "admin:experiments_plannedprocedure_changelist", "event_upcoming", 50)
)
