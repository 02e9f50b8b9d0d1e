"""What stands on a run's page, and what assays put on the home page and on an experiment's page."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from assays.admin.curves import curves
from assays.admin.heatmap import plates
from assays.admin.runs import PAGE, state_badge
from assays.models import AssayRun
from experiments.admin.home import told_job
from experiments.admin.links import page_url
from experiments.admin.numbers import shown_number
from experiments.models import Job
from labdb.base.access import may
from labdb.base.panels import HOME, Panel, register_panel

SHOWN = 12


def state(request: HttpRequest, run: AssayRun) -> dict[str, Any]:
    """The last evaluation while it is open or failed, and what to look at before accepting."""
    jobs = Job.objects.visible_to(request.user).exclude(state=Job.State.DONE)
    job = jobs.filter(pk=run.job_id).first() if run.job_id else None
    parameters = {name: value for name, value in run.parameters.items() if value not in (None, "")}
    return {
        "run": run,
        "jobs": [told_job(job)] if job else [],
        "parameters": parameters,
        "remarks": list(run.remarks.all()),
        "experiment_url": page_url(run.experiment),
    }


def results(request: HttpRequest, run: AssayRun) -> dict[str, Any] | None:
    rows = list(run.result_rows.select_related("specimen", "animal", "endpoint", "publication__observation"))
    if not rows:
        return None
    return {"rows": [_result(row) for row in rows], "has_wells": run.plate_rows.exists()}


def _result(row: Any) -> dict[str, Any]:
    publication = getattr(row, "publication", None)
    return {
        "row": row,
        "animal_url": page_url(row.animal) if row.animal else "",
        "observation_url": page_url(publication.observation) if publication else "",
        "cv": shown_number(row.cv_percent, 3),
        "se": shown_number(row.standard_error, 3),
        "response": shown_number(row.mean_response, 4),
        "dilution": shown_number(float(row.dilution_factor)),
        "is_qualified": row.qualifier in ("<", ">"),
    }


def tallies(request: HttpRequest, run: AssayRun) -> dict[str, Any] | None:
    rows = list(run.tally_rows.all()[:1000])
    return {"rows": rows, "n": run.tally_rows.count()} if rows else None


def waiting(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    """Runs that a person has to accept or publish."""
    visible = AssayRun.objects.visible_to(request.user).filter(Q(state="quantified") | Q(state="accepted"))
    rows = list(visible.select_related("experiment", "endpoint", "source_file").order_by("uploaded_at")[: SHOWN + 1])
    if not rows:
        return None
    return {"items": [_item(row) for row in rows[:SHOWN]], "has_more": len(rows) > SHOWN}


def of_experiment(request: HttpRequest, experiment: Any) -> dict[str, Any] | None:
    found = AssayRun.objects.visible_to(request.user).filter(experiment=experiment)
    rows = list(found.select_related("endpoint", "source_file", "experiment")[: SHOWN + 1])
    upload = reverse("admin:assays_assayrun_add") + f"?experiment={experiment.pk}"
    return {
        "items": [_item(row) for row in rows[:SHOWN]],
        "has_more": len(rows) > SHOWN,
        "upload_url": upload if may(request.user, "add", AssayRun(experiment=experiment)) else "",
        "list_url": reverse("admin:assays_assayrun_changelist") + f"?experiment__id__exact={experiment.pk}",
    }


def _item(run: AssayRun) -> dict[str, Any]:
    return {"run": run, "url": page_url(run), "state": state_badge(run)}


register_panel(Panel(PAGE, "state", "This run", "assays/run_state.html", state, 10))
register_panel(Panel(PAGE, "plates", "Plates", "assays/run_plates.html", plates, 20))
register_panel(Panel(PAGE, "curves", "Standard curve", "assays/run_curves.html", curves, 30))
register_panel(Panel(PAGE, "results", "Results", "assays/run_results.html", results, 40))
register_panel(Panel(PAGE, "tallies", "Counts as tallied", "assays/run_tallies.html", tallies, 50))
register_panel(Panel(HOME, "assays", "Plates waiting for a person", "assays/home_waiting.html", waiting, 15))
register_panel(Panel("experiment", "assays", "Assays", "assays/experiment_runs.html", of_experiment, 40))
