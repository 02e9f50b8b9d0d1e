"""People of the laboratory, for administrators, and who takes part in which experiment."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.urls import reverse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from experiments.actions.studies import add_member, end_membership
from experiments.admin.links import badge
from experiments.admin.studies import OfExperiment
from experiments.models import Experiment, Membership
from labdb.base.access import may
from labdb.base.admin import DoorAdmin, DoorTabularInline, Verb, VerbOwnedAdmin
from labdb.base.models import User
from labdb.base.panels import Entry, Panel, register_entry, register_panel
from labdb.base.roles import UNMASKED


class AdministratorsOnly:
    """Changed by administrators, read by nobody else here."""

    def _allows(self, request: HttpRequest, verb: str, row: Any) -> bool:
        return request.user.is_superuser and may(request.user, verb, User)


class MembershipInline(DoorTabularInline):
    """What the person is and was; it is given and ended under Memberships."""

    model = Membership
    fields = ["experiment", "role", "started_at", "ended_at"]
    readonly_fields = fields
    is_deletable = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(AdministratorsOnly, UserAdmin, DoorAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [MembershipInline]
    list_display = [
        "username",
        "full_name",
        "email",
        "is_active",
        "is_staff",
        "is_manager",
        "is_superuser",
        "last_login",
    ]
    list_filter = ["is_active", "is_staff", "is_manager", "is_superuser"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_manager", "is_superuser"]}),
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


def _end(request: HttpRequest, membership: Membership, answers: dict[str, Any]) -> str:
    end_membership(membership=membership, by=request.user)
    return "The membership has ended; it stays here."


@admin.register(Membership)
class MembershipAdmin(VerbOwnedAdmin):
    verbs = (Verb("end", "End membership", _end, "person_off", is_shown=lambda row: row.ended_at is None),)
    list_display = ["person", "role", "experiment", "standing", "started_at", "ended_at"]
    list_filter = [("experiment", OfExperiment), "role", ("ended_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "experiment"]
    search_fields = ["user__username", "user__last_name", "experiment__code"]
    ordering = ["experiment__code", "user__username"]
    fields = ["experiment", "user", "role"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, "add", None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else ["experiment", "person", "role", ("started_at", "ended_at")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("experiment", "person", "role", "started_at", "ended_at")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        made = add_member(experiment=obj.experiment, user=obj.user, role=obj.role, by=request.user)
        obj.__dict__.update(made.__dict__)

    @admin.display(description="person", ordering="user__username")
    def person(self, row: Membership) -> str:
        return str(row.user)  # told without a link: the page of a person is for administrators

    @admin.display(description="standing", ordering="ended_at")
    def standing(self, row: Membership) -> Any:
        return standing(row)


def standing(row: Membership) -> Any:
    if row.ended_at is not None:
        return badge("ended")
    return badge("unmasked", "lab-good") if row.role in UNMASKED else badge("masked", "lab-warn")


def people(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    """Who takes part now, and who did."""
    rows = Membership.objects.visible_to(request.user).filter(experiment=experiment).select_related("user")
    manages = may(request.user, "add", Membership(experiment=experiment))
    end = "admin:experiments_membership_do"
    current = [
        {"row": row, "standing": standing(row), "end_url": reverse(end, args=[row.pk, "end"]) if manages else ""}
        for row in rows.filter(ended_at=None).order_by("user__username", "role")
    ]
    add = reverse("admin:experiments_membership_add") + f"?experiment={experiment.pk}"
    ended = rows.exclude(ended_at=None).order_by("-ended_at")
    return {"current": current, "ended": list(ended), "add_url": add if manages else ""}


register_panel(Panel("experiment", "people", "People", "experiments/experiment_people.html", people, 80, False))


def _is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


register_entry(Entry("Laboratory", "People", "admin:labdb_user_changelist", "group", 80, _is_administrator))
register_entry(Entry("Laboratory", "Memberships", "admin:experiments_membership_changelist", "badge", 90))
