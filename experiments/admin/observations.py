"""What can be observed, samples, and the observations: read here, corrected with a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from experiments.actions.observations import correct_observation
from experiments.actions.specimens import reassign_specimen, swap_specimens
from experiments.admin.links import badge, instant, link, page_url
from experiments.admin.numbers import told_value
from experiments.admin.studies import OfExperiment
from experiments.models import Animal, Endpoint, Observation, SourceFile, Specimen
from labdb.base.admin import DoorAdmin, Verb, VerbOwnedAdmin, VisibleFilter
from labdb.base.panels import Entry, register_entry


@admin.register(Endpoint)
class EndpointAdmin(DoorAdmin):
    list_display = ["name", "key", "unit", "value_kind", "default_scale", "benefit", "is_built_in"]
    list_filter = ["value_kind", "is_built_in"]
    search_fields = ["name", "key"]
    fields = ["name", "key", ("unit", "value_kind"), ("default_scale", "benefit"), ("plausible_low", "plausible_high")]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.get_object(request, obj) if isinstance(obj, str) else obj
        if row is not None and row.is_built_in:  # the code owns it, and writes it again after every migration
            return False
        return super().has_change_permission(request, row)


MOVES = "The results move to the animal that the specimen was taken from; the earlier rows stay in the record, closed."


def _reason_why() -> forms.CharField:
    told = "How it is known that the specimens were mixed up; it is kept with the results."
    return forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text=told)


def reassignment_form(request: HttpRequest, row: Specimen) -> type[forms.Form]:
    """The other animals of the experiment."""
    animals = Animal.objects.visible_to(request.user).filter(enrolments__experiment=row.experiment_id)

    class Reassignment(forms.Form):
        animal = forms.ModelChoiceField(animals.exclude(pk=row.animal_id), widget=UnfoldAdminSelectWidget)
        reason = _reason_why()

    return Reassignment


def swap_form(request: HttpRequest, row: Specimen) -> type[forms.Form]:
    """The other animals' specimens of the experiment."""
    others = Specimen.objects.visible_to(request.user).filter(experiment=row.experiment_id)

    class Swap(forms.Form):
        other = forms.ModelChoiceField(others.exclude(animal=row.animal_id), widget=UnfoldAdminSelectWidget)
        reason = _reason_why()

    return Swap


def _reassign(request: HttpRequest, row: Specimen, answers: dict[str, Any]) -> str:
    moved = reassign_specimen(specimen=row, by=request.user, **answers)
    return f"{row} is recorded as taken from {answers['animal']}; {len(moved)} results moved along."


def _swap(request: HttpRequest, row: Specimen, answers: dict[str, Any]) -> str:
    moved = swap_specimens(specimen=row, by=request.user, **answers)
    return f"{row} and {answers['other']} exchanged their animals; {len(moved)} results moved along."


@admin.register(Specimen)
class SpecimenAdmin(DoorAdmin):
    is_searched = True
    list_display = ["code", "experiment", "animal", "matrix", "timepoint", "collected_at", "is_haemolysed"]
    list_filter = [("experiment", OfExperiment), "matrix"]
    list_select_related = ["experiment", "animal", "timepoint"]
    search_fields = ["code", "animal__lab_id"]
    autocomplete_fields = ["experiment", "animal", "timepoint"]
    verbs = (
        Verb("reassign", "Reassign", _reassign, icon="swap_horiz", form=reassignment_form, explanation=MOVES),
        Verb("swap", "Swap with another", _swap, icon="swap_calls", form=swap_form, explanation=MOVES),
    )


class QuantityCorrection(forms.Form):
    """The corrected number of an observation."""

    qualifier = forms.ChoiceField(choices=Observation.Qualifier.choices, widget=UnfoldAdminSelectWidget)
    number = forms.DecimalField(
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="The value, or the limit of quantification where the sign is < or >.",
    )
    unit = forms.CharField(max_length=30, required=False, widget=UnfoldAdminTextInputWidget)


class CategoryCorrection(forms.Form):
    """The corrected category of an observation."""

    category = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget)


