"""The assays' addresses under ``/api/v1``."""

from assays.api import parts, runs
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

urlpatterns = router.urls
