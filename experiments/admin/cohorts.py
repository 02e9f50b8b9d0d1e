"""Who comes into an experiment, into which arm, and who is left out."""

from django.contrib import admin

from experiments.admin.studies import OfExperiment
from experiments.models import (
    EligibilityCriterion,
    Exclusion,
    PoiConfirmation,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
)
from labdb.base.admin import DoorAdmin, DoorTabularInline, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(EligibilityCriterion)
class EligibilityCriterionAdmin(DoorAdmin):
    list_display = ["experiment", "kind", "lowest", "highest", "text"]
    list_filter = [("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment"]
    search_fields = ["text", "experiment__code"]
    autocomplete_fields = ["experiment"]


@admin.register(Randomisation)
class RandomisationAdmin(VerbOwnedAdmin):
    list_display = ["experiment", "method", "strata", "algorithm", "drawn_at", "drawn_by"]
    list_filter = [("experiment", OfExperiment), "method"]
    list_select_related = ["drawn_by", "experiment"]
    search_fields = ["experiment__code"]
    exclude = ["seed"]


@admin.register(Exclusion)
class ExclusionAdmin(VerbOwnedAdmin):
    list_display = ["enrolment", "stage", "endpoint", "is_prespecified", "is_decided_blinded", "reason", "revoked_at"]
    list_filter = [("enrolment__experiment", OfExperiment), "stage", "is_prespecified", "is_decided_blinded"]
    list_select_related = ["endpoint", "enrolment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["enrolment__experiment__code", "endpoint__name"]


class PoiCriterionInline(DoorTabularInline):
    model = PoiCriterion
    fields = ["rule", "endpoint", "timepoint", "threshold"]
    autocomplete_fields = ["endpoint", "timepoint"]


@admin.register(PoiCriteria)
class PoiCriteriaAdmin(DoorAdmin):
    list_display = ["experiment", "version", "required", "locked_at"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment"]
    search_fields = ["experiment__code"]
    autocomplete_fields = ["experiment"]
    inlines = [PoiCriterionInline]


@admin.register(PoiCriterion)
class PoiCriterionAdmin(DoorAdmin):
    list_display = ["criteria", "rule", "endpoint", "timepoint", "threshold"]
    list_filter = [("criteria__experiment", OfExperiment), "rule"]
    list_select_related = ["criteria", "criteria__experiment", "endpoint", "timepoint"]
    search_fields = ["criteria__experiment__code", "endpoint__name", "timepoint__label"]
    autocomplete_fields = ["criteria", "endpoint", "timepoint"]


@admin.register(PoiConfirmation)
class PoiConfirmationAdmin(VerbOwnedAdmin):
    list_display = ["enrolment", "verdict", "criteria", "assessed_at"]
    list_filter = [("enrolment__experiment", OfExperiment), "verdict"]
    list_select_related = [
        "criteria",
        "criteria__experiment",
        "enrolment",
        "enrolment__animal",
        "enrolment__experiment",
    ]
    search_fields = ["enrolment__experiment__code", "criteria__experiment__code"]


register_entry(Entry("Studies", "Eligibility", "admin:experiments_eligibilitycriterion_changelist", "rule", 60))
register_entry(Entry("Studies", "POI criteria", "admin:experiments_poicriteria_changelist", "checklist", 70))
