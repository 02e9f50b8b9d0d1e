"""Fertility trials, adverse events, tumours."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from experiments.actions.fertility import record_fertility
from experiments.admin.studies import OfExperiment
from experiments.admin.words import word
from experiments.models import AdverseEvent, FertilityTrial, Tumour
from labdb.base.acting import current
from labdb.base.admin import DoorAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(FertilityTrial)
class FertilityTrialAdmin(DoorAdmin):
    list_display = ["enrolment", "paired_on", "is_mated", "is_pregnant", "implantations", "pups_total", "born_on"]
    list_filter = [("enrolment__experiment", OfExperiment), "is_mated", "is_pregnant"]
    list_select_related = ["enrolment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["enrolment__experiment__code", "male__lab_id", "litter__code"]
    autocomplete_fields = ["enrolment", "male", "litter"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        record_fertility(trial=obj, by=request.user, reason=current().reason)


@admin.register(AdverseEvent)
class AdverseEventAdmin(DoorAdmin):
    list_display = ["enrolment", word("kind"), "occurred_on", "severity", "relation", "description"]
    list_filter = [("enrolment__experiment", OfExperiment), "severity", "relation"]
    list_select_related = ["enrolment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["description", "enrolment__experiment__code"]
    autocomplete_fields = ["enrolment"]


@admin.register(Tumour)
class TumourAdmin(DoorAdmin):
    list_display = ["enrolment", word("organ"), "found_on", "size_mm", "is_of_donor_cells"]
    list_filter = [("enrolment__experiment", OfExperiment), "is_of_donor_cells"]
    list_select_related = ["enrolment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["enrolment__experiment__code"]
    autocomplete_fields = ["enrolment"]


register_entry(Entry("Record", "Fertility trials", "admin:experiments_fertilitytrial_changelist", "child_friendly", 80))
register_entry(Entry("Record", "Adverse events", "admin:experiments_adverseevent_changelist", "report", 90))
register_entry(Entry("Record", "Tumours", "admin:experiments_tumour_changelist", "coronavirus", 100))
