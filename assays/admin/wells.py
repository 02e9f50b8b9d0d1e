"""Wells: what is in one, and masking it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from assays.actions import mask_well, unmask_well
from assays.admin.runs import ReasonForm
from assays.models import Well
from experiments.admin.links import page_url
from labdb.base.admin import Verb, VerbOwnedAdmin
from labdb.base.panels import Entry, register_entry


def _mask(request: HttpRequest, well: Well, answers: dict[str, Any]) -> HttpResponse:
    run = mask_well(well=well, by=request.user, **answers)
    messages.success(request, f"{well} is masked; the run is evaluated once more.")
    return HttpResponseRedirect(page_url(run))


def _unmask(request: HttpRequest, well: Well, answers: dict[str, Any]) -> HttpResponse:
    run = unmask_well(well=well, by=request.user, **answers)
    messages.success(request, f"{well} counts again; the run is evaluated once more.")
    return HttpResponseRedirect(page_url(run))


def _may_change(well: Well) -> bool:
    return well.run.state in ("draft", "quantified")


@admin.register(Well)
class WellAdmin(VerbOwnedAdmin):
    verbs = (
        Verb("mask", "Mask", _mask, "visibility_off", "mask", ReasonForm,
             is_shown=lambda well: not well.is_masked and _may_change(well)),
        Verb("unmask", "Take back in", _unmask, "visibility", "unmask", ReasonForm,
             is_shown=lambda well: well.is_masked and _may_change(well)),
    )  # fmt: skip
    list_display = ["name", "plate", "run", "role", "sample", "specimen", "dilution_factor", "is_masked"]
    list_filter = ["role", "is_masked"]
    list_select_related = ["plate", "run__source_file", "specimen"]
    search_fields = ["sample", "name"]
    fields: ClassVar[list[Any]] = [
        ("name", "role"), ("plate", "run"), ("sample", "specimen"), ("nominal_concentration", "nominal_unit"),
        "dilution_factor", ("is_masked", "masked_by"), ("masked_at", "masked_reason"), "shown_readings",
    ]  # fmt: skip
    readonly_fields = ["shown_readings"]

    @admin.display(description="readings")
    def shown_readings(self, row: Well) -> str:
        return "; ".join(f"{r.channel}: {r.printed} {r.flag}".strip() for r in row.readings.all()) or "not read"


register_entry(Entry("Assays", "Wells", "admin:assays_well_changelist", "grid_on", 20))
