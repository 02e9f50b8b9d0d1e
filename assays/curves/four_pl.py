"""The four-parameter logistic: response = D + (A - D) / (1 + (concentration / C)^B), with B > 0.

A is the response at zero concentration, D at an endless one, C the concentration half-way, B the steepness
(Findlay & Dillard 2007, AAPS J 9:E260, eq. 1). A standard of zero enters the fit at its own place, response A: only
a logarithmic axis has no room for it.
"""

import math

import numpy as np
from scipy.optimize import least_squares

from assays.curves._fitting import Array, Interpolation

KEY = "four_pl"
LABEL = "four-parameter logistic"
PARAMETERS = ("A", "B", "C", "D")
LOG_RESPONSE = False

_STEEPNESS = np.geomspace(0.3, 8, 12)
_STARTS = 5


def solve(x: Array, y: Array, w: Array) -> Array | None:
    """Least squares from the best places of a grid of B and C, where A and D follow linearly; None if all fail."""
    root = np.sqrt(w)
    unit = float(np.exp(np.mean(np.log(x[x > 0]))))
    height = float(np.max(np.abs(y)))
    best = None
    for start in _starts(x / unit, y / height, root):
        result = least_squares(
            lambda q: root * (_scaled(q, x / unit) - y / height),
            start,
            jac=lambda q: root[:, None] * _jac(q, x / unit),
            method="lm",
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=2000,
        )
        if np.all(np.isfinite(result.x)) and (best is None or result.cost < best.cost):
            best = result
    if best is None:
        return None
    a, ln_b, ln_c, d = best.x
    if abs(ln_b) > 50 or abs(ln_c) > 50:
        return None
    return np.array([a * height, math.exp(ln_b), math.exp(ln_c) * unit, d * height])


def _starts(x: Array, y: Array, root: Array) -> list[Array]:
    """The grid points with the smallest sums of squares."""
    positive = x[x > 0]
    midpoints = np.geomspace(positive.min() / 3, positive.max() * 30, 25)
    found = []
    for b in _STEEPNESS:
        for c in midpoints:
            share = 1 / (1 + (x / c) ** b)
            design = root[:, None] * np.column_stack([share, 1 - share])
            (a, d), _, rank, _ = np.linalg.lstsq(design, root * y, rcond=None)
            misfit = root * y - design @ np.array([a, d])
            if rank == 2:
                found.append((float(misfit @ misfit), (a, math.log(b), math.log(c), d)))
    found.sort(key=lambda item: item[0])
    return [np.array(start) for _, start in found[:: max(1, len(found) // 60)][:_STARTS]]


def _power(ln_b: float, ln_c: float, x: Array) -> Array:
    """(x / C)^B, zero at zero, kept within what a float holds."""
    with np.errstate(divide="ignore"):
        return np.exp(np.clip(math.exp(min(ln_b, 50.0)) * (np.log(x) - ln_c), -700, 300))


def _scaled(q: Array, x: Array) -> Array:
    power = np.where(x > 0, _power(q[1], q[2], x), 0.0)
    return q[3] + (q[0] - q[3]) / (1 + power)


def _jac(q: Array, x: Array) -> Array:
    """Derivatives by A, ln B, ln C, D."""
    power = np.where(x > 0, _power(q[1], q[2], x), 0.0)
    share = 1 / (1 + power)
    bell = (q[0] - q[3]) * power * share**2
    b = math.exp(min(q[1], 50.0))
    log_ratio = np.where(x > 0, np.log(np.where(x > 0, x, 1.0)) - q[2], 0.0)
    return np.column_stack([share, -bell * b * log_ratio, bell * b, 1 - share])


def predict(p: Array, x: Array) -> Array:
    """Response at each concentration."""
    return _scaled(np.array([p[0], math.log(p[1]), math.log(p[2]), p[3]]), x)


def gradient(p: Array, x: Array) -> Array:
    """Derivative of the response by A, B, C and D, one row a concentration."""
    by_logs = _jac(np.array([p[0], math.log(p[1]), math.log(p[2]), p[3]]), x)
    return by_logs / np.array([1.0, p[1], p[2], 1.0])


def slope(p: Array, x: float) -> float:
    """Derivative of the response by the concentration."""
    a, b, c, d = p.tolist()
    if x <= 0:
        return (d - a) / c if b == 1 else (0.0 if b > 1 else math.inf)
    power = (x / c) ** b
    return (d - a) * b * power / (x * (1 + power) ** 2)


def invert(p: Array, y: float) -> Interpolation:
    """The concentration that gives `y`: C · ((A - D) / (y - D) - 1)^(1/B)."""
    a, b, c, d = p.tolist()
    share = (y - d) / (a - d) if a != d else math.nan
    if math.isnan(share):
        return Interpolation(None, "no_solution")
    if share > 1:
        return Interpolation(None, "below_curve")
    if share <= 0:
        return Interpolation(None, "above_curve")
    ratio = (a - y) / (y - d)
    value = c * ratio ** (1 / b) if ratio > 0 else 0.0
    return Interpolation(value, None) if math.isfinite(value) else Interpolation(None, "above_curve")
