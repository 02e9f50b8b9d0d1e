"""Reports and when they are made by themselves."""

from typing import Any

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from experiments.actions.reports import keep_schedule
from experiments.admin.jobs import OfJobMixin
from experiments.admin.links import badge, digest
from experiments.admin.studies import OfExperiment
from experiments.models import Report, ReportSchedule
from labdb.base.admin import DoorAdmin, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


@admin.register(ReportSchedule)
class ReportScheduleAdmin(DoorAdmin):
    list_display = ["experiment", "cadence", "on_day", "at_time", "time_zone", "is_active"]
    list_filter = [("experiment", OfExperiment), "cadence", "is_active"]
    list_select_related = ["experiment"]
    search_fields = ["experiment__code"]
    autocomplete_fields = ["experiment"]
    fields = ["experiment", "cadence", ("weekday", "day_of_month"), ("at_time", "time_zone"), "is_active"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        keep_schedule(schedule=obj, by=request.user)

    @admin.display(description="day")
    def on_day(self, row: ReportSchedule) -> str:
        if row.cadence == ReportSchedule.Cadence.WEEKLY:
            return row.get_weekday_display()
        return f"day {row.day_of_month}" if row.cadence == ReportSchedule.Cadence.MONTHLY else "every day"


def download_url(report: Report) -> str:
    return reverse("admin:experiments_report_download", args=[report.pk])


@admin.register(Report)
class ReportAdmin(OfJobMixin, VerbOwnedAdmin):
    list_display = ["kind", "experiment", "state", "created_at", "due_at", "pdf"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment", "job"]
    search_fields = ["experiment__code"]
    fields = [
        "experiment",
        "kind",
        "state",
        "pdf",
        ("created_at", "rendered_at"),
        ("schedule", "due_at"),
        "digests",
        "made_by",
    ]
    readonly_fields = ["state", "pdf", "digests", "made_by"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("<path:object_id>/download/", view, name="experiments_report_download"), *super().get_urls()]

    def download(self, request: HttpRequest, object_id: str) -> HttpResponse | FileResponse:
        report = self.visible_row(request, object_id)
        if not report.sha256:
            raise Http404("This report is not rendered yet.")
        return FileResponse(
            report.path.open("rb"), as_attachment=True, filename=report.file_name, content_type="application/pdf"
        )

    @admin.display(description="state")
    def state(self, row: Report) -> Any:
        if row.sha256:
            return badge("ready", "lab-good")
        if row.job and row.job.state == "failed":
            return badge("failed", "lab-bad")
        return badge("being made", "lab-warn")

    @admin.display(description="PDF")
    def pdf(self, row: Report) -> Any:
        return format_html('<a href="{}">Download</a>', download_url(row)) if row.sha256 else "–"

    @admin.display(description="digests (inputs, PDF)")
    def digests(self, row: Report) -> Any:
        return format_html("{} · {}", digest(row.inputs_sha256), digest(row.sha256))


register_entry(Entry("Outcomes", "Reports", "admin:experiments_report_changelist", "picture_as_pdf", 30))
register_entry(
    Entry("Outcomes", "Report schedules", "admin:experiments_reportschedule_changelist", "schedule_send", 40)
)
