"""Stored summaries and their estimates: computed by workers, read here."""

from typing import Any

from django.contrib import admin

from experiments.admin.jobs import OfJobMixin
from experiments.admin.links import badge, digest
from experiments.admin.numbers import interval, shown_number
from experiments.admin.studies import OfExperiment
from experiments.models import Estimate, OutcomeSummary
from labdb.base.admin import VerbOwnedAdmin, VisibleFilter
from labdb.base.panels import Entry, register_entry


@admin.register(OutcomeSummary)
class OutcomeSummaryAdmin(OfJobMixin, VerbOwnedAdmin):
    list_display = ["endpoint", "experiment", "scale", "computed_at", "standing", "inputs"]
    list_filter = [("experiment", OfExperiment), ("endpoint", VisibleFilter), "is_current"]
    list_select_related = ["experiment", "endpoint"]
    search_fields = ["experiment__code", "endpoint__name"]
    ordering = ["-computed_at"]
    fields = ["experiment", "endpoint", "scale", "computed_at", "standing", "inputs", "methods", "made_by"]
    readonly_fields = ["standing", "inputs", "made_by"]

    @admin.display(description="standing", ordering="is_current")
    def standing(self, row: OutcomeSummary) -> Any:
        return badge("current", "lab-good") if row.is_current else badge("replaced")

    @admin.display(description="digest of inputs")
    def inputs(self, row: OutcomeSummary) -> Any:
        return digest(row.inputs_sha256)


@admin.register(Estimate)
class EstimateAdmin(VerbOwnedAdmin):
    list_display = ["quantity", "endpoint", "timepoint", "arm", "reference_arm", "shown", "interval", "p", "n"]
    list_filter = [("summary__experiment", OfExperiment), ("summary__endpoint", VisibleFilter), "quantity"]
    list_select_related = ["summary__endpoint", "summary__experiment", "timepoint", "arm", "reference_arm"]
    search_fields = ["quantity", "summary__experiment__code", "summary__endpoint__name"]
    ordering = ["-summary__computed_at", "timepoint__study_day", "quantity", "arm__position"]
    fields = [
        "summary",
        ("timepoint", "arm", "reference_arm"),
        "quantity",
        "scale",
        ("estimate", "lower", "upper"),
        "level",
    ]
    fields += [("statistic", "df1", "df2", "p_value"), "n_by_arm", "method", "method_version", "reference", "warnings"]
    fields += ["refused"]

    @admin.display(description="endpoint", ordering="summary__endpoint__name")
    def endpoint(self, row: Estimate) -> str:
        return str(row.summary.endpoint)

    @admin.display(description="estimate", ordering="estimate")
    def shown(self, row: Estimate) -> str:
        return row.refused or shown_number(row.estimate)

    @admin.display(description="95 % interval")
    def interval(self, row: Estimate) -> str:
        return interval(row.lower, row.upper)

    @admin.display(description="p", ordering="p_value")
    def p(self, row: Estimate) -> str:
        return shown_number(row.p_value)

    @admin.display(description="n")
    def n(self, row: Estimate) -> str:
        return " / ".join(str(n) for n in row.n_by_arm.values())


register_entry(Entry("Outcomes", "Summaries", "admin:experiments_outcomesummary_changelist", "analytics", 10))
register_entry(Entry("Outcomes", "Estimates", "admin:experiments_estimate_changelist", "calculate", 20))
