"""Protocols and what is planned from them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from experiments.admin import calendar_page
from experiments.admin.plan_verbs import PLANNED_VERBS, VERSION_VERBS
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

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_delete_permission(request, obj)


def _is_draft(version: Any) -> bool:
    """The steps of an issued version stay as they are."""
    return version is None or version.issued_at is None


@admin.register(ProtocolVersion)
class ProtocolVersionAdmin(DoorAdmin):
    verbs = VERSION_VERBS
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
    verbs = PLANNED_VERBS
    list_display = ["due_on", "step", "enrolment", "state", "latest_on", "assigned_to"]
    list_filter = [("enrolment__experiment", OfExperiment), "state"]
    list_select_related = ["assigned_to", "enrolment", "enrolment__animal", "enrolment__experiment", "step"]
    search_fields = ["enrolment__experiment__code", "enrolment__animal__lab_id", "step__name"]
    fields = [
        "enrolment",
        ("step", "repeat"),
        ("due_on", "earliest_on", "latest_on"),
        ("state", "assigned_to"),
        "cancel_reason",
    ]
    readonly_fields = ["state", "cancel_reason"]

    def get_urls(self) -> list:
        return [*calendar_page.urls(self), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup == "due_on__exact" or super().lookup_allowed(lookup, value, request)


register_entry(Entry("Studies", "Protocols", "admin:experiments_protocol_changelist", "description", 40))
register_entry(
    Entry("Studies", "Planned procedures", "admin:experiments_plannedprocedure_changelist", "event_upcoming", 50)
)
