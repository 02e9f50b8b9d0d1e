"""The figure of one endpoint as an SVG of its own address, so that a page stands before its figures are drawn."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from experiments.models import Experiment
from experiments.outcomes import points

NAME = "experiments_experiment_figure"
THEMES = ("light", "dark")
KEPT_SECONDS = 30


def figure_urls(model_admin: Any) -> list[URLPattern]:
    """The addresses of figures, below the experiment's."""

    def view(request: HttpRequest, object_id: str, endpoint: str, theme: str) -> HttpResponse:
        return figure(request, model_admin.visible_row(request, object_id), endpoint, theme)

    wrapped = model_admin.admin_site.admin_view(view)
    return [path("<path:object_id>/figure/<slug:endpoint>/<slug:theme>.svg", wrapped, name=NAME)]


def figure_url(experiment: Experiment, endpoint_key: str, theme: str) -> str:
    return reverse(f"admin:{NAME}", args=[experiment.pk, endpoint_key, theme])


def figure(request: HttpRequest, experiment: Experiment, endpoint_key: str, theme: str) -> HttpResponse:
    """Every animal a point. There is none of a blinded experiment: the arms would show."""
    from experiments.reports.figures import figure_svg
    from experiments.reports.stored import read_stored

    stored = read_stored(experiment)
    endpoint = next((e for e in stored.endpoints.values() if e.key == endpoint_key), None)
    if theme not in THEMES or endpoint is None or stored.design.is_blinded:
        raise Http404("There is no such figure.")
    shown = [point for point in points(experiment) if point.endpoint == endpoint.pk]
    if not shown:
        raise Http404("There is nothing to draw yet.")
    svg = figure_svg(endpoint, stored.design, shown, stored, theme)
    return HttpResponse(
        svg, content_type="image/svg+xml", headers={"Cache-Control": f"private, max-age={KEPT_SECONDS}"}
    )
