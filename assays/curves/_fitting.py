"""Least squares with a loud verdict, and what follows from a fitted curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

Array = NDArray[np.float64]

OK = "ok"
FLAT_P = 0.05
# Cosine between the residuals and the tangent plane: zero at a minimum. NIST StRD sets solved right stay below 1e-6.
MAX_COSINE = 1e-4
# Beyond 1/sqrt(machine epsilon) the covariance, which squares it, has no correct digit left.
MAX_CONDITION = 6.7e7


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A concentration read from a curve: `value`, or None and the reason.

    `below_curve` and `above_curve` speak of the concentration, whichever way the curve runs; `no_solution` means that
    the curve was refused.
    """

    value: float | None
    flag: str | None


class Model(Protocol):
    """What a module of this package offers. x are concentrations, p the parameters in the order of PARAMETERS."""

    KEY: str
    PARAMETERS: tuple[str, ...]
    SHAPE: tuple[str, ...]  # parameters that must be known better than to their own size
    LOG_RESPONSE: bool  # y is the logarithm of the response, and residuals are of logarithms

    def solve(self, x: Array, y: Array, w: Array) -> Array | None: ...
    def predict(self, p: Array, x: Array) -> Array: ...
    def gradient(self, p: Array, x: Array) -> Array: ...
    def slope(self, p: Array, x: float) -> float: ...
    def invert(self, p: Array, y: float) -> Interpolation: ...


@dataclass(frozen=True, slots=True)
class BackCalculation:
    """A standard read back from its own curve. `recovery_percent` is None at zero and where nothing can be read."""

    concentration: float
    response: float
    calculated: Interpolation
    recovery_percent: float | None


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """A fitted curve, or a refusal: everything but the data and `verdict` is empty unless `verdict` is "ok".

    `rss`, `r_squared` and `residuals` are of the weighted fit, on the model's scale (logarithms for log_log).
    `covariance` and `standard_errors` follow from rss / df and the Jacobian at the minimum (Seber & Wild 1989,
    Nonlinear Regression, p. 24).
    """

    model: Model
    weighting: str
    concentrations: tuple[float, ...]
    responses: tuple[float, ...]
    verdict: str
    parameters: dict[str, float]
    standard_errors: dict[str, float]
    covariance: tuple[tuple[float, ...], ...]
    residuals: tuple[float, ...]
    r_squared: float | None
    rss: float | None
    df: int

    @property
    def ok(self) -> bool:
        """Whether concentrations may be read from this curve."""
        return self.verdict == OK

    def predict(self, concentration: float) -> float:
        """The response the curve gives. Raises ValueError for a refused curve."""
        if not self.ok:
            raise ValueError(f"the curve was refused: {self.verdict}")
        found = float(self.model.predict(self._p(), np.array([concentration]))[0])
        return math.exp(found) if self.model.LOG_RESPONSE else found

    def concentration(self, response: float) -> Interpolation:
        """The concentration that gives `response`."""
        if not self.ok or not math.isfinite(response):
            return Interpolation(None, "no_solution")
        return self.model.invert(self._p(), _scaled_response(self.model, response))

    def standard_error(self, response: float, replicates: int = 1) -> float | None:
        """Standard error of the concentration read from the mean of `replicates` responses, by the delta method.

        Both the scatter of the response and the curve's own uncertainty count (Gottschalk & Dunn 2005, J Biopharm
        Stat 15:451). None where no concentration can be read or the curve is level.
        """
        found = self.concentration(response)
        if found.value is None or self.rss is None or self.df < 1:
            return None
        slope = self.model.slope(self._p(), found.value)
        if not math.isfinite(slope) or slope == 0:
            return None
        g = self.model.gradient(self._p(), np.array([found.value]))[0]
        scatter = self.rss / self.df * _variance_factor(response, self.weighting) / replicates
        variance = (scatter + float(g @ np.array(self.covariance) @ g)) / slope**2
        return math.sqrt(variance) if math.isfinite(variance) and variance >= 0 else None

    def back_calculated(self) -> tuple[BackCalculation, ...]:
        """Every standard read back from the curve, with its recovery in percent of nominal."""
        return tuple(self._back(x, y) for x, y in zip(self.concentrations, self.responses, strict=True))

    def _back(self, x: float, y: float) -> BackCalculation:
        found = self.concentration(y)
        recovery = 100 * found.value / x if found.value is not None and x > 0 else None
        return BackCalculation(x, y, found, recovery)

    def _p(self) -> Array:
        return np.array([self.parameters[name] for name in self.model.PARAMETERS])


