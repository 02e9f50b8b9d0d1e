"""Maximum likelihood for normal values of which some are known only as bounds, the common part of what is computed
from censored logarithms.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr, ndtri, stdtr

from .checks import ALL_EQUAL, require_n
from .sample import EXACT, LOGS, Floats, Sample
from .vocabulary import Refusal, Scale

MAX_STEPS = 200
CONVERGED = 1e-16  # squared Newton decrement: the next step moves no parameter by more than 1e-8 of its standard error
SHORTFALL = 0.01
BELOW, ABOVE = 1.0, -1.0


@dataclass(frozen=True, slots=True)
class LogFit:
    """The fit of one normal distribution an arm, with one SD, to logarithms.

    `log_means` of shape (arms,) lie above each arm's own quantified mean log; `sigma` is the ML estimate (its square
    divides by n); `covariance` of `log_means`, shape (arms, arms), inverts the observed information of all parameters.
    """

    log_means: Floats
    sigma: float
    covariance: Floats
    n: int

    def standard_error(self, contrast: Sequence[float]) -> float:
        """Of the contrast of the arms' means, one coefficient an arm."""
        weights = np.asarray(contrast, dtype=float)
        return math.sqrt(weights @ self.covariance @ weights)


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """All that the likelihood needs: quantified values enter by their moments, bounds by value, side and count.

    Everything is above the quantified mean of its arm and in units of one common number. With h = 1 / sigma and
    a = h mu the log likelihood sum(log h - (h y - a)^2 / 2) + sum(log Phi(side (h bound - a))) is concave (Olsen 1978,
    Econometrica 46:1211-1215; Burridge 1981, JRSS B 43:41-45), so what Newton's method climbs has one summit.
    """

    n: Floats
    squares: float
    arm: Any
    bound: Floats
    side: Floats
    count: Floats

    def __call__(self, theta: Floats) -> float:
        a, h = theta[:-1], theta[-1]
        quantified = self.n.sum() * math.log(h) - (h * h * self.squares + self.n @ (a * a)) / 2
        return float(quantified + self.count @ log_ndtr(self._z(theta)))

    def _z(self, theta: Floats) -> Floats:
        return self.side * (theta[-1] * self.bound - theta[:-1][self.arm])

    def derivatives(self, theta: Floats) -> tuple[Floats, Floats]:
        """Gradient of shape (p,) and observed information of shape (p, p) by (a of each arm, h)."""
        a, h, z = theta[:-1], theta[-1], self._z(theta)
        mills = math.sqrt(2 / math.pi) / erfcx(-z / math.sqrt(2))  # phi / Phi, without 0 / 0 far below
        pull, bend = self.count * self.side * mills, self.count * np.clip(mills * (z + mills), 0, 1)
        arms = self.n.size
        gradient = np.empty(arms + 1)
        gradient[:-1] = -self.n * a - self._by_arm(pull)
        gradient[-1] = self.n.sum() / h - h * self.squares + pull @ self.bound
        information = np.diag(np.append(self.n + self._by_arm(bend), self.n.sum() / h**2 + self.squares))
        information[:-1, -1] = information[-1, :-1] = -self._by_arm(bend * self.bound)
        information[-1, -1] += bend @ self.bound**2
        return gradient, information

    def _by_arm(self, terms: Floats) -> Floats:
        return np.bincount(self.arm, terms, self.n.size).astype(float)


def fit(samples: Sequence[Sample]) -> LogFit:
    """One lognormal distribution an arm with a common SD of logs, as R's survreg(Surv(...) ~ arm, dist="lognormal").

    Raises Refusal for fewer than two quantified values in an arm, where no arm has two that differ, for a value or a
    limit that has no logarithm, for limits that are not given one by one.
    """
    for sample in samples:
        require_n(sample)
    logs = [sample.on(Scale.LOG) for sample in samples]
    unit = max(arm.moments.sd or 0.0 for arm in logs)
    if unit == 0:
        raise Refusal(f"{ALL_EQUAL} among the quantified of arm {', '.join(sample.arm for sample in samples)}")
    likelihood = _likelihood(samples, logs, unit)
    start = np.append(np.zeros(len(logs)), math.sqrt(likelihood.n.sum() / likelihood.squares))
    # Without a bound the start is the summit: mean logs, and the root of squares / n.
    theta = _summit(likelihood, start) if likelihood.bound.size else start
    means = theta[:-1] / theta[-1]
    # d mu = (da - mu dh) / h; at the summit the information by (mu, log sigma) is this transform of the one by (a, h).
    transform = np.column_stack([np.eye(means.size), -means]) / theta[-1]
    covariance = transform @ _solve(likelihood.derivatives(theta)[1], transform.T)
    n = sum(sample.n_measured for sample in samples)
    return LogFit(means * unit, float(unit / theta[-1]), covariance * unit**2, n)


