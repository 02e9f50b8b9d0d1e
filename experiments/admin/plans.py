"""Analysis plans and planned endpoints."""

from django.contrib import admin

from experiments.admin.studies import OfExperiment
from experiments.models import AnalysisPlan, PlannedComparison, PlannedEndpoint
from labdb.base.admin import DoorAdmin, DoorTabularInline
from labdb.base.panels import Entry, register_entry


class PlannedComparisonInline(DoorTabularInline):
    model = PlannedComparison
    fields = ["arm", "reference", "endpoint", "is_primary"]
    autocomplete_fields = ["arm", "reference", "endpoint"]


@admin.register(AnalysisPlan)
class AnalysisPlanAdmin(DoorAdmin):
    list_display = ["experiment", "version", "primary_endpoint", "method", "multiplicity", "locked_at"]
    list_filter = [("experiment", OfExperiment), "method", "multiplicity"]
    list_select_related = ["experiment", "primary_endpoint"]
    search_fields = ["experiment__code", "primary_endpoint__name", "primary_timepoint__label"]
    autocomplete_fields = ["experiment", "primary_endpoint", "primary_timepoint"]
    inlines = [PlannedComparisonInline]


@admin.register(PlannedComparison)
class PlannedComparisonAdmin(DoorAdmin):
    list_display = ["plan", "arm", "reference", "endpoint", "is_primary"]
    list_filter = [("plan__experiment", OfExperiment), "is_primary"]
    list_select_related = ["arm", "endpoint", "plan", "plan__experiment", "reference"]
    search_fields = ["plan__experiment__code", "arm__label", "reference__label", "endpoint__name"]
    autocomplete_fields = ["plan", "arm", "reference", "endpoint"]


@admin.register(PlannedEndpoint)
class PlannedEndpointAdmin(DoorAdmin):
    list_display = ["experiment", "endpoint", "timepoint"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["endpoint", "experiment", "timepoint"]
    search_fields = ["experiment__code", "endpoint__name", "timepoint__label"]
    autocomplete_fields = ["experiment", "endpoint", "timepoint"]


register_entry(Entry("Studies", "Analysis plans", "admin:experiments_analysisplan_changelist", "assignment", 80))
