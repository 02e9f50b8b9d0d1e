"""The admin site: home page, log-in, search, and the list behind a foreign key's field."""

from typing import Any, cast

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite

from labdb.base.panels import HOME, shown_panels

SEARCH_RESULTS_PER_MODEL = 8
SHORTEST_SEARCH = 2  # characters
OTHERS = ("allauth.", "django.contrib.auth.")  # whose models have no page here


class Choices(AutocompleteJsonView):
    """The rows that a field may refer to, told as its admin tells them (an arm with its experiment)."""

    model_admin: Any

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return super().serialize_result(obj, to_field_name) | {"text": self.model_admin.told(obj)}


class LabSite(UnfoldAdminSite):
    index_template = "labdb/home.html"
    index_title = "Today"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leaves out the pages that allauth brings (they would show second factors' secrets) and Django's groups."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        kept = [model for model in models if not model.__module__.startswith(OTHERS)]
        super().register(kept, admin_class, **options)

    def extra_urls(self) -> list[URLPattern]:
        """The pages of the trail and of the access tokens, beside those of the models."""
        from labdb.base.admin import token_pages, trail_pages

        return [*trail_pages.urls(self), *token_pages.urls(self)]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**self.each_context(request), "title": self.index_title, "panels": shown_panels(HOME, request)}
        request.current_app = self.name
        return TemplateResponse(request, self.index_template, context | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leads to the one log-in page. Who is logged in and comes here may not use the admin."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        is_own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
        return redirect_to_login(wanted if is_own else reverse("admin:index"), reverse("account_login"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseRedirect(reverse("account_logout"))
        logout(request)
        return HttpResponseRedirect(reverse("account_login"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))

    def autocomplete_view(self, request: HttpRequest) -> JsonResponse:
        return cast(JsonResponse, Choices.as_view(admin_site=self)(request))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Rows of every searchable page. The theme's own search remembers results past a change of who may see them."""
        term = request.GET.get("s", "").replace("\x00", "").strip()
        results = self._found(request, term) if len(term) >= SHORTEST_SEARCH else []
        context = {"results": Paginator(results, max(len(results), 1)).page(1), "page_counter": 0}
        return TemplateResponse(request, "labdb/search_results.html", context, headers={"HX-Trigger": "search"})

    def _found(self, request: HttpRequest, term: str) -> list[dict[str, str]]:
        results = []
        for model, model_admin in self._registry.items():
            if getattr(model_admin, "is_searched", False) and model_admin.has_view_permission(request):
                rows = model_admin.get_queryset(request)
                rows, _ = model_admin.get_search_results(request, rows, term)
                for row in rows[:SEARCH_RESULTS_PER_MODEL]:
                    link = model_admin.page_url(row)
                    kind = str(model._meta.verbose_name)
                    results.append({"title": model_admin.told(row), "description": kind, "link": link})
        return results


def change_url(row: Any) -> str:
    """The address of a row's own admin page, or an empty string where it has none."""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""
