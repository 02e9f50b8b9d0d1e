"""The noncentral t distribution, by quadrature, and confidence limits of its noncentrality.

scipy's `nctdtr` gives NaN in the far tails that a search passes through, and loses digits near them; the two
integrals here are smooth wherever they are used, so Gauss-Legendre nodes reach about 1e-14 for every t and df.
"""

import math
from functools import cache, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, gammaincc, gammaincinv, gammaln, ndtr, ndtri

from .sample import Floats

NODES = 96
TAIL = 1e-19
FAR = 9.0  # standard normal deviates beyond it weigh 1e-19


@cache
def _legendre() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


@lru_cache(maxsize=256)
def _chi_nodes(df: int) -> tuple[Floats, Floats]:
    """Nodes s and weights (sum 1) for expectations over S = sqrt(chi²(df) / df)."""
    low, high = (math.sqrt(2 * gammaincinv(df / 2, TAIL) / df), math.sqrt(chdtri(df, TAIL) / df))
    nodes, weights = _legendre()
    s = (high - low) / 2 * nodes + (high + low) / 2
    log_density = (df - 1) * np.log(s) - df * (s * s - 1) / 2
    weights = weights * np.exp(log_density - log_density.max())
    return s, weights / weights.sum()


def noncentral_t_cdf(t: float, df: int, noncentrality: float) -> float:
    """P((Z + noncentrality) / S <= t) for t >= 0, Z standard normal, S = sqrt(chi²(df) / df): Johnson & Welch 1940,
    Biometrika 31:362.

    Conditional on S it is E Phi(t S - noncentrality); for a t so large that Phi is a step there, conditional on Z it is
    Phi(-noncentrality) + the integral over z > -noncentrality of phi(z) P(S >= (z + noncentrality) / t).
    """
    if t * t < 4 * df:
        s, weights = _chi_nodes(df)
        return float(weights @ ndtr(t * s - noncentrality))
    low = min(max(-noncentrality, -FAR), FAR)
    nodes, weights = _legendre()
    z = (FAR - low) / 2 * nodes + (FAR + low) / 2
    tail = gammaincc(df / 2, df / 2 * np.square((z + noncentrality) / t))
    integral = (FAR - low) / 2 * float(weights @ (np.exp(-z * z / 2) * tail)) / math.sqrt(2 * math.pi)
    return float(ndtr(-noncentrality)) + integral


def noncentrality_interval(t: float, df: int, level: float) -> tuple[float, float]:
    """The noncentralities for which t is the (1 + level) / 2 and the (1 - level) / 2 quantile: Steiger & Fouladi
    1997, ch. 9.

    Raises OverflowError where t² exceeds double precision.
    """
    if not math.isfinite(t * t):
        raise OverflowError(f"t = {t}")
    tail = (1 - level) / 2
    lower, upper = (_noncentrality(abs(t), df, 1 - tail), _noncentrality(abs(t), df, tail))
    return (lower, upper) if t >= 0 else (-upper, -lower)


def _noncentrality(t: float, df: int, probability: float) -> float:
    """The noncentrality with P(T <= t) = probability, t >= 0, found on the probit scale, where the function is
    nearly a line.
    """
    target = float(ndtri(probability))
    centre = math.exp(gammaln((df + 1) / 2) - gammaln(df / 2)) / math.sqrt(df / 2)  # E S, good enough for a start
    scale = math.sqrt(1 + t * t / (2 * df))
    start = t * centre - target * scale

    def excess(noncentrality: float) -> float:
        probability_here = noncentral_t_cdf(t, df, noncentrality)
        return float(ndtri(min(max(probability_here, 1e-300), 1 - 1e-16))) - target

    step = 0.1 * scale
    low, high = start - step, start + step
    while excess(low) < 0:
        low, step = low - step, 2 * step
    while excess(high) > 0:
        high, step = high + step, 2 * step
    root: float = brentq(excess, low, high, xtol=1e-14, rtol=1e-14)
    return root
