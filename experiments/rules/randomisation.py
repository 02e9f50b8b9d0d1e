"""Seeded allocation of animals to arms: simple, in blocks, or stratified by weight class, litter and cage.

The draw depends on the seed, the design and the animals, never on the order in which animals or arms are given: both are
sorted by their keys. From the seed's stream (`random_stream`) are drawn, in this order: the order of the arms; group by
group the sizes of its blocks; the rounding of expected counts (`controlled_rounding`); block by block the order of its
arms. Simple randomisation without planned sizes draws each animal's arm independently.

Strata are nested in the order of `strata`: first-named factors are balanced best. A stratum smaller than the number of
arms (litters of 3, 6 arms) is completed by others: each count, in every group and overall, is its expectation rounded
down or up, and every animal has the same probability of an arm. Planned sizes are met exactly.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from experiments.rules.arm_balance import Balance, balance_of, confounded_cages
from experiments.rules.controlled_rounding import Group, rounded_counts, whole_weights
from experiments.rules.quantities import Finding, RuleError, count, listed, positive
from experiments.rules.random_stream import RandomStream

ALGORITHM = "labdb allocation by controlled rounding"
VERSION = "1"


class Method(StrEnum):
    SIMPLE = "simple"
    BLOCK = "block"
    STRATIFIED = "stratified"


class Factor(StrEnum):
    """What strata are formed of."""

    WEIGHT = "weight"
    LITTER = "litter"
    CAGE = "cage"


@dataclass(frozen=True, slots=True)
class Animal:
    """An animal to be allocated. `key` is stable and unique (its id); `weight_g` in g; None is unknown."""

    key: str
    weight_g: Decimal | None = None
    litter: str | None = None
    cage: str | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm. `planned_n` is met exactly; arms without it share the other animals in the proportion of their `ratio`."""

    key: str
    ratio: int = 1
    planned_n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How animals are drawn. `block_sizes` are multiples of the sum of the ratios, one of them drawn for each block;
    none given means that sum and twice it. `strata` from the outer to the inner; `weight_classes` of equal size.
    """

    method: Method
    arms: tuple[Arm, ...]
    strata: tuple[Factor, ...] = ()
    weight_classes: int = 3
    block_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One row of an allocation: block and position count from 1, blocks within the stratum."""

    animal: str
    arm: str
    stratum: str
    block: int
    position: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The outcome of a draw, animals in the order of their keys. It does not hold the seed."""

    algorithm: str
    version: str
    places: tuple[Place, ...]
    balance: Balance
    warnings: tuple[Finding, ...]

    def arm_by_animal(self) -> dict[str, str]:
        return {place.animal: place.arm for place in self.places}


def allocate(design: Design, animals: Sequence[Animal], seed: str) -> Allocation:
    """The allocation that the seed gives. Same seed, design and animals: same allocation, in any order of input.

    Raises RuleError for fewer animals than arms, a key that stands twice, an animal without the weight, litter or cage
    that strata are formed of (each named), a ratio that is not positive, planned sizes that the animals do not meet,
    block sizes that do not fit the ratio.
    """
    arms = sorted(design.arms, key=lambda arm: arm.key)
    ordered = sorted(animals, key=lambda animal: animal.key)
    _check(design, ordered)
    stream = RandomStream(seed)
    arms = stream.shuffled(arms)
    weights = _weights(arms, len(ordered))
    if design.method == Method.SIMPLE and all(arm.planned_n is None for arm in arms):
        places = _independent(ordered, arms, weights, stream)
    else:
        places = _in_blocks(design, ordered, arms, weights, stream)
    places.sort(key=lambda place: place.animal)
    arm_by_animal = {place.animal: place.arm for place in places}
    balance = balance_of(ordered, [arm.key for arm in design.arms], arm_by_animal)
    return Allocation(ALGORITHM, VERSION, tuple(places), balance, _warnings(design, ordered, arm_by_animal, places))


def _independent(
    animals: Sequence[Animal], arms: Sequence[Arm], weights: Sequence[int], stream: RandomStream
) -> list[Place]:
    tickets = [arm.key for arm, weight in zip(arms, weights, strict=True) for _ in range(weight)]
    return [
        Place(animal.key, tickets[stream.below(len(tickets))], "all", 1, position)
        for position, animal in enumerate(animals, 1)
    ]


def _in_blocks(
    design: Design, animals: Sequence[Animal], arms: Sequence[Arm], weights: Sequence[int], stream: RandomStream
) -> list[Place]:
    blocks: list[tuple[str, int, Sequence[Animal]]] = []
    root = _grouped(design, animals, _levels(design, animals), (), stream, blocks)
    places = []
    counts = rounded_counts(root, weights, stream)
    for (stratum, block, members), row in zip(blocks, counts, strict=True):
        drawn = stream.shuffled([arm.key for arm, n in zip(arms, row, strict=True) for _ in range(n)])
        for position, (animal, arm) in enumerate(zip(members, drawn, strict=True), 1):
            places.append(Place(animal.key, arm, stratum, block, position))
    return places


def _grouped(
    design: Design,
    animals: Sequence[Animal],
    levels: Sequence[Callable[[Animal], str]],
    labels: tuple[str, ...],
    stream: RandomStream,
    blocks: list[tuple[str, int, Sequence[Animal]]],
) -> Group:
    """The tree of strata and, in the smallest strata, blocks of animals in the order of their keys."""
    group = Group(len(animals))
    if levels:
        parts = by_label(animals, levels[0])
        for label in stream.shuffled(sorted(parts)):
            inner = (*labels, label)
            group.children.append(_grouped(design, parts[label], levels[1:], inner, stream, blocks))
        return group
    start, stratum = 0, ", ".join(labels) or "all"
    for number, size in enumerate(_block_sizes(design, len(animals), stream), 1):
        group.children.append(Group(size))
        blocks.append((stratum, number, animals[start : start + size]))
        start += size
    return group


def _block_sizes(design: Design, n: int, stream: RandomStream) -> list[int]:
    """Sizes drawn until n animals have a block; a rest that no allowed size fits is the last block."""
    if design.method == Method.SIMPLE:
        return [n]
    unit = sum(arm.ratio for arm in design.arms)
    allowed = sorted(set(design.block_sizes or (unit, 2 * unit)))
    sizes = []
    while n:
        fitting = [size for size in allowed if size <= n]
        sizes.append(fitting[stream.below(len(fitting))] if fitting else n)
        n -= sizes[-1]
    return sizes


def _levels(design: Design, animals: Sequence[Animal]) -> list[Callable[[Animal], str]]:
    if design.method != Method.STRATIFIED:
        return []
    classes = weight_class_by_animal(animals, design.weight_classes) if Factor.WEIGHT in design.strata else {}
    label: dict[Factor, Callable[[Animal], str]] = {
        Factor.WEIGHT: lambda animal: f"weight class {classes[animal.key]:0{len(str(design.weight_classes))}}",
        Factor.LITTER: lambda animal: f"litter {animal.litter}",
        Factor.CAGE: lambda animal: f"cage {animal.cage}",
    }
    return [label[factor] for factor in design.strata]


def weight_class_by_animal(animals: Sequence[Animal], classes: int) -> dict[str, int]:
    """Class 1 (lightest) to `classes`, of sizes equal within one; equal weights are parted by key."""
    ranked = sorted(animals, key=lambda animal: (animal.weight_g, animal.key))
    return {animal.key: rank * classes // len(ranked) + 1 for rank, animal in enumerate(ranked)}


def by_label(animals: Sequence[Animal], label: Callable[[Animal], str]) -> dict[str, list[Animal]]:
    parts: dict[str, list[Animal]] = {}
    for animal in animals:
        parts.setdefault(label(animal), []).append(animal)
    return parts


def _weights(arms: Sequence[Arm], n: int) -> tuple[int, ...]:
    """Expected animals of each arm as the smallest whole numbers in the same proportion."""
    rest = n - sum(arm.planned_n or 0 for arm in arms)
    ratios = sum(arm.ratio for arm in arms if arm.planned_n is None)
    return whole_weights(
        [Fraction(rest * arm.ratio, ratios) if arm.planned_n is None else Fraction(arm.planned_n) for arm in arms]
    )


def _check(design: Design, animals: Sequence[Animal]) -> None:
    _check_keys("Arm", [arm.key for arm in design.arms])
    _check_keys("Animal", [animal.key for animal in animals])
    if len(design.arms) < 2:
        raise RuleError(f"The design has {len(design.arms)} arm; expected 2 or more.")
    for arm in design.arms:
        count(f"The ratio of arm {arm.key}", arm.ratio, 1)
        if arm.planned_n is not None:
            count(f"The planned size of arm {arm.key}", arm.planned_n, 1)
    if len(animals) < len(design.arms):
        raise RuleError(f"There are {len(animals)} animals for {len(design.arms)} arms; expected one an arm at least.")
    _check_sizes(design, len(animals))
    _check_strata(design, animals)
    for animal in animals:
        if animal.weight_g is not None:
            positive(f"The weight of animal {animal.key} in g", animal.weight_g)


def _check_keys(kind: str, keys: Sequence[str]) -> None:
    if twice := sorted(key for key, times in Counter(keys).items() if times > 1):
        raise RuleError(f"{kind} {', '.join(twice)} stands twice; expected each once.")


def _check_sizes(design: Design, n: int) -> None:
    planned = sum(arm.planned_n or 0 for arm in design.arms)
    unplanned = sum(arm.planned_n is None for arm in design.arms)
    if planned and (planned + unplanned > n if unplanned else planned != n):
        expected = f"{planned + unplanned} or more" if unplanned else f"{planned}"
        raise RuleError(f"There are {n} animals; the planned sizes of the arms need {expected}.")
    unit = sum(arm.ratio for arm in design.arms)
    for size in design.block_sizes:
        if count("A block size", size, 1) % unit:
            raise RuleError(f"A block size is {size}; expected a multiple of {unit}, the sum of the ratios.")


def _check_strata(design: Design, animals: Sequence[Animal]) -> None:
    if (design.method == Method.STRATIFIED) != bool(design.strata):
        raise RuleError(f"A {design.method} design has strata {list(design.strata)}; only a stratified one has them.")
    if len(set(design.strata)) < len(design.strata):
        raise RuleError(f"The strata {', '.join(design.strata)} name a factor twice.")
    if Factor.WEIGHT in design.strata and count("The number of weight classes", design.weight_classes, 2) > len(
        animals
    ):
        raise RuleError(f"There are {design.weight_classes} weight classes for {len(animals)} animals.")
    known = {Factor.WEIGHT: "weight_g", Factor.LITTER: "litter", Factor.CAGE: "cage"}
    for factor in design.strata:
        if missing := [animal.key for animal in animals if getattr(animal, known[factor]) in (None, "")]:
            raise RuleError(f"Strata are formed of {factor}, which is missing for animal {', '.join(missing)}.")


def _warnings(
    design: Design, animals: Sequence[Animal], arm_by_animal: dict[str, str], places: Sequence[Place]
) -> tuple[Finding, ...]:
    found = confounded_cages(animals, arm_by_animal)
    arms, sizes = len(design.arms), Counter(place.stratum for place in places)
    small = [f"{stratum} ({n})" for stratum, n in sorted(sizes.items()) if n < arms]
    if design.method == Method.STRATIFIED and small:
        told = f"{len(small)} of {len(sizes)} strata hold fewer animals than the {arms} arms: {listed(small)}."
        found.append(Finding("stratum_below_arms", f"{told} Such strata are balanced together, not each alone."))
    empty = sorted({arm.key for arm in design.arms} - set(arm_by_animal.values()))
    if empty:
        found.append(Finding("arm_empty", f"No animal was drawn for arm {', '.join(empty)}."))
    return tuple(found)
