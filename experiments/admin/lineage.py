"""From the donor to the mouse and back, on the pages of donors, batches, lots, vials, recalls and animals."""

from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from experiments.admin.links import instant, link
from experiments.lineage import Node, Reached, doses_of, downstream, reached, reached_from, upstream
from experiments.models import (
    Animal,
    Donor,
    IsolationBatch,
    Recall,
    Release,
    StockMovement,
    Vial,
)
from labdb.base.admin import PageMixin
from labdb.base.panels import Panel, register_panel

SHOWN = 100
KINDS = {
    "donor": "Donor", "tissuesample": "Tissue", "isolationbatch": "Batch", "passage": "Passage", "lot": "Lot",
    "vial": "Vial",
}  # fmt: skip


def node_link(node: Node, admin_site: Any = admin.site) -> SafeString:
    """A link to the row's page, or to its form where it has none."""
    model = next(each for each in admin_site._registry if each._meta.label_lower == f"experiments.{node.kind}")
    place = "page" if isinstance(admin_site.get_model_admin(model), PageMixin) else "change"
    url = reverse(f"admin:experiments_{node.kind}_{place}", args=[node.id])
    return format_html('<a href="{}">{}</a>', url, node.label)


def steps(nodes: list[Node]) -> list[dict[str, Any]]:
    """The nodes by kind, at most SHOWN of each."""
    found = []
    for kind, group in groupby(nodes, key=lambda node: node.kind):
        rows = list(group)
        links = [node_link(node) for node in rows[:SHOWN]]
        found.append({"kind": KINDS[kind], "links": links, "n_more": max(0, len(rows) - SHOWN)})
    return found


def _starts(row: Any) -> dict[str, list[Any]]:
    """Lots and batches that ``row`` stands for."""
    if isinstance(row, IsolationBatch):
        return {"batches": [row.pk], "lots": []}
    if isinstance(row, Recall):
        return {"batches": [row.batch_id] if row.batch_id else [], "lots": [row.lot_id] if row.lot_id else []}
    if isinstance(row, Donor):
        keys = IsolationBatch.objects.filter(tissue_sample__donor=row).values_list("pk", flat=True)
        return {"batches": list(keys), "lots": []}
    return {"batches": [], "lots": [row.lot_id if isinstance(row, Vial) else row.pk]}


def came_from(request: HttpRequest, row: Any) -> dict[str, Any]:
    starts = _starts(row)
    own = {row.pk, *starts["batches"]} if isinstance(row, Donor) else {row.pk}
    nodes = upstream(starts["lots"], request.user, batches=starts["batches"])
    return {"steps": steps([node for node in nodes if node.id not in own])}


def went_into(request: HttpRequest, row: Any) -> dict[str, Any]:
    starts = _starts(row)
    nodes = [] if isinstance(row, Vial) else downstream(request.user, **starts)
    found = reached_from(request.user, [row.pk]) if isinstance(row, Vial) else reached(request.user, **starts)
    return {"steps": steps([node for node in nodes if node.id != row.pk]), **told_animals(found)}


def told_animals(found: Reached) -> dict[str, Any]:
    rows = [
        {"link": format_html('<a href="{}">{}</a>', _animal_url(each.animal), each.lab_id), "row": each}
        for each in found.animals[:SHOWN]
    ]
    return {"animals": rows, "n_animals": len(found.animals), "n_others": found.n_others}


def _animal_url(key: Any) -> str:
    return reverse("admin:experiments_animal_page", args=[key])


def movements(request: HttpRequest, vial: Vial) -> dict[str, Any]:
    rows = StockMovement.objects.visible_to(request.user).filter(vial=vial)
    rows = rows.select_related("moved_by", "experiment", "made_lot", "counterpart__vial")
    told = [{"row": row, "at": instant(row.moved_at), "where": _where(row)} for row in rows[:SHOWN]]
    return {"rows": told, "unit": vial.lot.product.dose_unit, "vial": vial}


def _where(row: StockMovement) -> Any:
    if row.experiment:
        return link(row.experiment)
    if row.counterpart:
        return link(row.counterpart.vial)
    return link(row.made_lot) if row.made_lot else row.reason


def decisions(request: HttpRequest, row: Any) -> dict[str, Any]:
    """Releases, rejections and recalls of a batch or lot, the last one first."""
    of = {"batch": row} if isinstance(row, IsolationBatch) else {"lot": row}
    told: list[tuple[datetime, str, str, Any]] = [
        (r.decided_at, str(r).split(": ")[-1], r.statement, r.decided_by)
        for r in Release.objects.filter(**of).select_related("batch", "lot", "decided_by")
    ]
    for r in Recall.objects.filter(**of).select_related("recalled_by", "lifted_by"):
        told.append((r.recalled_at, "recalled", r.reason, r.recalled_by))
        if r.lifted_at:
            told.append((r.lifted_at, "recall lifted", r.lift_reason, r.lifted_by))
    told.sort(key=lambda each: each[0], reverse=True)
    return {"rows": [{"at": instant(at), "what": what, "why": why, "who": who} for at, what, why, who in told]}


def given(request: HttpRequest, animal: Animal) -> dict[str, Any] | None:
    """What the animal got, from which vials, and where these came from."""
    rows = list(doses_of(request.user, animal))
    if not rows:
        return None
    nodes = upstream({row.vial.lot_id for row in rows}, request.user)
    seen = set(
        Vial.objects.visible_to(request.user).filter(pk__in=[r.vial_id for r in rows]).values_list("pk", flat=True)
    )
    doses = [
        {
            "row": row,
            "vial": node_link(Node("vial", row.vial_id, row.vial.code)) if row.vial_id in seen else "–",
            "on": row.dose.procedure.performed_on,
        }
        for row in rows
    ]
    return {"doses": doses, "steps": steps(nodes)}


for page in ("donor", "batch", "lot", "vial", "recall"):
    if page != "donor":
        register_panel(
            Panel(page, "came-from", "Where it comes from", "experiments/lineage_steps.html", came_from, 10, False)
        )
    register_panel(Panel(page, "went-into", "Where it went", "experiments/lineage_animals.html", went_into, 20, False))
for page in ("batch", "lot"):
    register_panel(Panel(page, "decisions", "Decisions", "experiments/stock_decisions.html", decisions, 30))
register_panel(Panel("vial", "movements", "Movements", "experiments/stock_movements.html", movements, 30))
register_panel(Panel("animal", "given", "What it was given", "experiments/animal_given.html", given, 15))
