"""Analysis plans and planned endpoints."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments.actions.plans import lock_plan, new_plan_version
from experiments.admin.locked import KeptWhenLocked
from experiments.admin.studies import OfExperiment
from experiments.models import AnalysisPlan, Arm, PlannedComparison, PlannedEndpoint
from labdb.base.admin import DoorAdmin, DoorTabularInline, Verb
from labdb.base.panels import Entry, register_entry


class PlannedComparisonInline(KeptWhenLocked, DoorTabularInline):
    model = PlannedComparison
    fields = ["arm", "reference", "endpoint", "is_primary"]
    autocomplete_fields = ["endpoint"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("arm", "reference"):  # only an arm of the plan's experiment
            key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            kwargs["queryset"] = Arm.objects.filter(experiment__analysis_plans=key) if key else Arm.objects.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class NewVersionForm(forms.Form):
    change_note = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="What will be different, and why."
    )


def _lock(request: HttpRequest, plan: AnalysisPlan, answers: dict[str, Any]) -> str:
    lock_plan(plan=plan, by=request.user)
    return "The plan is locked."


def _copy(request: HttpRequest, plan: AnalysisPlan, answers: dict[str, Any]) -> str:
    made = new_plan_version(plan=plan, change_note=answers["change_note"], by=request.user)
    return f"Version {made.version} is made; it is open."


@admin.register(AnalysisPlan)
class AnalysisPlanAdmin(KeptWhenLocked, DoorAdmin):
    verbs = (
        Verb("lock", "Lock", _lock, icon="lock", asks="lock", is_shown=lambda plan: plan.locked_at is None),
        Verb(
            "new-version",
            "New version",
            _copy,
            icon="content_copy",
            asks="copy",
            form=NewVersionForm,
            explanation="A copy with the same comparisons, open until it is locked in its turn.",
            is_shown=lambda plan: plan.locked_at is not None,
        ),
    )
    list_display = ["experiment", "version", "primary_endpoint", "method", "multiplicity", "locked_at"]
    list_filter = [("experiment", OfExperiment), "method", "multiplicity"]
    list_select_related = ["experiment", "primary_endpoint"]
    search_fields = ["experiment__code", "primary_endpoint__name", "primary_timepoint__label"]
    autocomplete_fields = ["experiment", "primary_endpoint", "primary_timepoint"]
    inlines = [PlannedComparisonInline]
    readonly_fields = ["locked_at", "locked_by"]
    fieldsets = [
        (None, {"fields": [("experiment", "version"), "change_note"]}),
        ("Primary outcome", {"fields": [("primary_endpoint", "primary_timepoint"), ("scale", "experimental_unit")]}),
        ("Analysis", {"fields": [("method", "multiplicity", "alpha")]}),
        ("What is left out", {"fields": ["exclusion_rules", "missing_data"]}),
        ("Lock", {"fields": [("locked_at", "locked_by")]}),
    ]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list:
        return [] if obj is None else self.inlines  # only then is it known whose arms are compared


@admin.register(PlannedComparison)
class PlannedComparisonAdmin(KeptWhenLocked, DoorAdmin):
    whole = "plan"
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
