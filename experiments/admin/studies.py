"""Experiments with their arms and planned timepoints."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from experiments.actions.reports import request_report
from experiments.actions.studies import open_experiment
from experiments.actions.summaries import is_stale, request_summary
from experiments.admin.closing import VERBS
from experiments.admin.figures import figure_urls
from experiments.admin.grid_kinds import grid_links
from experiments.admin.grids import grid_urls
from experiments.admin.links import badge, list_url
from experiments.admin.notes import note_verb
from experiments.admin.plan_verbs import PLAN_VERBS
from experiments.admin.randomising import VERBS as COHORT_VERBS
from experiments.models import Arm, Experiment, Timepoint
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, Verb, VisibleFilter
from labdb.base.panels import Entry, register_entry


class OfExperiment(VisibleFilter):
    """A filter by experiment."""


class PlanInline(DoorTabularInline):
    """Rows of the plan: they may go as long as the experiment has not begun."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_planned = obj is None or obj.status == Experiment.Status.PLANNED
        return is_planned and super().has_delete_permission(request, obj)


class ArmInline(PlanInline):
    model = Arm
    fields = [
        "position",
        "label",
        "kind",
        "planned_n",
        "strain",
        "reference",
        "vehicle_arm",
        "healthy_arm",
        "description",
    ]
    ordering = ["position", "label"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("reference", "vehicle_arm", "healthy_arm"):  # only an arm of the same experiment
            key = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            kwargs["queryset"] = Arm.objects.filter(experiment=key) if key else Arm.objects.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class TimepointInline(PlanInline):
    model = Timepoint
    fields = ["label", "study_day", "window_before_days", "window_after_days"]
    ordering = ["study_day"]


def _summarise(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    request_summary(experiment=experiment, by=request.user)
    return "The summary is asked for; its progress stands under Jobs."


def _report(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    request_report(experiment=experiment, by=request.user)
    return "The report is asked for; it appears under Reports when a worker has made it."


@admin.register(Experiment)
class ExperimentAdmin(PageMixin, DoorAdmin):
    page = "experiment"
    page_template = "experiments/experiment_page.html"
    is_searched = True
    verbs = (
        Verb("summarise", "Summarise now", _summarise, icon="functions", asks="summarise", is_primary=True),
        Verb("report", "Make report", _report, icon="picture_as_pdf", asks="report"),
        *PLAN_VERBS,
        note_verb("experiment"),
        *COHORT_VERBS,
        *VERBS,
    )
    list_display = ["code", "title", "state", "shown_masking", "animals_count", "created_at"]
    list_filter = ["status", "masking", "is_simulated"]
    search_fields = ["code", "title"]
    inlines = [ArmInline, TimepointInline]
    fieldsets = [
        (None, {"fields": [("code", "status"), "title", "hypothesis"]}),
        (
            "Design",
            {"fields": ["masking", ("experimental_unit", "primary_endpoint"), "day_0_definition", "is_simulated"]},
        ),
        ("Approval", {"fields": [("licence", "ethics_number")]}),
        ("Published study", {"fields": [("provenance", "reference"), "follow_up_days"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(n_animals=Count("enrolments"))

    def get_urls(self) -> list:
        return [*figure_urls(self), *grid_urls(self), *super().get_urls()]

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "status":  # closing has a verb of its own
            kwargs["choices"] = [choice for choice in db_field.choices if choice[0] in ("planned", "running")]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list:
        return [] if obj is None else self.inlines

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:  # the form's own object stands for the one that the verb made
            opened = open_experiment(by=request.user, id=obj.pk, **form.cleaned_data)
            obj.__dict__.update(opened.__dict__)

    def page_context(self, request: HttpRequest, row: Experiment) -> dict[str, Any]:
        links = [
            ("Animals", list_url("animal", enrolments__experiment__id=row.pk)),
            ("Observations", list_url("observation", experiment__id=row.pk)),
            ("Procedures", list_url("procedure", experiment__id=row.pk)),
            ("Jobs", list_url("job", experiment__id=row.pk)),
            ("Reports", list_url("report", experiment__id=row.pk)),
            ("Report schedules", list_url("reportschedule", experiment__id=row.pk)),
        ]
        return {
            "links": [{"text": text, "url": url} for text, url in links],
            "grids": grid_links(request.user, row),
            "is_stale": is_stale(row),
        }

    @admin.display(description="animals", ordering="n_animals")
    def animals_count(self, row: Any) -> int:
        return row.n_animals

    @admin.display(description="status", ordering="status")
    def state(self, row: Experiment) -> Any:
        return badge(row.get_status_display(), "lab-good" if row.status == "running" else "")

    @admin.display(description="masking", ordering="masking")
    def shown_masking(self, row: Experiment) -> Any:
        return badge(row.get_masking_display(), "" if row.masking == "blinded" else "lab-warn")


@admin.register(Arm)
class ArmAdmin(DoorAdmin):
    list_display = ["label", "experiment", "kind", "position", "planned_n", "reference"]
    list_filter = [("experiment", OfExperiment), "kind"]
    list_select_related = ["experiment", "reference"]
    search_fields = ["label", "experiment__code"]
    autocomplete_fields = ["experiment", "reference", "vehicle_arm", "healthy_arm", "strain"]

    def told(self, row: Arm) -> str:
        return f"{row.experiment}: {row}"


@admin.register(Timepoint)
class TimepointAdmin(DoorAdmin):
    list_display = ["label", "experiment", "study_day", "window_before_days", "window_after_days"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment"]
    search_fields = ["label", "experiment__code"]
    autocomplete_fields = ["experiment"]

    def told(self, row: Timepoint) -> str:
        return f"{row.experiment}: {row}"


register_entry(Entry("Studies", "Experiments", "admin:experiments_experiment_changelist", "science", 10))
register_entry(Entry("Studies", "Arms", "admin:experiments_arm_changelist", "account_tree", 20))
register_entry(Entry("Studies", "Timepoints", "admin:experiments_timepoint_changelist", "event", 30))
