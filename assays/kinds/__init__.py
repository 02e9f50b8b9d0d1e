"""Assay kinds: what is measured, in which unit, with which parameters, and how raw data become results; no database.

One module per kind, each with KEY, LABEL, INPUT ("plate" or "tally"), QUANTITY, UNITS, a frozen dataclass Parameters
that validates itself, check(…) -> list[Problem] and quantify(…) -> a frozen result. Plate kinds take
(plates, layout, parameters), tally kinds (rows, parameters). Modules whose name starts with an underscore are shared.
"""

import sys

from assays.discovery import discover
from assays.kinds._problems import ParameterError, Problem

KINDS = discover(
    sys.modules[__name__], required=("LABEL", "INPUT", "QUANTITY", "UNITS", "Parameters", "check", "quantify")
)

__all__ = ["KINDS", "ParameterError", "Problem"]
