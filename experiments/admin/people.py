"""People of the laboratory and what they are in which experiment: for administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from experiments.admin.studies import OfExperiment
from experiments.models import Membership
from labdb.base.admin import DoorAdmin, DoorTabularInline
from labdb.base.models import User
from labdb.base.panels import Entry, register_entry


class AdministratorsOnly:
    """Changed by administrators, read by nobody else here."""

    def _allows(self, request: HttpRequest, verb: str, row: Any) -> bool:
        return request.user.is_active and request.user.is_superuser


class MembershipInline(DoorTabularInline):
    model = Membership
    fields = ["experiment", "role"]
    autocomplete_fields = ["experiment"]


@admin.register(User)
class PersonAdmin(AdministratorsOnly, UserAdmin, DoorAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [MembershipInline]
    list_display = ["username", "full_name", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2", "is_staff"]})]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = ()

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list:
        return [] if obj is None else self.inlines

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "view", obj)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or "–"


@admin.register(Membership)
class MembershipAdmin(AdministratorsOnly, DoorAdmin):
    is_deletable = True
    list_display = ["user", "role", "experiment"]
    list_filter = [("experiment", OfExperiment), "role"]
    list_select_related = ["user", "experiment"]
    search_fields = ["user__username", "user__last_name", "experiment__code"]
    autocomplete_fields = ["user", "experiment"]


def _is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


register_entry(Entry("Laboratory", "People", "admin:labdb_user_changelist", "group", 80, _is_administrator))
register_entry(
    Entry("Laboratory", "Memberships", "admin:experiments_membership_changelist", "badge", 90, _is_administrator)
)
