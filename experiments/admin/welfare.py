"""Welfare rules, alerts and notes."""

from django.contrib import admin

from experiments.admin.notes import SEEN
from experiments.admin.plan_verbs import ALERT_VERBS
from experiments.admin.studies import OfExperiment
from experiments.models import Alert, Note, WelfareRule
from labdb.base.admin import DoorAdmin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(WelfareRule)
class WelfareRuleAdmin(DoorAdmin):
    list_display = [
        "kind",
        "experiment",
        "reference",
        "threshold",
        "from_day",
        "to_day",
        "is_humane_endpoint",
        "is_active",
    ]
    list_filter = [("experiment", OfExperiment), "kind", "reference", "is_humane_endpoint", "is_active"]
    list_select_related = ["experiment"]
    search_fields = ["experiment__code"]
    autocomplete_fields = ["experiment"]


@admin.register(Alert)
class AlertAdmin(VerbOwnedAdmin):
    verbs = ALERT_VERBS
    fields = [
        ("experiment", "enrolment"), ("kind", "state"), "message", ("rule", "observation", "procedure"),
        ("owner", "raised_at", "mailed_at"), ("resolution", "resolved_by", "resolved_at"),
    ]  # fmt: skip
    readonly_fields = ["state", "raised_at", "mailed_at", "resolution", "resolved_by", "resolved_at"]
    list_display = ["raised_at", "experiment", "enrolment", "kind", "message", "owner", "state"]
    list_filter = [("experiment", OfExperiment), "kind", "state"]
    list_select_related = ["enrolment", "enrolment__animal", "enrolment__experiment", "experiment", "owner"]
    search_fields = ["message", "experiment__code", "enrolment__experiment__code"]


@admin.register(Note)
class NoteAdmin(VerbOwnedAdmin):
    verbs = (SEEN,)
    list_display = ["written_at", "author", "experiment", "animal", "text"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["animal", "author", "experiment"]
    search_fields = ["text", "experiment__code", "animal__lab_id"]


register_entry(Entry("Record", "Alerts", "admin:experiments_alert_changelist", "notification_important", 110))
register_entry(Entry("Record", "Welfare rules", "admin:experiments_welfarerule_changelist", "monitor_heart", 120))