def _likelihood(samples: Sequence[Sample], logs: Sequence[Sample], unit: float) -> _Likelihood:
    squares = math.fsum((arm.n - 1) * ((arm.moments.sd or 0.0) / unit) ** 2 for arm in logs)
    rows = [
        (place, (log_bound - arm.moments.mean_above_pivot) / unit, side, count)
        for place, (sample, arm) in enumerate(zip(samples, logs, strict=True))
        for log_bound, side, count in _bounds(sample)
    ]
    place, bound, side, count = np.asarray(rows, dtype=float).reshape(-1, 4).T
    return _Likelihood(np.array([float(arm.n) for arm in logs]), squares, place.astype(int), bound, side, count)


def _bounds(sample: Sample) -> Iterator[tuple[float, float, int]]:
    """(log of the limit above the log pivot, side, how many values) of each distinct limit."""
    for limits, expected, side in (
        (sample.lower_limits, sample.n_below_limit, BELOW),
        (sample.upper_limits, sample.n_above_limit, ABOVE),
    ):
        if len(limits) != expected:
            raise Refusal(f"the limits of quantification of {expected} values in arm {sample.arm} are not given")
        for limit, count in Counter(limits).items():
            yield _log_ratio(limit, sample), side, count


def _log_ratio(limit: Decimal, sample: Sample) -> float:
    """log(limit / pivot); near 1 from the exact difference, as the values themselves are."""
    if not limit > 0:
        raise Refusal(f"limit {limit} in arm {sample.arm}: a logarithm needs limits above 0")
    ratio = EXACT.divide(limit, sample.pivot)
    if 0.5 < ratio < 2:
        return math.log1p(float(EXACT.divide(EXACT.subtract(limit, sample.pivot), sample.pivot)))
    return float(LOGS.ln(ratio))


def _summit(likelihood: _Likelihood, theta: Floats) -> Floats:
    """Newton's method with backtracking. Raises Refusal where the summit is not reached."""
    for _ in range(MAX_STEPS):
        gradient, information = likelihood.derivatives(theta)
        step = _solve(information, gradient)
        if (gain := float(gradient @ step)) <= CONVERGED:
            return theta + step
        theta = theta + _damping(likelihood, theta, step, gain) * step
    raise Refusal(f"the likelihood did not converge in {MAX_STEPS} steps")


def _damping(likelihood: _Likelihood, theta: Floats, step: Floats, gain: float) -> float:
    """The largest of 1, 1/2, 1/4, ... that keeps h positive and climbs; near the summit no difference can be seen."""
    length, height = 1.0, likelihood(theta)
    while theta[-1] + length * step[-1] < theta[-1] / 10:
        length /= 2
    if gain < 1e-6:
        return length
    while likelihood(theta + length * step) < height + length * gain / 1000:
        length /= 2
        if length < 1e-12:
            raise Refusal("the likelihood did not converge: no step climbs")
    return length


def _solve(information: Floats, right: Floats) -> Floats:
    """Scaled to a unit diagonal first, so that the units of the parameters cost no digits."""
    scale = 1 / np.sqrt(np.diag(information))
    try:
        found = np.linalg.solve(information * scale * scale[:, None], (right.T * scale).T)
    except np.linalg.LinAlgError:
        raise Refusal("the likelihood did not converge: its information is singular") from None
    return (found.T * scale).T


def z_margin(standard_error: float, level: float) -> float:
    """Half width of a two-sided Wald interval: the normal quantile of (1 + level) / 2 times the standard error."""
    return float(ndtri((1 + level) / 2)) * standard_error


def wald_test(estimate: float, standard_error: float) -> dict[str, float]:
    """z and two-sided p of a log ratio against 0, as `Estimate` names."""
    z = estimate / standard_error
    return {"statistic": z, "p_value": float(2 * ndtr(-abs(z)))}


def cautions(samples: Sequence[Sample], level: float) -> tuple[str, ...]:
    """What stands beside a fit: mostly censored arms, and how far n is from what a Wald interval takes for granted."""
    censored = [(s.arm, s.n_measured - s.n, s.n_measured) for s in samples if 2 * s.n < s.n_measured]
    sparse = [f"{k} of {n} values censored in arm {arm}: rests on the lognormal form" for arm, k, n in censored]
    n = sum(sample.n_measured for sample in samples)
    covers = wald_coverage(n, n - len(samples), level)
    if level - covers <= SHORTFALL:
        return tuple(sparse)
    return *sparse, f"Wald interval: with {n} values it covers {covers:.1%} where none is censored, not {level:.1%}"


def wald_coverage(n: int, df: int, level: float) -> float:
    """Exact coverage of mean -+ z sigma_ML / sqrt(n) for uncensored normal values: P(|t(df)| < z sqrt(df / n))."""
    return 1 - 2 * float(stdtr(df, -ndtri((1 + level) / 2) * math.sqrt(df / n)))
