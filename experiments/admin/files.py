"""Files as they came."""

from typing import Any

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from experiments.admin.links import digest
from experiments.admin.studies import OfExperiment
from experiments.models import SourceFile
from labdb.base.admin import VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(SourceFile)
class SourceFileAdmin(VerbOwnedAdmin):
    is_searched = True
    list_display = ["name", "experiment", "size", "uploaded_by", "uploaded_at", "sha", "original"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment", "uploaded_by"]
    search_fields = ["name", "sha256"]
    fields = ["name", "experiment", "size", ("person", "uploaded_at"), "sha256", "original"]
    readonly_fields = ["size", "original", "person"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("<path:object_id>/download/", view, name="experiments_sourcefile_download"), *super().get_urls()]

    def download(self, request: HttpRequest, object_id: str) -> FileResponse:
        """The bytes as they came, always as a download: a browser never shows what somebody sent."""
        file = self.visible_row(request, object_id)
        if not file.path.exists():
            raise Http404("The bytes of this file are missing.")
        return FileResponse(
            file.path.open("rb"), as_attachment=True, filename=file.name, content_type="application/octet-stream"
        )

    @admin.display(description="size", ordering="size_bytes")
    def size(self, row: SourceFile) -> str:
        return f"{row.size_bytes / 1024:.1f} KiB" if row.size_bytes < 1024**2 else f"{row.size_bytes / 1024**2:.1f} MiB"

    @admin.display(description="uploaded by")
    def person(self, row: SourceFile) -> str:
        return str(row.uploaded_by)

    @admin.display(description="SHA-256")
    def sha(self, row: SourceFile) -> Any:
        return digest(row.sha256)

    @admin.display(description="as it came")
    def original(self, row: SourceFile) -> Any:
        url = reverse("admin:experiments_sourcefile_download", args=[row.pk])
        return format_html('<a href="{}">Download</a>', url)


register_entry(Entry("Work", "Files", "admin:experiments_sourcefile_changelist", "draft", 20))
