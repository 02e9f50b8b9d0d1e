"""Who comes into an experiment, into which arm, and who is left out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments import cohorts
from experiments.actions.exclusions import revoke_exclusion
from experiments.actions.poi import lock_poi_criteria, new_poi_criteria_version
from experiments.admin.locked import KeptWhenLocked
from experiments.admin.randomising import told_balance
from experiments.admin.studies import OfExperiment
from experiments.models import (
    EligibilityCriterion,
    Exclusion,
    PoiConfirmation,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
)
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, Verb, VerbOwnedAdmin
from labdb.base.panels import Entry, Panel, register_entry, register_panel


@admin.register(EligibilityCriterion)
class EligibilityCriterionAdmin(DoorAdmin):
    list_display = ["experiment", "kind", "lowest", "highest", "text"]
    list_filter = [("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment"]
    search_fields = ["text", "experiment__code"]
    autocomplete_fields = ["experiment"]


def _check(request: HttpRequest, drawn: Randomisation, answers: dict[str, Any]) -> str:
    if cohorts.reproduce(drawn):
        return "Made again from its inputs and its sealed seed, the draw gives the same arms."
    return "Made again, the draw does not give the arms that stand: an allocation, the inputs or the seed was changed."


@admin.register(Randomisation)
class RandomisationAdmin(PageMixin, VerbOwnedAdmin):
    page = "randomisation"
    verbs = (Verb("check", "Check the draw", _check, icon="verified", asks="view", is_primary=True),)
    list_display = ["experiment", "method", "strata", "algorithm", "drawn_at", "drawn_by"]
    list_filter = [("experiment", OfExperiment), "method"]
    list_select_related = ["drawn_by", "experiment"]
    search_fields = ["experiment__code"]
    exclude = ["seed"]


class RevokingForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="It stays recorded.")


def _revoke(request: HttpRequest, exclusion: Exclusion, answers: dict[str, Any]) -> str:
    revoke_exclusion(exclusion=exclusion, reason=answers["reason"], by=request.user)
    return "The animal is taken in again; summaries will be computed anew."


@admin.register(Exclusion)
class ExclusionAdmin(VerbOwnedAdmin):
    verbs = (
        Verb(
            "revoke",
            "Revoke",
            _revoke,
            icon="undo",
            asks="exclude",
            form=RevokingForm,
            explanation="The animal counts again. That it was excluded stays recorded.",
            is_shown=lambda exclusion: exclusion.revoked_at is None,
        ),
    )
    list_display = ["enrolment", "stage", "endpoint", "is_prespecified", "is_decided_blinded", "reason", "revoked_at"]
    list_filter = [("enrolment__experiment", OfExperiment), "stage", "is_prespecified", "is_decided_blinded"]
    list_select_related = ["endpoint", "enrolment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["enrolment__experiment__code", "endpoint__name"]


def _lock(request: HttpRequest, criteria: PoiCriteria, answers: dict[str, Any]) -> str:
    lock_poi_criteria(criteria=criteria, by=request.user)
    return "The criteria are locked."


def _copy(request: HttpRequest, criteria: PoiCriteria, answers: dict[str, Any]) -> str:
    made = new_poi_criteria_version(criteria=criteria, by=request.user)
    return f"Version {made.version} is made; it is open."


class PoiCriterionInline(KeptWhenLocked, DoorTabularInline):
    model = PoiCriterion
    fields = ["rule", "endpoint", "timepoint", "threshold"]
    autocomplete_fields = ["endpoint", "timepoint"]


@admin.register(PoiCriteria)
class PoiCriteriaAdmin(KeptWhenLocked, DoorAdmin):
    verbs = (
        Verb("lock", "Lock", _lock, icon="lock", asks="lock", is_shown=lambda row: row.locked_at is None),
        Verb(
            "new-version",
            "New version",
            _copy,
            icon="content_copy",
            asks="copy",
            is_shown=lambda row: row.locked_at is not None,
        ),
    )
    list_display = ["experiment", "version", "required", "locked_at"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment"]
    search_fields = ["experiment__code"]
    autocomplete_fields = ["experiment"]
    inlines = [PoiCriterionInline]


@admin.register(PoiCriterion)
class PoiCriterionAdmin(KeptWhenLocked, DoorAdmin):
    whole = "criteria"
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


register_panel(Panel("randomisation", "balance", "Balance", "experiments/balance.html", told_balance, 10))
register_entry(Entry("Studies", "Eligibility", "admin:experiments_eligibilitycriterion_changelist", "rule", 60))
register_entry(Entry("Studies", "POI criteria", "admin:experiments_poicriteria_changelist", "checklist", 70))