def correction_form(request: HttpRequest, row: Observation) -> type[forms.Form]:
    """A form with the present value, for a number or for a category, and an empty reason."""
    base = QuantityCorrection if row.category is None else CategoryCorrection
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Why the value is replaced; it is kept with both."
    )
    present = {"qualifier": row.qualifier, "number": row.entered_value, "unit": row.entered_unit}
    present["category"] = row.category

    class Correction(base):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, initial=present, **kwargs)
            self.fields["reason"] = reason

    return Correction


def _correct(request: HttpRequest, row: Observation, answers: dict[str, Any]) -> HttpResponse:
    newer = correct_observation(observation=row, by=request.user, **answers)
    messages.success(request, f"Corrected: {newer.shown_value}. The earlier value stays in the record.")
    return HttpResponseRedirect(page_url(newer))


@admin.register(Observation)
class ObservationAdmin(VerbOwnedAdmin):
    verbs = (
        Verb(
            "correct",
            "Correct",
            _correct,
            icon="edit_note",
            form=correction_form,
            explanation="The present value is closed and replaced by a newer one; both stay in the record.",
            is_shown=lambda row: row.is_current,
        ),
    )
    list_display = ["subject", "endpoint", "rounded", "timepoint", "when", "origin", "recorded_by", "standing"]
    list_display_links = ["subject", "rounded"]
    list_filter = [
        ("experiment", OfExperiment),
        ("endpoint", VisibleFilter),
        "qualifier",
        "is_current",
    ]
    list_select_related = ["animal", "cage", "litter", "endpoint", "timepoint", "recorded_by"]
    search_fields = ["animal__lab_id", "cage__label", "litter__code", "source_place"]
    ordering = ["-recorded_at", "endpoint", "id"]
    fieldsets = [
        (None, {"fields": ["experiment", ("animal", "cage", "litter"), "endpoint", ("shown", "standing")]}),
        ("When", {"fields": ["timepoint", "when"]}),
        ("Which of several", {"fields": [("side", "reader"), ("specimen", "ordinal")]}),
        ("As it came", {"fields": [("entered_value", "entered_unit"), ("file", "source_place")]}),
        ("Record", {"fields": [("person", "recorded_at"), ("supersedes", "reason")]}),
    ]
    readonly_fields = ["shown", "when", "standing", "person", "file"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With the file's name for whoever may see the file: a sheet may be called like its arm."""
        files = SourceFile.objects.visible_to(request.user).filter(pk=OuterRef("source_file"))
        return super().get_queryset(request).annotate(file_name=Subquery(files.values("name")))

    @admin.display(description="on", ordering="animal__lab_id")
    def subject(self, row: Observation) -> str:
        return str(row.animal or row.cage or row.litter)

    @admin.display(description="value")
    def shown(self, row: Observation) -> str:
        return row.shown_value

    @admin.display(description="value", ordering="value")
    def rounded(self, row: Observation) -> Any:
        return format_html('<span title="{}">{}</span>', row.shown_value, told_value(row))

    @admin.display(description="observed", ordering="observed_at")
    def when(self, row: Observation) -> str:
        return instant(row.observed_at, row.is_time_known)

    @admin.display(description="recorded by")
    def person(self, row: Observation) -> str:
        return str(row.recorded_by)  # told without a link: the page of a person is for administrators

    @admin.display(description="source file")
    def file(self, row: Any) -> Any:
        return link(row.source_file) if row.file_name else "–"

    @admin.display(description="from")
    def origin(self, row: Any) -> str:
        return " ".join(filter(None, [row.file_name, row.source_place])) or "entered"

    @admin.display(description="standing", ordering="is_current")
    def standing(self, row: Observation) -> Any:
        if not row.is_current:
            return badge("replaced", "lab-bad")
        return badge("corrected", "lab-warn") if row.supersedes_id else badge("current", "lab-good")


register_entry(Entry("Record", "Observations", "admin:experiments_observation_changelist", "monitoring", 10))
register_entry(Entry("Record", "Specimens", "admin:experiments_specimen_changelist", "colorize", 15))
register_entry(Entry("Laboratory", "Endpoints", "admin:experiments_endpoint_changelist", "straighten", 20))
