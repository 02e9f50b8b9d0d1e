"""How alike the arms came out: numbers, weights, litters and cages; never a test of significance."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Protocol

from experiments.rules.quantities import Finding, listed


class Weighed(Protocol):
    """What of an animal is compared; weight in g, None where unknown."""

    @property
    def key(self) -> str: ...
    @property
    def weight_g(self) -> Decimal | None: ...
    @property
    def litter(self) -> str | None: ...
    @property
    def cage(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ArmBalance:
    """One arm: mean and SD (n - 1) of the weights in g that are known, animals a litter and a cage."""

    arm: str
    n: int
    n_weighed: int
    mean_weight_g: float | None
    sd_weight_g: float | None
    n_by_litter: tuple[tuple[str, int], ...]
    n_by_cage: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """All arms, and the largest standardised difference of mean weight between two of them (None: not computable)."""

    arms: tuple[ArmBalance, ...]
    largest_standardised_difference: float | None
    between: tuple[str, str] | None


def balance_of(animals: Sequence[Weighed], arms: Sequence[str], arm_by_animal: Mapping[str, str]) -> Balance:
    """The table of an allocation, arms in the given order."""
    rows = tuple(_row(arm, [animal for animal in animals if arm_by_animal[animal.key] == arm]) for arm in arms)
    differences = [
        (difference, (one.arm, other.arm))
        for one, other in combinations(rows, 2)
        if (difference := standardised_difference(one, other)) is not None
    ]
    largest = max(differences, key=lambda pair: pair[0], default=(None, None))
    return Balance(rows, *largest)


def _row(arm: str, members: Sequence[Weighed]) -> ArmBalance:
    weights = [animal.weight_g for animal in members if animal.weight_g is not None]
    return ArmBalance(
        arm=arm,
        n=len(members),
        n_weighed=len(weights),
        mean_weight_g=float(statistics.mean(weights)) if weights else None,
        sd_weight_g=float(statistics.stdev(weights)) if len(weights) > 1 else None,
        n_by_litter=_counted(animal.litter for animal in members),
        n_by_cage=_counted(animal.cage for animal in members),
    )


def _counted(labels: Iterable[str | None]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(label for label in labels if label is not None).items()))


def standardised_difference(one: ArmBalance, other: ArmBalance) -> float | None:
    """|mean - mean| / sqrt((SD² + SD²) / 2), Austin 2009, Stat Med 28:3083-3107, eq. 1; None where an SD is unknown or
    nothing varies.
    """
    if one.mean_weight_g is None or other.mean_weight_g is None:
        return None
    if one.sd_weight_g is None or other.sd_weight_g is None:
        return None
    spread = math.sqrt((one.sd_weight_g**2 + other.sd_weight_g**2) / 2)
    return abs(one.mean_weight_g - other.mean_weight_g) / spread if spread else None


def confounded_cages(animals: Sequence[Weighed], arm_by_animal: Mapping[str, str]) -> list[Finding]:
    """A warning where cages of two or more animals hold one arm only: cage and arm cannot be told apart there."""
    members: dict[str, list[str]] = {}
    for animal in animals:
        if animal.cage is not None:
            members.setdefault(animal.cage, []).append(arm_by_animal[animal.key])
    shared = {cage: arms for cage, arms in members.items() if len(arms) > 1}
    alike = [f"{cage} ({len(arms)} animals)" for cage, arms in sorted(shared.items()) if len(set(arms)) == 1]
    if not alike:
        return []
    told = f"{len(alike)} of {len(shared)} cages with two or more animals hold one arm only: {listed(alike)}."
    return [Finding("cage_holds_one_arm", f"{told} Cage and arm cannot be told apart there.")]
