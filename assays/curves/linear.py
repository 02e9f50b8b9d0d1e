"""A straight line: response = slope · concentration + intercept."""

import numpy as np

from assays.curves._fitting import Array, Interpolation

KEY = "linear"
LABEL = "straight line"
PARAMETERS = ("slope", "intercept")
SHAPE: tuple[str, ...] = ()
LOG_RESPONSE = False


def solve(x: Array, y: Array, w: Array) -> Array | None:
    """Weighted least squares, about the weighted means so that no digit is lost."""
    x0, y0 = np.average(x, weights=w), np.average(y, weights=w)
    spread = np.sum(w * (x - x0) ** 2)
    if spread == 0:
        return None
    slope_ = np.sum(w * (x - x0) * (y - y0)) / spread
    return np.array([slope_, y0 - slope_ * x0])


def predict(p: Array, x: Array) -> Array:
    """Response at each concentration."""
    return p[0] * x + p[1]


def gradient(p: Array, x: Array) -> Array:
    """Derivative of the response by each parameter, one row a concentration."""
    return np.column_stack([x, np.ones_like(x)])


def slope(p: Array, x: float) -> float:
    """Derivative of the response by the concentration."""
    return float(p[0])


def invert(p: Array, y: float) -> Interpolation:
    """The concentration that gives `y`; a negative one lies below the curve."""
    if p[0] == 0:
        return Interpolation(None, "no_solution")
    x = float((y - p[1]) / p[0])
    return Interpolation(x, None) if x >= 0 else Interpolation(None, "below_curve")
