"""Identity, safety, release and recall."""

from django.contrib import admin

from experiments.admin.releasing import RECALL_VERBS
from experiments.models import IdentityTest, MarkerResult, Recall, Release, SafetyTest
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


class MarkerResultInline(DoorTabularInline):
    model = MarkerResult
    fields = ["marker", "qualifier", "percent", "control", "events", "is_after_ifn_gamma"]
    is_deletable = False


@admin.register(IdentityTest)
class IdentityTestAdmin(DoorAdmin):
    list_display = ["batch", "passage", "tested_on", "rule_set"]
    list_select_related = ["batch", "passage", "passage__batch"]
    search_fields = ["batch__code", "passage__label"]
    autocomplete_fields = ["batch", "passage"]
    inlines = [MarkerResultInline]


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


register_entry(Entry("Cells", "Identity tests", "admin:experiments_identitytest_changelist", "fingerprint", 40))
register_entry(Entry("Cells", "Safety tests", "admin:experiments_safetytest_changelist", "health_and_safety", 50))
