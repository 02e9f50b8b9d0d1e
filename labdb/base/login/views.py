"""Pages of one's own log-in that allauth does not have."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView, View

from labdb.base.admin.verbs import show_errors
from labdb.base.login import codes, invitations
from labdb.base.login.forms import JoinForm


class Overview(LoginRequiredMixin, TemplateView):
    template_name = "labdb/login/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.request.user
        return super().get_context_data(
            has_second_factor=codes.has_second_factor(person), is_required=codes.is_required(person), **kwargs
        )


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class AcceptInvitation(View):
    """The page behind a mailed link. A link that was used, revoked or never made answers the same."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._page(request, token, JoinForm(invitation=invitations.found(token)))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        form = JoinForm(request.POST, invitation=invitations.found(token))
        if form.invitation is not None and form.is_valid():
            wanted = {"username": form.cleaned_data["username"], "password": form.cleaned_data["password1"]}
            try:
                person = invitations.accept_invitation(token=token, **wanted)
            except (ValidationError, IntegrityError) as error:
                show_errors(form, error)
            except PermissionDenied:
                form.add_error(None, "Who invited you may not do so any more. Ask for another invitation.")
            else:
                get_adapter(request).login(request, person)
                return HttpResponseRedirect(reverse("admin:index"))
        return self._page(request, token, form)

    def _page(self, request: HttpRequest, token: str, form: JoinForm) -> HttpResponse:
        context = {"form": form, "invitation": form.invitation}
        return render(request, "labdb/login/invitation.html", context, status=200 if form.invitation else 404)