def fit_model(model: Model, concentrations: Sequence[float], responses: Sequence[float], weighting: str) -> FittedCurve:
    """Fit `model`; see `assays.curves.fit`."""
    x, y = np.array(concentrations, float), np.array(responses, float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"{x.size} concentrations and {y.size} responses; expected one response per concentration")
    if not np.all(np.isfinite(x)) or np.any(x < 0):
        raise ValueError("a concentration is negative or not finite; expected 0 or more")
    verdict = _refusal(model, x, y, weighting)
    if verdict is not None:
        return _refused(model, x, y, weighting, verdict)
    if model.LOG_RESPONSE:
        y = np.log(y)
    w = 1 / np.array([_variance_factor(value, weighting) for value in y])
    p = model.solve(x, y, w)
    if p is None or not np.all(np.isfinite(p)):
        return _refused(model, x, np.array(responses, float), weighting, "not converged")
    return _judged(model, x, y, w, p, weighting)


def _refusal(model: Model, x: Array, y: Array, weighting: str) -> str | None:
    if not np.all(np.isfinite(y)):
        return "response not finite"
    if len(np.unique(x)) < len(model.PARAMETERS) or len(x) <= len(model.PARAMETERS):
        return "fewer points than parameters"
    if weighting != "1" and (model.LOG_RESPONSE or np.any(y <= 0)):
        return "weighting undefined for this model or for a response of zero or below"
    if model.LOG_RESPONSE and (np.any(x <= 0) or np.any(y <= 0)):
        return "zero or below on a logarithmic axis"
    if np.ptp(y) <= 1e-12 * np.max(np.abs(y)):
        return "flat response"
    return None


def _scaled_response(model: Model, response: float) -> float:
    """The response on the scale of the model; zero and below are endlessly low on a logarithmic one."""
    if not model.LOG_RESPONSE:
        return response
    return math.log(response) if response > 0 else -math.inf


def _variance_factor(response: float, weighting: str) -> float:
    """What the variance of a response is proportional to."""
    return {"1": 1.0, "1/y": abs(response), "1/y2": response**2}[weighting]


def _refused(model: Model, x: Array, y: Array, weighting: str, verdict: str) -> FittedCurve:
    data = (tuple(x.tolist()), tuple(y.tolist()))
    return FittedCurve(model, weighting, *data, verdict, {}, {}, (), (), None, None, len(x) - len(model.PARAMETERS))


def _judged(model: Model, x: Array, y: Array, w: Array, p: Array, weighting: str) -> FittedCurve:
    """The covariance at the solution, and the verdict that follows from it."""
    root = np.sqrt(w)
    residuals = y - model.predict(p, x)
    weighted = root * residuals
    responses = np.exp(y) if model.LOG_RESPONSE else y
    jacobian = root[:, None] * model.gradient(p, x)
    rss, df = float(weighted @ weighted), len(x) - len(p)
    centred = root * (y - np.average(y, weights=w))
    tss = float(centred @ centred)
    covariance = _covariance(jacobian, rss / df)
    if covariance is None:
        return _refused(model, x, responses, weighting, "covariance not finite")
    if not _is_minimum(jacobian, weighted, tss):
        return _refused(model, x, responses, weighting, "not converged")
    if _is_flat(rss, tss, df, len(p)):
        return _refused(model, x, responses, weighting, "flat response")
    errors = dict(zip(model.PARAMETERS, np.sqrt(np.diag(covariance)).tolist(), strict=True))
    values = dict(zip(model.PARAMETERS, p.tolist(), strict=True))
    vague = [name for name in model.SHAPE if errors[name] > abs(values[name])]
    if vague:
        return _refused(model, x, responses, weighting, f"{', '.join(vague)} not determined by the standards")
    return FittedCurve(
        model, weighting, tuple(x.tolist()), tuple(responses.tolist()), OK,
        values, errors,
        tuple(tuple(row) for row in covariance.tolist()), tuple(residuals.tolist()), 1 - rss / tss, rss, df,
    )  # fmt: skip


def _covariance(jacobian: Array, variance: float) -> Array | None:
    """variance · (JᵀJ)⁻¹ by singular values of the column-scaled Jacobian; None when it is singular."""
    scale = np.linalg.norm(jacobian, axis=0)
    if not np.all(np.isfinite(scale)) or np.any(scale == 0):
        return None
    _, singular, vt = np.linalg.svd(jacobian / scale, full_matrices=False)
    if singular[-1] <= singular[0] / MAX_CONDITION:
        return None
    inverse = (vt.T / singular**2) @ vt
    covariance = variance * inverse / np.outer(scale, scale)
    return covariance if np.all(np.isfinite(covariance)) else None


def _is_minimum(jacobian: Array, weighted: Array, tss: float) -> bool:
    size = np.linalg.norm(weighted)
    if size**2 <= 1e-20 * tss:
        return True
    cosines = np.abs(jacobian.T @ weighted) / (np.linalg.norm(jacobian, axis=0) * size)
    return bool(np.all(cosines < MAX_COSINE))


def _is_flat(rss: float, tss: float, df: int, parameter_count: int) -> bool:
    """Whether the curve explains no more than a mean does (F test against the constant model)."""
    if rss == 0:
        return False
    f = ((tss - rss) / (parameter_count - 1)) / (rss / df)
    return f <= 0 or fdtrc(parameter_count - 1, df, f) > FLAT_P
