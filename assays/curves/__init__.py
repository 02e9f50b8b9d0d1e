"""Standard curves: response as a function of concentration, fitted and inverted; no database.

One module per model: KEY, LABEL, PARAMETERS, SHAPE, LOG_RESPONSE, solve, predict, gradient, slope and invert (see
`Model` in `_fitting`). Modules whose name starts with an underscore are shared parts.
"""

import sys

from assays.curves._fitting import BackCalculation, FittedCurve, Interpolation, fit_model
from assays.discovery import discover

MODELS = discover(
    sys.modules[__name__],
    required=("LABEL", "PARAMETERS", "SHAPE", "LOG_RESPONSE", "solve", "predict", "gradient", "slope", "invert"),
)
WEIGHTINGS = ("1", "1/y", "1/y2")

__all__ = ["MODELS", "WEIGHTINGS", "BackCalculation", "FittedCurve", "Interpolation", "fit"]


def fit(model_key: str, concentrations: list[float], responses: list[float], weighting: str = "1") -> FittedCurve:
    """Fit the model `model_key` to one response per concentration (repeat a concentration for its replicates).

    A fit that cannot be trusted comes back with a `verdict` that names why, never as numbers alone. Raises KeyError
    for an unknown model and ValueError for an unknown weighting, for lists of different length and for a
    concentration that is negative or not finite.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting {weighting!r} is not known; expected one of {', '.join(WEIGHTINGS)}")
    if model_key not in MODELS:
        raise KeyError(f"curve model {model_key!r} is not known; expected one of {', '.join(MODELS)}")
    return fit_model(MODELS[model_key], concentrations, responses, weighting)
