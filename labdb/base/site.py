"""The admin site: home page, log-in, search, and the list behind a foreign key's field."""

from typing import Any, cast

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from unfold.sites import UnfoldAdminSite

from labdb.base.panels import HOME, shown_panels

SEARCH_RESULTS_PER_MODEL = 8
SHORTEST_SEARCH = 2  # characters


class Choices(AutocompleteJsonView):
    """The rows that a field may refer to, told as its admin tells them (an arm with its experiment)."""

    model_admin: Any

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return super().serialize_result(obj, to_field_name) | {"text": self.model_admin.told(obj)}


class LabSite(UnfoldAdminSite):
    index_template = "labdb/home.html"
    login_template = "labdb/login.html"
    index_title = "Today"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {**self.each_context(request), "title": self.index_title, "panels": shown_panels(HOME, request)}
        request.current_app = self.name
        return TemplateResponse(request, self.index_template, context | (extra_context or {}))

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
