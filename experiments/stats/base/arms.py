"""Arms side by side: exact differences of means and the selection of arms that a comparison can use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .checks import ALL_EQUAL, common_exponent, spread
from .sample import Sample, pivot_gap
from .vocabulary import Refusal, Scale


@dataclass(frozen=True, slots=True)
class ArmMoments:
    """n, mean above a pivot common to all arms and SD, the last two divided by 2**exponent (see `compared`)."""

    arm: str
    n: int
    mean: float
    sd: float


def with_values(samples: Sequence[Sample]) -> tuple[list[Sample], tuple[str, ...]]:
    """The arms that have a measured value, and a warning naming those left out. Raises Refusal below two arms."""
    usable = [sample for sample in samples if sample.n_measured]
    if len(usable) < 2:
        raise Refusal(f"too few arms with values: {len(usable)}, at least 2 needed")
    left_out = [sample.arm for sample in samples if not sample.n_measured]
    return usable, (f"arms without values left out: {', '.join(left_out)}",) if left_out else ()


def compared(samples: Sequence[Sample], scale: Scale) -> tuple[list[ArmMoments], int]:
    """Moments of uncensored arms on the scale about one pivot, and the binary exponent they were scaled by.

    Raises Refusal for a censored value, for n < 2, for a value outside the scale.
    """
    spread_of = [(sample, *spread(sample.on(scale))) for sample in samples]
    first = spread_of[0][0].on(scale)
    means = [pivot_gap(sample.on(scale), first) + moments.mean_above_pivot for sample, moments, _ in spread_of]
    exponent = common_exponent([*means, *(sd for _, _, sd in spread_of)])
    return [
        ArmMoments(sample.arm, sample.n, math.ldexp(mean, -exponent), math.ldexp(sd, -exponent))
        for (sample, _, sd), mean in zip(spread_of, means, strict=True)
    ], exponent


def require_spread_in_each(arms: Sequence[ArmMoments]) -> None:
    """Refuse where an arm has no variance, so that its weight would be infinite."""
    if flat := [arm.arm for arm in arms if arm.sd == 0]:
        raise Refusal(f"{ALL_EQUAL} in arm {', '.join(flat)}")


def pooled_variance(arms: Sequence[ArmMoments]) -> tuple[float, int]:
    """Mean square within arms and its degrees of freedom. Raises Refusal where no arm varies."""
    df = sum(arm.n - 1 for arm in arms)
    squares = math.fsum((arm.n - 1) * arm.sd * arm.sd for arm in arms)
    if squares == 0:
        raise Refusal(f"{ALL_EQUAL} within every arm")
    return squares / df, df
