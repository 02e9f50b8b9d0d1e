"""The page of access tokens: one's own, a new one, and for administrators everybody's."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminTextInputWidget,
)

from labdb.base.admin.verbs import show_errors
from labdb.base.models import AccessToken
from labdb.base.tokens import DAYS, LONGEST_DAYS, experiments_of, issue_token, revoke_all_tokens, revoke_token

SCOPES = [("read", "Read"), ("write", "Read and write")]


class TokenForm(forms.Form):
    """A new token of one's own."""

    name = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text="What it is for, e.g. the script that plots weights.",
    )
    scope = forms.ChoiceField(label="It may", choices=SCOPES, initial="read", widget=UnfoldAdminRadioSelectWidget)
    experiments: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text="Only these; choose none for all of yours.",
    )
    days = forms.IntegerField(
        label="Days until it expires",
        initial=DAYS,
        min_value=1,
        max_value=LONGEST_DAYS,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def __init__(self, person: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["experiments"].queryset = experiments_of(person)  # type: ignore[attr-defined]


def page(request: HttpRequest, site: Any) -> HttpResponse:
    """The tokens and the form of a new one; its secret is told on the answer to the form and nowhere else."""
    answer = {"revoke": _revoke, "revoke_all": _revoke_all}.get(request.POST.get("do", ""))
    if answer is not None:
        return answer(request)
    form, issued, secret = TokenForm(request.user, request.POST or None), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            issued, secret = _issue(request.user, form.cleaned_data)
            form = TokenForm(request.user)
        except ValidationError as error:
            show_errors(form, error)
    own = AccessToken.objects.filter(user=request.user)
    others = AccessToken.objects.visible_to(request.user).exclude(user=request.user).select_related("user")
    context = {
        **site.each_context(request),
        "title": "My access tokens",
        "form": form,
        "media": form.media,
        "issued": issued,
        "secret": secret,
        "own": list(_told(own, request.user)),
        "others": list(_told(others, request.user)),
    }
    response = TemplateResponse(request, "labdb/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _issue(person: Any, wish: dict[str, Any]) -> tuple[AccessToken, str]:
    experiments = [row.pk for row in wish["experiments"]] or None
    return issue_token(
        by=person, name=wish["name"], can_write=wish["scope"] == "write", experiments=experiments, days=wish["days"]
    )


def _told(tokens: Iterable[AccessToken], person: Any) -> Iterable[dict[str, Any]]:
    found = list(tokens)
    keys = {key for token in found for key in token.experiments or ()}
    codes = {row.pk: str(row) for row in experiments_of(person).filter(pk__in=keys)} if keys else {}
    now = timezone.now()
    for token in found:
        reached = (
            None
            if token.experiments is None
            else [codes.get(key, "one that you do not see") for key in token.experiments]
        )
        yield {"token": token, "reached": reached, "is_expired": token.expiry is not None and token.expiry < now}


def _revoke(request: HttpRequest) -> HttpResponse:
    key = request.POST.get("token", "")
    try:
        token = get_object_or_404(AccessToken.objects.visible_to(request.user), pk=key)
    except ValidationError:  # no UUID
        raise Http404("There is no such access token.") from None
    revoke_token(token=token, by=request.user)
    messages.success(request, f"“{token}” is revoked. Whatever used it is refused from now on.")
    return HttpResponseRedirect(reverse("admin:tokens"))


def _revoke_all(request: HttpRequest) -> HttpResponse:
    person: Any = request.user
    count = revoke_all_tokens(person=person, by=person)
    messages.success(request, f"Revoked: {count}. Whatever used them is refused from now on.")
    return HttpResponseRedirect(reverse("admin:tokens"))


def urls(site: Any) -> list[URLPattern]:
    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.is_active:
            raise PermissionDenied
        return page(request, site)

    return [path("tokens/", site.admin_view(view), name="tokens")]
