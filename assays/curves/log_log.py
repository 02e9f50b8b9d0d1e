"""A straight line of logarithms: ln response = slope · ln concentration + intercept, fitted to the logarithms."""

import math

import numpy as np

from assays.curves import linear
from assays.curves._fitting import Array, Interpolation

KEY = "log_log"
LABEL = "straight line on two logarithmic axes"
PARAMETERS = ("slope", "intercept")
SHAPE: tuple[str, ...] = ()
LOG_RESPONSE = True


def solve(x: Array, y: Array, w: Array) -> Array | None:
    """Least squares of the logarithms; `y` is the logarithm of the response already."""
    return linear.solve(np.log(x), y, w)


def predict(p: Array, x: Array) -> Array:
    """Logarithm of the response at each concentration."""
    with np.errstate(divide="ignore"):
        return linear.predict(p, np.log(x))


def gradient(p: Array, x: Array) -> Array:
    """Derivative of the logarithm of the response by each parameter, one row a concentration."""
    return linear.gradient(p, np.log(x))


def slope(p: Array, x: float) -> float:
    """Derivative of the logarithm of the response by the concentration."""
    return float(p[0]) / x if x > 0 else math.inf


def invert(p: Array, y: float) -> Interpolation:
    """The concentration whose response has the logarithm `y`; a response of zero lies below (or above) every one."""
    if p[0] == 0:
        return Interpolation(None, "no_solution")
    log_x = float((y - p[1]) / p[0])
    if log_x < -700:
        return Interpolation(None, "below_curve")
    return Interpolation(math.exp(log_x), None) if log_x < 700 else Interpolation(None, "above_curve")
