"""What the whole laboratory keeps: licences, its own words, limits of doses."""

from django.contrib import admin

from experiments.admin.words import word
from experiments.models import DoseLimit, Licence, Term
from labdb.base.admin import DoorAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(Licence)
class LicenceAdmin(DoorAdmin):
    list_display = ["number", "severity", "animals_allowed", "starts_on", "expires_on"]
    list_filter = ["severity"]
    search_fields = ["number"]


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
