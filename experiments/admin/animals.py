"""Animals, where they live, and what became of them."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest

from experiments.actions.cytotoxic import is_marked, with_cytotoxic_until
from experiments.admin.excluding import EXCLUDE
from experiments.admin.links import badge, page_url
from experiments.admin.notes import note_verb
from experiments.admin.recorded import RecordedAdmin
from experiments.admin.stock_verbs import PROCEDURE_VERBS
from experiments.admin.studies import OfExperiment
from experiments.models import (
    Allocation,
    Animal,
    Cage,
    Disposition,
    Enrolment,
    Housing,
    Litter,
    Procedure,
    Strain,
)
from labdb.base.admin import DoorAdmin, DoorTabularInline, PageMixin, VisibleFilter
from labdb.base.panels import Entry, register_entry, register_notice


@admin.register(Strain)
class StrainAdmin(DoorAdmin):
    list_display = ["name", "species", "mgi_id", "rrid", "is_unknown"]
    list_filter = ["species", "is_unknown"]
    search_fields = ["name", "mgi_id", "rrid"]


@admin.register(Litter)
class LitterAdmin(DoorAdmin):
    list_display = ["code", "experiment", "dam", "born_on"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment"]
    search_fields = ["code", "dam", "experiment__code"]
    autocomplete_fields = ["experiment"]


@admin.register(Cage)
class CageAdmin(DoorAdmin):
    list_display = ["label", "experiment", "cytotoxic"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["experiment"]
    search_fields = ["label", "experiment__code"]
    autocomplete_fields = ["experiment"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_cytotoxic_until(super().get_queryset(request), request.user)

    @admin.display(description="cytotoxic waste")
    def cytotoxic(self, row: Any) -> Any:
        return badge(f"until {row.cytotoxic_until}", "lab-bad") if is_marked(row) else "–"


@register_notice
def cytotoxic_cage(request: HttpRequest, row: Any) -> list[str]:
    """What whoever cleans a cage after chemotherapy has to know."""
    if not isinstance(row, Cage):
        return []
    marked = with_cytotoxic_until(Cage.objects.filter(pk=row.pk), request.user).get()
    told = f"Cytotoxic waste until {marked.cytotoxic_until}: an animal in this cage was given a cytotoxic drug."
    return [told] if is_marked(marked) else []


class HousingInline(DoorTabularInline):
    model = Housing
    fields = ["cage", "started_on", "ended_on"]
    autocomplete_fields = ["cage"]
    is_deletable = False


class EnrolmentInline(DoorTabularInline):
    model = Enrolment
    fields = ["experiment", "day_0", "actual_severity"]
    autocomplete_fields = ["experiment"]
    is_deletable = False


@admin.register(Animal)
class AnimalAdmin(PageMixin, DoorAdmin):
    page = "animal"
    page_template = "experiments/animal_page.html"
    verbs = (note_verb("animal"),)
    is_searched = True
    history_depth = 2  # enrolments and what hangs on them: everything about the animal
    list_display = ["lab_id", "strain", "sex", "born_on", "of_litter", "in_experiments"]
    list_filter = [("enrolments__experiment", OfExperiment), "sex", ("strain", VisibleFilter)]
    list_select_related = ["strain"]
    search_fields = ["lab_id", "ear_tag", "transponder"]
    autocomplete_fields = ["strain", "litter"]
    inlines = [EnrolmentInline, HousingInline]
    fields = [
        ("lab_id", "sex"),
        ("strain", "genotype"),
        ("born_on", "litter"),
        ("ear_tag", "transponder"),
        ("supplier", "arrived_on"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With what of the animal's experiments and of its litter the person may see."""
        visible = Enrolment.objects.visible_to(request.user).select_related("experiment")
        litters = Litter.objects.visible_to(request.user).filter(pk=OuterRef("litter"))
        animals = super().get_queryset(request).annotate(litter_code=Subquery(litters.values("code")))
        return animals.prefetch_related(Prefetch("enrolments", visible, to_attr="seen_enrolments"))

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        seen = [e.experiment for e in row.seen_enrolments]
        enrolments = [{"row": experiment, "url": page_url(experiment)} for experiment in seen]
        return {"enrolments": enrolments, "is_simulated": any(e.is_simulated for e in seen)}

    @admin.display(description="litter", ordering="litter__code")
    def of_litter(self, row: Any) -> str:
        return row.litter_code or "–"

    @admin.display(description="experiments")
    def in_experiments(self, row: Any) -> str:
        return ", ".join(e.experiment.code for e in row.seen_enrolments) or "–"


