"""What the whole laboratory keeps: licences, its own words, limits of doses."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from experiments.actions.licences import WARNED_AHEAD, with_animals_used
from experiments.admin.links import badge
from experiments.admin.words import word
from experiments.models import DoseLimit, Licence, Term
from labdb.base.admin import DoorAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(Licence)
class LicenceAdmin(DoorAdmin):
    list_display = ["number", "severity", "animals", "starts_on", "validity"]
    list_filter = ["severity"]
    search_fields = ["number"]
    readonly_fields = ["animals"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_animals_used(super().get_queryset(request))

    @admin.display(description="animals")
    def animals(self, row: Any) -> Any:
        """Those that a procedure was planned for or done to, in every experiment of the licence."""
        if row.pk is None or not hasattr(row, "animals_used"):
            return "–"
        told = f"{row.animals_used} of {row.animals_allowed}"
        return badge(told, "lab-bad") if row.animals_used > row.animals_allowed else told

    @admin.display(description="expires on", ordering="expires_on")
    def validity(self, row: Any) -> Any:
        today = timezone.localdate()
        if row.expires_on > today + WARNED_AHEAD:
            return str(row.expires_on)
        return badge(str(row.expires_on), "lab-bad" if row.expires_on < today else "lab-warn")


@admin.register(Term)
class TermAdmin(DoorAdmin):
    list_display = ["name", "vocabulary", "key", "code", "is_retired"]
    list_filter = ["vocabulary", "is_retired"]
    search_fields = ["name", "code"]


@admin.register(DoseLimit)
class DoseLimitAdmin(DoorAdmin):
    list_display = [word("agent"), word("species"), "lowest", "highest", "unit", "source"]


register_entry(Entry("Laboratory", "Licences", "admin:experiments_licence_changelist", "license", 60))
register_entry(Entry("Laboratory", "Words of lists", "admin:experiments_term_changelist", "list_alt", 70))
register_entry(Entry("Laboratory", "Limits of doses", "admin:experiments_doselimit_changelist", "speed", 80))
