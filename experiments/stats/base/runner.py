"""Runs all statistics over the arms of one endpoint at one timepoint, knowing none of them by name."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from .checks import n_by_arm
from .registry import PACKAGE, Statistic, statistics
from .sample import Sample
from .vocabulary import Estimate, Kind, Refusal, Scale

OUT_OF_RANGE = "the numbers leave the range of double precision"


def method_versions(keys: Collection[str] | None = None, package: str = PACKAGE) -> dict[str, str]:
    """{method key: version}, sorted by key: the part of a summary's digest that the statistics own."""
    return {s.method.key: s.method.version for s in _chosen(keys, package)}


def summarise(
    samples: Sequence[Sample],
    *,
    pairs: Iterable[tuple[str, str]] = (),
    scale: Scale = Scale.IDENTITY,
    level: float = 0.95,
    keys: Collection[str] | None = None,
    package: str = PACKAGE,
) -> tuple[Estimate, ...]:
    """All estimates for the arms of one endpoint and timepoint, in order of method key, then of arm or pair.

    `samples` holds one sample an arm (an arm without values is an empty sample); `pairs` are (arm, reference arm);
    `keys` restricts to some methods, e.g. to what may be shown before unblinding. What cannot be computed comes back
    refused. Raises ValueError for an arm given twice or a pair naming no arm, for a level outside (0, 1), for an
    unknown key.
    """
    arms, pairs = {sample.arm: sample for sample in samples}, list(pairs)
    _check(samples, arms, pairs, level)
    calls: dict[Kind, list[tuple[tuple[Sample, ...], bool]]] = {
        Kind.PER_ARM: [((sample,), False) for sample in samples],
        Kind.ACROSS_ARMS: [(tuple(samples), True)],
        Kind.VERSUS_REFERENCE: [((arms[arm], arms[reference]), False) for arm, reference in pairs],
    }
    return tuple(
        estimate
        for statistic in _chosen(keys, package)
        for operands, together in calls[statistic.method.kind]
        for estimate in _run(statistic, operands, together, scale, level)
    )


def _chosen(keys: Collection[str] | None, package: str) -> list[Statistic]:
    found = statistics(package)
    if keys is not None and (unknown := set(keys) - {s.method.key for s in found}):
        raise ValueError(f"unknown statistics {sorted(unknown)}, expected some of {[s.method.key for s in found]}")
    return [s for s in found if keys is None or s.method.key in keys]


def _check(samples: Sequence[Sample], arms: dict[str, Sample], pairs: list[tuple[str, str]], level: float) -> None:
    if len(arms) != len(samples):
        raise ValueError(f"expected one sample an arm, got {[sample.arm for sample in samples]}")
    if strangers := {arm for pair in pairs for arm in pair} - set(arms):
        raise ValueError(f"pairs name {sorted(strangers)}, expected some of {sorted(arms)}")
    if not 0 < level < 1:
        raise ValueError(f"level {level}: expected a number between 0 and 1, e.g. 0.95")


def _run(
    statistic: Statistic, operands: tuple[Sample, ...], together: bool, scale: Scale, level: float
) -> tuple[Estimate, ...]:
    arguments = (operands,) if together else operands
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            return statistic.compute(*arguments, scale=scale, level=level)
    except Refusal as refusal:
        reason = str(refusal)
    except (OverflowError, ZeroDivisionError, FloatingPointError) as error:
        reason = f"{OUT_OF_RANGE} ({error})"
    arms = {} if together else dict(zip(("arm", "reference_arm"), (sample.arm for sample in operands), strict=False))
    method = statistic.method
    return tuple(
        method.refuse(quantity, scale, reason, n=n_by_arm(*operands), **arms) for quantity in method.quantities
    )
