"""How many experimental units have a value, and how many only a bound."""

from .base.checks import n_by_arm
from .base.sample import Sample
from .base.vocabulary import Estimate, Kind, Method, Scale

METHOD = Method(
    key="counts",
    version="1",
    kind=Kind.PER_ARM,
    name="counts of experimental units; censored values are counted, never replaced",
    reference="Percie du Sert 2020, PLoS Biol 18:e3000411, ARRIVE 2.0 items 2 and 3",
    quantities=("n", "n_below_limit", "n_above_limit"),
)


def compute(sample: Sample, *, scale: Scale, level: float) -> tuple[Estimate, ...]:
    """n quantified, n below and n above the limits of quantification, for one arm."""
    numbers = zip(METHOD.quantities, (sample.n, sample.n_below_limit, sample.n_above_limit), strict=True)
    return tuple(
        METHOD.estimate(key, scale, arm=sample.arm, estimate=count, n=n_by_arm(sample)) for key, count in numbers
    )
