"""The assays' addresses under ``/api/v1``."""

from django.urls import path

from assays.api import counts, parts, runs
from labdb.base.rest.views import ApiRouter

RESOURCES = {
    "assay-runs": runs.AssayRuns,
    "plates": parts.Plates,
    "wells": runs.Wells,
    "readings": parts.Readings,
    "well-results": parts.WellResults,
    "curves": parts.Curves,
    "curve-parameters": parts.CurveParameters,
    "results": runs.Results,
    "tallies": parts.Tallies,
    "run-remarks": parts.Remarks,
}

router = ApiRouter()
for noun, view in RESOURCES.items():
    router.register(noun, view, basename=noun)

urlpatterns = [
    *router.urls,
    path("passages/<uuid:pk>/counts", counts.PassageCounts.as_view({"post": "upload"}), name="passages-counts"),
]
