"""Invitations: who was asked to join, by whom, and what became of it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from labdb.base.access import may
from labdb.base.admin.options import VerbOwnedAdmin
from labdb.base.admin.verbs import Verb, show_errors
from labdb.base.login import invitations
from labdb.base.models import Invitation
from labdb.base.panels import Entry, register_entry


class InviteForm(forms.Form):
    name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget, help_text="First name, last name.")
    email = forms.EmailField(label="E-mail", widget=UnfoldAdminEmailInputWidget)
    experiment = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    role = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = invitations.joining()
        if known is None:
            del self.fields["experiment"], self.fields["role"]
            return
        offered = [(str(key), name) for key, name in known.experiments(by)]
        self.fields["experiment"].choices = [("", "none yet"), *offered]  # type: ignore[attr-defined]
        self.fields["role"].choices = [("", "none yet"), *known.roles]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if bool(given.get("experiment")) != bool(given.get("role")) and not self.errors:
            missing = "role" if given.get("experiment") else "experiment"
            self.add_error(missing, "An experiment and a role go together.")
        return given

    @property
    def membership(self) -> tuple[UUID, str] | None:
        experiment = self.cleaned_data.get("experiment")
        return (UUID(experiment), self.cleaned_data["role"]) if experiment else None


def _revoke(request: HttpRequest, row: Any, answers: dict[str, Any]) -> str:
    invitations.revoke_invitation(invitation=row, by=request.user)  # type: ignore[arg-type]
    return f"The link that was sent to {row.email} no longer counts."


def _is_open(row: Any) -> bool:
    return row.accepted_at is None and row.revoked_at is None


@admin.register(Invitation)
class InvitationAdmin(VerbOwnedAdmin):
    list_display = ["name", "email", "state", "membership", "invited_by", "invited_at", "expires_at"]
    list_select_related = ["invited_by", "person"]
    search_fields = ["name", "email"]
    fields = ["name", "email", "state", "membership", "person", "invited_by", "invited_at", "expires_at"]
    readonly_fields = fields
    verbs = (Verb("revoke", "Revoke", _revoke, "link_off", is_shown=_is_open),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "add", Invitation)

    @admin.display(description="state")
    def state(self, row: Invitation) -> str:
        if row.accepted_at:
            return "accepted"
        if row.revoked_at:
            return "revoked"
        return "open" if row.expires_at > timezone.now() else "expired"

    @admin.display(description="as")
    def membership(self, row: Invitation) -> str:
        known = invitations.joining()
        return str(dict(known.roles).get(row.role, row.role)) if known and row.role else "–"

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = InviteForm(request.POST if request.method == "POST" else None, by=request.user)
        if form.is_bound and form.is_valid():
            try:
                return self._page(request, form, self._invite(request, form))
            except (ValidationError, IntegrityError) as error:
                show_errors(form, error)
        return self._page(request, form, None)

    def _invite(self, request: HttpRequest, form: InviteForm) -> invitations.Invited:
        given = form.cleaned_data
        return invitations.invite(
            by=request.user,  # type: ignore[arg-type]
            email=given["email"],
            name=given["name"],
            membership=form.membership,
            site=request.build_absolute_uri("/").rstrip("/"),
        )

    def _page(self, request: HttpRequest, form: InviteForm, invited: invitations.Invited | None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Invite somebody",
            "form": form,
            "invited": invited,
            "media": self.media,
        }
        return TemplateResponse(request, "labdb/invite.html", context)


def _may_invite(request: HttpRequest) -> bool:
    return may(request.user, "add", Invitation)


register_entry(Entry("Laboratory", "Invitations", "admin:labdb_invitation_changelist", "mail", 85, _may_invite))
