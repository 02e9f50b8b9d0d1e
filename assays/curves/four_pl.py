"""The four-parameter logistic: response = D + (A - D) / (1 + (concentration / C)^B), with B > 0.

A is the response at zero concentration, D at an endless one, C the concentration half-way, B the steepness
(Findlay & Dillard 2007, AAPS J 9:E260, eq. 1). A standard of zero enters the fit at its own place, response A: only
a logarithmic axis has no room for it.
"""

import math

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from assays.curves._fitting import Array, Interpolation

KEY = "four_pl"
LABEL = "four-parameter logistic"
PARAMETERS = ("A", "B", "C", "D")
SHAPE: tuple[str, ...] = ("B",)
LOG_RESPONSE = False

_STEEPNESS = np.geomspace(0.3, 8, 12)
_STARTS = 4


def solve(x: Array, y: Array, w: Array) -> Array | None:
    """Least squares from the best places of a grid of B and C, where A and D follow linearly; None if all fail."""
    root = np.sqrt(w)
    unit = float(np.exp(np.mean(np.log(x[x > 0]))))
    height = float(np.max(np.abs(y)))
    starts = _starts(x / unit, y / height, root)
    found = [_descend(start, x / unit, y / height, root, 200) for start in starts]
    found = [result for result in found if np.all(np.isfinite(result.x))]
    if not found:
        return None
    # Standards short of the upper plateau leave a long shallow valley: only the best start walks it to its end.
    best = _descend(min(found, key=lambda result: result.cost).x, x / unit, y / height, root, 5000)
    a, ln_b, ln_c, d = best.x
    if not np.all(np.isfinite(best.x)) or abs(ln_b) > 50 or abs(ln_c) > 50:
        return None
    return np.array([a * height, math.exp(ln_b), math.exp(ln_c) * unit, d * height])


def _descend(start: Array, x: Array, y: Array, root: Array, evaluations: int) -> OptimizeResult:
    return least_squares(
        lambda q: root * (_scaled(q, x) - y),
        start,
        jac=lambda q: root[:, None] * _jac(q, x),
        method="lm",
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
        max_nfev=evaluations,
    )


def _starts(x: Array, y: Array, root: Array) -> list[Array]:
    """The best grid points: for each B and C on the grid, A and D solve a two-by-two linear system."""
    positive = x[x > 0]
    midpoints = np.geomspace(positive.min() / 3, positive.max() * 30, 25)
    b, c = (grid.ravel() for grid in np.meshgrid(_STEEPNESS, midpoints, indexing="ij"))
    share = 1 / (1 + _power(np.log(b)[:, None], np.log(c)[:, None], x[None, :]))
    first, second, target = root * share, root * (1 - share), root * y
    ff, fs, ss = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    ft, st = first @ target, second @ target
    with np.errstate(divide="ignore", invalid="ignore"):
        a, d = (ft * ss - st * fs) / (ff * ss - fs**2), (st * ff - ft * fs) / (ff * ss - fs**2)
        misfit = ((target - a[:, None] * first - d[:, None] * second) ** 2).sum(1)
    order = [int(i) for i in np.argsort(misfit, kind="stable") if np.isfinite(misfit[i])]
    return [np.array([a[i], math.log(b[i]), math.log(c[i]), d[i]]) for i in order[: 5 * _STARTS : 5]]


def _power(ln_b: Array | float, ln_c: Array | float, x: Array) -> Array:
    """(x / C)^B, zero at zero, kept within what a float holds."""
    ln_x = np.log(np.where(x > 0, x, 1.0))
    power = np.exp(np.clip(np.exp(np.clip(ln_b, -50, 50)) * (ln_x - ln_c), -300, 300))
    return np.where(x > 0, power, 0.0)


def _scaled(q: Array, x: Array) -> Array:
    power = _power(q[1], q[2], x)
    return q[3] + (q[0] - q[3]) / (1 + power)


def _jac(q: Array, x: Array) -> Array:
    """Derivatives by A, ln B, ln C, D."""
    power = _power(q[1], q[2], x)
    share = 1 / (1 + power)
    bell = (q[0] - q[3]) * power * share**2
    b = math.exp(min(max(q[1], -50.0), 50.0))
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
