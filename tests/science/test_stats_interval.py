"""The noncentral t distribution and the interval of Hedges' g, against other routes to the same numbers."""

import math

import numpy as np
import pytest
from scipy import integrate
from scipy.special import chdtri, ndtr, stdtr
from scipy.stats import nct

from experiments.stats.base import noncentral_t
from experiments.stats.base.noncentral_t import noncentral_t_cdf, noncentrality_interval
from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample
from experiments.stats.hedges_g import small_sample_correction

DFS = (2, 3, 4, 7, 10, 22, 37, 198, 1998)


def adaptive_cdf(t: float, df: int, noncentrality: float) -> float:
    """E Phi(t S - noncentrality) by adaptive quadrature, told where the step of Phi lies."""
    log_constant = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)

    def weighted(s: float) -> float:
        density = math.exp(log_constant + (df - 1) * math.log(s) - df * s * s / 2) if s > 0 else 0.0
        return float(ndtr(t * s - noncentrality)) * density

    end = math.sqrt(chdtri(df, 1e-20) / df)
    step = noncentrality / t if t else 0.0
    points = [p for p in (1.0, step - 4 / max(t, 1), step, step + 4 / max(t, 1)) if 0 < p < end]
    return integrate.quad(weighted, 0, end, points=points, epsabs=1e-13, epsrel=1e-12, limit=500)[0]


@pytest.mark.parametrize("df", DFS)
@pytest.mark.parametrize("t", [0.0, 0.3, 2.3, 8.0, 40.0])
def test_cdf_equals_adaptive_quadrature(t: float, df: int) -> None:
    for noncentrality in (t - 3, t - 0.5, t, t + 1.5, t + 4):
        found = noncentral_t_cdf(t, df, noncentrality)
        assert found == pytest.approx(adaptive_cdf(t, df, noncentrality), abs=3e-12), noncentrality


@pytest.mark.parametrize("df", DFS)
def test_cdf_without_noncentrality_is_students(df: int) -> None:
    for t in (0.0, 0.5, 2.0, 6.0, 30.0, 300.0):
        assert noncentral_t_cdf(t, df, 0.0) == pytest.approx(float(stdtr(df, t)), abs=1e-13)


@pytest.mark.parametrize("df", DFS)
def test_both_integrals_meet(df: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just below and above the t at which one integral takes over from the other."""
    t = 2 * math.sqrt(df)
    below, above = math.nextafter(t, 0) * (1 - 1e-15), t * (1 + 1e-15)
    for noncentrality in (-1.0, 0.5, t, t + 2):
        assert noncentral_t_cdf(below, df, noncentrality) == pytest.approx(
            noncentral_t_cdf(above, df, noncentrality), abs=1e-12
        )


@pytest.mark.parametrize("df", DFS)
@pytest.mark.parametrize("t", [-12.0, -2.3162849923, 0.0, 0.7, 5.0])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_limits_solve_their_equations_in_scipy(t: float, df: int, level: float) -> None:
    lower, upper = noncentrality_interval(t, df, level)
    assert nct.cdf(t, df, upper) == pytest.approx((1 - level) / 2, abs=1e-9)
    assert nct.cdf(t, df, lower) == pytest.approx((1 + level) / 2, abs=1e-9)


def test_limits_far_out_follow_the_chi_distribution() -> None:
    """For t so large that Z is nothing beside it, limit / t is the quantile of S; scipy's search fails there."""
    lower, upper = noncentrality_interval(1e9, 2, 0.95)
    assert lower / 1e9 == pytest.approx(math.sqrt(-math.log(0.975)), rel=1e-9)
    assert upper / 1e9 == pytest.approx(math.sqrt(-math.log(0.025)), rel=1e-9)


@pytest.mark.parametrize("df", [2, 3, 10, 37, 299, 300, 301, 302, 303, 5000])
def test_correction_is_the_ratio_of_gammas(df: int) -> None:
    """Two neighbours multiply to gamma(z + 1) / gamma(z) = z, exactly."""
    z = (df - 1) / 2
    product = (small_sample_correction(df) * math.sqrt(df / 2)) * (
        small_sample_correction(df + 1) * math.sqrt((df + 1) / 2)
    )
    assert product == pytest.approx(z, rel=5e-15)


def test_interval_covers_as_often_as_it_says() -> None:
    """2,000 seeded draws with n = 4 and 6, true effect 1.2: coverage within four standard errors of 95 %."""
    generator, effect, draws = np.random.default_rng(20_240_611), 1.2, 2_000
    hits = 0
    for _ in range(draws):
        treated = Sample.from_floats("t", generator.normal(effect, 1, 4))
        reference = Sample.from_floats("r", generator.normal(0, 1, 6))
        (g,) = summarise([treated, reference], pairs=[("t", "r")], keys=["hedges_g"])
        correction = small_sample_correction(8)
        # The limits are those of the noncentrality times J: undone here, since the simulated effect is delta itself.
        hits += g.lower / correction <= effect <= g.upper / correction
    assert abs(hits / draws - 0.95) < 4 * math.sqrt(0.95 * 0.05 / draws)


def test_nodes_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [noncentrality_interval(t, df, 0.95) for df in DFS for t in (0.1, 3.0, 30.0)]
    monkeypatch.setattr(noncentral_t, "NODES", 200)
    caches = (noncentral_t._legendre, noncentral_t._chi_nodes)
    [cached.cache_clear() for cached in caches]
    many = [noncentrality_interval(t, df, 0.95) for df in DFS for t in (0.1, 3.0, 30.0)]
    [cached.cache_clear() for cached in caches]
    for one, other in zip(few, many, strict=True):
        assert one == pytest.approx(other, rel=1e-11, abs=1e-11)
