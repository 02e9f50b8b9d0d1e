"""Identity, safety, release and recall."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from experiments.admin.releasing import RECALL_VERBS
from experiments.models import IdentityTest, MarkerResult, Recall, Release, SafetyTest
from experiments.models.quality import RULE_SETS
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, VerbOwnedAdmin
from labdb.base.panels import Entry, Panel, register_entry, register_panel


class MarkerResultInline(DoorTabularInline):
    model = MarkerResult
    fields = ["marker", "qualifier", "percent", "control", "events", "is_after_ifn_gamma"]
    is_deletable = False


@admin.register(IdentityTest)
class IdentityTestAdmin(PageMixin, DoorAdmin):
    page = "identitytest"
    list_display = ["batch", "passage", "tested_on", "rule_set"]
    list_select_related = ["batch", "passage", "passage__batch"]
    search_fields = ["batch__code", "passage__label"]
    autocomplete_fields = ["batch", "passage"]
    inlines = [MarkerResultInline]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "rule_set":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [(name, str(rules)) for name, rules in sorted(RULE_SETS.items())]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, help_text=db_field.help_text)


def verdict(request: HttpRequest, test: IdentityTest) -> dict[str, Any] | None:
    """What the test's rule set says of it; a set that is not known any more says nothing."""
    if test.rule_set not in RULE_SETS:
        return None
    return {"verdict": test.verdict(), "rule_set": RULE_SETS[test.rule_set]}


@admin.register(MarkerResult)
class MarkerResultAdmin(DoorAdmin):
    list_display = ["identity_test", "marker", "qualifier", "percent"]
    list_filter = ["qualifier"]
    list_select_related = [
        "identity_test",
        "identity_test__batch",
        "identity_test__passage",
        "identity_test__passage__batch",
    ]
    search_fields = ["marker", "identity_test__batch__code"]
    autocomplete_fields = ["identity_test"]


@admin.register(SafetyTest)
class SafetyTestAdmin(DoorAdmin):
    list_display = ["kind", "batch", "lot", "tested_on", "outcome"]
    list_filter = ["kind", "outcome"]
    list_select_related = ["batch", "lot"]
    search_fields = ["batch__code", "lot__code"]
    autocomplete_fields = ["batch", "lot"]


@admin.register(Release)
class ReleaseAdmin(VerbOwnedAdmin):
    list_display = ["batch", "lot", "decision", "decided_by", "decided_at", "is_self_released"]
    list_filter = ["decision", "is_self_released"]
    list_select_related = ["batch", "decided_by", "lot"]
    search_fields = ["batch__code", "lot__code"]


@admin.register(Recall)
class RecallAdmin(PageMixin, VerbOwnedAdmin):
    page = "recall"
    verbs = RECALL_VERBS
    list_display = ["batch", "lot", "reason", "recalled_by", "recalled_at", "lifted_at"]
    list_select_related = ["batch", "lot", "recalled_by"]
    search_fields = ["batch__code", "lot__code"]


register_panel(Panel("identitytest", "verdict", "Verdict", "experiments/identity_verdict.html", verdict, 10))
register_entry(Entry("Cells", "Identity tests", "admin:experiments_identitytest_changelist", "fingerprint", 40))
register_entry(Entry("Cells", "Safety tests", "admin:experiments_safetytest_changelist", "health_and_safety", 50))