@admin.register(Housing)
class HousingAdmin(DoorAdmin):
    list_display = ["animal", "cage", "started_on", "ended_on"]
    list_filter = [("animal__enrolments__experiment", OfExperiment)]
    list_select_related = ["animal", "cage"]
    search_fields = ["animal__lab_id", "cage__label"]
    autocomplete_fields = ["animal", "cage"]


class PartOfExperiment(DoorAdmin):
    """Rows about an animal's part in an experiment."""

    list_select_related = ["experiment", "enrolment__animal", "enrolment__experiment"]
    search_fields = ["enrolment__animal__lab_id"]
    autocomplete_fields = ["experiment", "enrolment"]

    @admin.display(description="animal", ordering="enrolment__animal__lab_id")
    def animal(self, row: Any) -> Any:
        return row.enrolment.animal


@admin.register(Enrolment)
class EnrolmentAdmin(DoorAdmin):
    verbs = (EXCLUDE,)
    list_display = ["animal", "experiment", "day_0"]
    list_filter = [("experiment", OfExperiment)]
    list_select_related = ["animal", "experiment"]
    search_fields = ["animal__lab_id", "experiment__code"]
    autocomplete_fields = ["experiment", "animal"]


@admin.register(Allocation)
class AllocationAdmin(PartOfExperiment):
    list_display = ["animal", "experiment", "arm", "method", "allocated_at"]
    list_filter = [("experiment", OfExperiment), "method"]
    list_select_related = ["experiment", "arm", "enrolment__animal", "enrolment__experiment"]
    autocomplete_fields = ["experiment", "enrolment", "arm"]


@admin.register(Disposition)
class DispositionAdmin(PartOfExperiment):
    list_display = ["animal", "experiment", "kind", "occurred_on", "note"]
    list_filter = [("experiment", OfExperiment), "kind"]


@admin.register(Procedure)
class ProcedureAdmin(RecordedAdmin, PartOfExperiment):
    verbs = PROCEDURE_VERBS
    readonly_fields = ["deviation"]
    list_display = ["animal", "experiment", "name", "description", "performed_on"]
    list_filter = [("experiment", OfExperiment)]
    search_fields = ["enrolment__animal__lab_id", "name", "description"]


register_entry(Entry("Studies", "Animals", "admin:experiments_animal_changelist", "pest_control_rodent", 15))
register_entry(Entry("Studies", "Enrolments", "admin:experiments_enrolment_changelist", "how_to_reg", 40))
register_entry(Entry("Studies", "Allocations", "admin:experiments_allocation_changelist", "call_split", 50))
register_entry(Entry("Record", "Procedures", "admin:experiments_procedure_changelist", "vaccines", 20))
register_entry(Entry("Record", "Dispositions", "admin:experiments_disposition_changelist", "event_busy", 30))
register_entry(Entry("Record", "Cages", "admin:experiments_cage_changelist", "inbox", 40))
register_entry(Entry("Record", "Housing", "admin:experiments_housing_changelist", "home", 50))
register_entry(Entry("Record", "Litters", "admin:experiments_litter_changelist", "diversity_3", 60))
register_entry(Entry("Laboratory", "Strains", "admin:experiments_strain_changelist", "biotech", 10))
