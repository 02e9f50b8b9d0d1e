"""Background work: what was asked for, how far it is, and why it failed."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from experiments.actions.jobs import retry_job
from experiments.admin.links import STATE_COLOURS, badge, link
from experiments.admin.studies import OfExperiment
from experiments.models import Job
from labdb.base.admin import Verb, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


def told_kind(job: Job) -> str:
    return job.kind.replace("_", " ").capitalize()


class OfJobMixin:
    """For a ModelAdmin of rows that a job makes: ``made_by`` names it to whoever may see the job."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        jobs = Job.objects.visible_to(request.user).filter(pk=OuterRef("job"))
        return super().get_queryset(request).annotate(sees_job=Exists(jobs))  # type: ignore[misc]

    @admin.display(description="job")
    def made_by(self, row: Any) -> Any:
        return link(row.job) if row.sees_job else "–"


def _again(request: HttpRequest, job: Job, answers: dict[str, Any]) -> str:
    retry_job(job=job, by=request.user)
    return "The work is asked for again, as a new job."


@admin.register(Job)
class JobAdmin(VerbOwnedAdmin):
    verbs = (Verb("again", "Try again", _again, "refresh", "retry", is_shown=lambda job: job.state == "failed"),)
    list_display = [
        "work",
        "shown_state",
        "progress",
        "experiment",
        "requested_by",
        "requested_at",
        "finished_at",
        "reason",
    ]
    list_filter = ["state", ("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment", "requested_by"]
    search_fields = ["kind", "error", "experiment__code"]
    fields = [("work", "shown_state"), "experiment", "progress", ("person", "requested_at")]
    fields += [("started_at", "finished_at"), "attempts", "error", "result"]
    readonly_fields = ["work", "shown_state", "progress", "person"]

    @admin.display(description="work", ordering="kind")
    def work(self, row: Job) -> str:
        return told_kind(row)

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: Job) -> Any:
        return badge(row.get_state_display(), STATE_COLOURS[row.state])

    @admin.display(description="progress")
    def progress(self, row: Job) -> Any:
        if not row.progress_total:
            return row.progress_note or "–"
        return format_html("{} of {} {}", row.progress_done, row.progress_total, row.progress_note)

    @admin.display(description="requested by")
    def person(self, row: Job) -> str:
        return str(row.requested_by or "the system")

    @admin.display(description="reason")
    def reason(self, row: Job) -> str:
        return row.error[:120] + ("…" if len(row.error) > 120 else "")


register_entry(Entry("Work", "Jobs", "admin:experiments_job_changelist", "pending_actions", 10))
