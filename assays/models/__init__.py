"""Runs of assays: what the instrument or the counter gave, what was computed from it, and who accepted it."""

from assays.models.curves import Curve, CurveParameter
from assays.models.plates import Plate, Reading, Well
from assays.models.results import Publication, Result, WellResult
from assays.models.runs import AssayRun, Remark
from assays.models.tallies import Tally

__all__ = [
    "AssayRun",
    "Curve",
    "CurveParameter",
    "Plate",
    "Publication",
    "Reading",
    "Remark",
    "Result",
    "Tally",
    "Well",
    "WellResult",
]
