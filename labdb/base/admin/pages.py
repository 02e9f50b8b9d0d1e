"""A row's page: what a person reads, apart from the form in which it is changed."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from labdb.base.access import may
from labdb.base.admin import versions
from labdb.base.panels import shown_notices, shown_panels
from labdb.base.site import change_url


class PageMixin:
    """For a ModelAdmin: rows have a page at ``<row>/page/``, made of ``page_template`` and the panels of ``page``."""

    page: str = ""
    page_template = "labdb/page.html"

    def page_url(self, row: Any) -> str:
        meta = self.model._meta  # type: ignore[attr-defined]
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_page", args=[row.pk])

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_page"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.page_view)  # type: ignore[attr-defined]
        return [path("<path:object_id>/page/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {}

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        seen = versions.present([(self.model, [unquote(object_id)])])  # type: ignore[attr-defined]  # before the row is read
        row = self.visible_row(request, object_id)  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.model._meta,  # type: ignore[attr-defined]
            "title": str(row),
            "original": row,
            "row": row,
            "buttons": self.verb_buttons(request, row, seen),  # type: ignore[attr-defined]
            "edit_url": change_url(row) if may(request.user, "change", row) else "",
            "history_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_history", args=[row.pk]),  # type: ignore[attr-defined]
            "notices": shown_notices(request, row),
            "panels": shown_panels(self.page, request, row),
            **self.page_context(request, row),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, self.page_template, context)
