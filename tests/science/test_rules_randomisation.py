"""Seeded allocation: reproducible, exact in its sizes, uniform for each animal, not predictable; the seed can be sealed."""

import hashlib
import math
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import combinations, pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from experiments.rules import randomisation
from experiments.rules.arm_balance import balance_of, confounded_cages
from experiments.rules.controlled_rounding import Group, rounded_counts
from experiments.rules.quantities import RuleError
from experiments.rules.random_stream import DOMAIN, RandomStream, new_seed
from experiments.rules.randomisation import Animal, Arm, Design, Factor, Method, allocate
from experiments.rules.sealed_seed import commitment, inputs_digest, verify

SEED = "000102030405060708090a0b0c0d0e0f"
SIX = tuple(Arm(key) for key in "ABCDEF")
FALSE_ALARM = 1e-4  # over the family of tests


def herd(n: int, litter_size: int = 3, cage_size: int = 4) -> list[Animal]:
    """Weights that rise with the number, so that an allocation that follows weight or order shows."""
    return [
        Animal(f"M{i:03}", Decimal(180 + 3 * i) / 10, f"L{i // litter_size:02}", f"C{(i * 5) % n // cage_size:02}")
        for i in range(n)
    ]


LITTERS = Design(method=Method.STRATIFIED, arms=SIX, strata=(Factor.LITTER,))
DESIGNS = {
    "simple": Design(method=Method.SIMPLE, arms=SIX),
    "simple, planned": Design(method=Method.SIMPLE, arms=(Arm("A", planned_n=5), *SIX[1:])),
    "block": Design(method=Method.BLOCK, arms=SIX),
    "litters": LITTERS,
    "weight and cage": replace(LITTERS, strata=(Factor.WEIGHT, Factor.CAGE)),
    "all": replace(LITTERS, strata=(Factor.CAGE, Factor.LITTER, Factor.WEIGHT), weight_classes=4),
    "ratio": Design(method=Method.STRATIFIED, arms=(Arm("A", 2), Arm("B", 1), Arm("C", 1)), strata=(Factor.LITTER,)),
}


def seed_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def test_the_stream_is_what_its_description_says():
    """A second implementation, from the description alone."""
    block = b"".join(hashlib.sha256(DOMAIN + bytes(range(16)) + i.to_bytes(8, "big")).digest() for i in range(8))
    stream, place = RandomStream(SEED), 0
    for n in (2, 6, 7, 256, 257, 1000, 3) * 5:
        while True:
            length, mask = {True: (1, 255), False: (2, 511 if n <= 512 else 1023)}[n <= 256]
            mask = min(mask, 2 ** math.ceil(math.log2(n)) - 1)
            number = int.from_bytes(block[place : place + length], "big") & mask
            place += length
            if number < n:
                break
        assert stream.below(n) == number


def test_an_allocation_never_changes_between_versions():
    """Pinned: a change of any digit here is a new version of the algorithm."""
    found = {key: "".join(allocate(design, herd(12), SEED).arm_by_animal().values()) for key, design in DESIGNS.items()}
    assert found == PINNED
    assert (randomisation.ALGORITHM, randomisation.VERSION) == ("labdb allocation by controlled rounding", "1")


PINNED = {
    "simple": "FFBCEEECEBEB",
    "simple, planned": "FBEADDFCAAAA",
    "block": "ACDDFCFABBEE",
    "litters": "BDCAFEACFEDB",
    "weight and cage": "CEABFDAECFBD",
    "all": "AEBBCEAFFDCD",
    "ratio": "ACBABAACABAC",
}


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(DESIGNS)), st.integers(6, 40), st.integers(0, 10**9), st.randoms())
def test_same_seed_same_allocation_in_any_order_of_input(key, n, number, order):
    design, animals, seed = DESIGNS[key], herd(n), seed_of(number)
    mixed, arms = order.sample(animals, n), tuple(order.sample(design.arms, len(design.arms)))
    design = replace(design, weight_classes=3) if n >= 10 else replace(design, weight_classes=2)
    planned = [arm for arm in design.arms if arm.planned_n]
    if planned and n < 10:
        return
    first, again = allocate(design, animals, seed), allocate(replace(design, arms=arms), mixed, seed)
    assert first.places == again.places
    assert commitment(seed, design, animals) == commitment(seed, replace(design, arms=arms), mixed)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=6),
    st.integers(6, 50),
    st.integers(1, 7),
    st.permutations([Factor.WEIGHT, Factor.LITTER, Factor.CAGE]),
    st.integers(1, 3),
    st.integers(0, 10**9),
)
def test_every_group_holds_its_share_rounded_down_or_up(ratios, n, litter, order, depth, number):
    """Overall, in each stratum and in each stratum of strata, for each arm."""
    arms = tuple(Arm(f"arm {i}", ratio) for i, ratio in enumerate(ratios))
    design = Design(method=Method.STRATIFIED, arms=arms, strata=tuple(order[:depth]), weight_classes=3)
    animals = herd(n, litter)
    allocation = allocate(design, animals, seed_of(number))
    assert [place.animal for place in allocation.places] == [animal.key for animal in animals]
    for level, arm in product(range(depth + 1), arms):
        groups: dict[tuple[str, ...], list[str]] = {}
        for place in allocation.places:
            groups.setdefault(tuple(place.stratum.split(", ")[:level]), []).append(place.arm)
        for members in groups.values():
            share = len(members) * arm.ratio / sum(ratios)
            assert math.floor(share) <= members.count(arm.key) <= math.ceil(share), (level, arm)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(Method)), st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(0, 10**9))
def test_planned_sizes_are_met_exactly(method, sizes, number):
    strata = (Factor.LITTER,) if method == Method.STRATIFIED else ()
    arms = tuple(Arm(f"arm {i}", planned_n=size) for i, size in enumerate(sizes))
    allocation = allocate(Design(method=method, arms=arms, strata=strata), herd(sum(sizes)), seed_of(number))
    assert Counter(allocation.arm_by_animal().values()) == {arm.key: arm.planned_n for arm in arms}


def test_whole_blocks_hold_the_ratio_and_block_sizes_vary():
    arms = (Arm("A", 2), Arm("B", 1))
    places = allocate(Design(method=Method.BLOCK, arms=arms, block_sizes=(3, 6)), herd(61), SEED).places
    blocks: dict[int, list[str]] = {}
    for place in places:
        blocks.setdefault(place.block, []).append(place.arm)
    sizes = [len(blocks[number]) for number in sorted(blocks)]
    assert set(sizes[:-1]) == {3, 6} and sizes[-1] == 1
    for members in list(blocks.values())[:-1]:
        assert members.count("A") == 2 * members.count("B")


def draws(design: Design, animals: list[Animal], times: int, draw=allocate) -> list[dict[str, str]]:
    return [draw(design, animals, seed_of(number)).arm_by_animal() for number in range(times)]


def smallest_p(found: list[dict[str, str]], shares: dict[str, float]) -> float:
    """Bonferroni over animals: chi-square of how often each animal came to each arm."""
    p_values = []
    for animal in found[0]:
        seen = Counter(drawn[animal] for drawn in found)
        p_values.append(chisquare([seen[arm] for arm in shares], [len(found) * s for s in shares.values()]).pvalue)
    return min(p_values) * len(p_values)


@pytest.mark.parametrize("times", [1000, pytest.param(10_000, marks=pytest.mark.stress)])
@pytest.mark.parametrize("n", [12, pytest.param(72, marks=pytest.mark.stress)])
def test_each_animal_is_equally_likely_in_each_arm(times, n):
    """Litters of 3, six arms, cages of 4: every stratum is smaller than the arms are many."""
    design = replace(LITTERS, strata=(Factor.LITTER, Factor.CAGE))
    assert smallest_p(draws(design, herd(n), times), dict.fromkeys("ABCDEF", 1 / 6)) > FALSE_ALARM


def test_unequal_planned_sizes_are_the_probabilities_of_each_animal():
    arms = (Arm("A", planned_n=3), Arm("B", planned_n=4), Arm("C", planned_n=7))
    for design in (Design(method=Method.BLOCK, arms=arms), replace(LITTERS, arms=arms)):
        assert smallest_p(draws(design, herd(14, 4), 1000), {"A": 3 / 14, "B": 4 / 14, "C": 0.5}) > FALSE_ALARM


def test_a_biased_shuffle_is_found_out():
    """The naive shuffle, each place exchanged with any place, does not draw orders uniformly."""

    def naive(stream: RandomStream, items):
        order = list(items)
        for place in range(len(order)):
            other = stream.below(len(order))
            order[place], order[other] = order[other], order[place]
        return order

    shares = dict.fromkeys("ABCDEF", 1 / 6)
    for shuffled, is_fair in ((RandomStream.shuffled, True), (naive, False)):
        orders = [dict(enumerate(shuffled(RandomStream(seed_of(i)), list("ABCDEF")))) for i in range(3000)]
        assert (smallest_p(orders, shares) > FALSE_ALARM) == is_fair


def test_any_two_animals_are_equally_often_together(monkeypatch):
    design, animals = Design(method=Method.SIMPLE, arms=tuple(Arm(k, planned_n=2) for k in "ABC")), herd(6)
    assert smallest_pair_p(draws(design, animals, 1000), 1 / 5) > FALSE_ALARM
    monkeypatch.setattr(RandomStream, "shuffled", lambda stream, items: items[(n := stream.below(6)) :] + items[:n])
    assert smallest_pair_p(draws(design, animals, 1000), 1 / 5) < FALSE_ALARM


def smallest_pair_p(found: list[dict[str, str]], share: float) -> float:
    """Bonferroni over pairs of animals: how often both came to one arm, which each pair does alike."""
    pairs = list(combinations(sorted(found[0]), 2))
    together = [sum(drawn[one] == drawn[other] for drawn in found) for one, other in pairs]
    n = len(found)
    return len(pairs) * min(chisquare([k, n - k], [n * share, n * (1 - share)]).pvalue for k in together)


def mean_counts(sizes: tuple[int, ...], weights: tuple[int, ...], times: int) -> list[float]:
    """Mean over draws of the animals of each group that come to the first arm."""
    sums = [0] * len(sizes)
    for number in range(times):
        root = Group(sum(sizes), [Group(size) for size in sizes])
        for place, row in enumerate(rounded_counts(root, weights, RandomStream(seed_of(number)))):
            sums[place] += row[0]
    return [total / times for total in sums]


def test_rounded_counts_average_to_the_expectation(monkeypatch):
    """Groups of 1, 2, 4 animals, weights 1 and 2: a third of each; rounding at even odds is found out."""
    expected = [1 / 3, 2 / 3, 4 / 3]
    assert mean_counts((1, 2, 4), (1, 2), 2000) == pytest.approx(expected, abs=0.05)
    even_odds = lambda up, down, stream: up if stream.below(2) else -down  # noqa: E731
    monkeypatch.setattr("experiments.rules.controlled_rounding.drawn_amount", even_odds)
    assert mean_counts((1, 2, 4), (1, 2), 2000) != pytest.approx(expected, abs=0.05)


def test_a_block_design_cannot_be_predicted_from_weights():
    """Over draws the next heavier animal's arm is independent of the rank of its weight; arm means of rank are alike."""
    animals, design = herd(24), Design(method=Method.BLOCK, arms=tuple(Arm(k) for k in "ABC"))
    found = draws(design, animals, 1000)
    table = [Counter(drawn[animal.key] for drawn in found) for animal in animals]
    statistic = sum((row[arm] - 1000 / 3) ** 2 / (1000 / 3) for row in table for arm in "ABC")
    # Rows of one draw lean against each other: under it the sum has at most these degrees of freedom.
    assert chi2.sf(statistic, 2 * len(animals)) > FALSE_ALARM
    slopes = [sum((rank - 11.5) * (drawn[animals[rank].key] == "A") for rank in range(24)) for drawn in found]
    mean = sum(slopes) / 1000
    error = math.sqrt(sum((slope - mean) ** 2 for slope in slopes) / 999 / 1000)
    assert abs(mean / error) < 4


def test_the_last_arm_does_not_tell_the_next():
    """Within one long draw: whether the neighbour has the same arm is as often as blocks of varying size allow."""
    arms = tuple(Arm(k) for k in "AB")
    drawn = list(allocate(Design(method=Method.SIMPLE, arms=arms), herd(4000), SEED).arm_by_animal().values())
    pairs = Counter(pairwise(drawn))
    assert chisquare([pairs[pair] for pair in product("AB", repeat=2)]).pvalue > FALSE_ALARM


def test_a_sealed_seed_is_checked_when_it_is_revealed():
    animals, seed = herd(12), new_seed()
    sealed, drawn = commitment(seed, LITTERS, animals), allocate(LITTERS, animals, seed).arm_by_animal()
    assert verify(sealed, seed, LITTERS, animals, drawn).arm_by_animal() == drawn
    assert sealed == hashlib.sha256(bytes.fromhex(seed + inputs_digest(LITTERS, animals))).hexdigest()
    lighter = [replace(animals[0], weight_g=Decimal("17.9")), *animals[1:]]
    for changed in ((SEED, LITTERS, animals), (seed, DESIGNS["block"], animals), (seed, LITTERS, lighter)):
        with pytest.raises(RuleError, match="not those that were sealed"):
            verify(sealed, *changed, drawn)
    first, other = "M000", next(key for key in drawn if drawn[key] != drawn["M000"])
    with pytest.raises(RuleError, match=f"animal {first}, {other} is not the one that was drawn"):
        verify(sealed, seed, LITTERS, animals, drawn | {first: drawn[other], other: drawn[first]})


def test_trailing_zeros_of_a_weight_change_nothing():
    animals = herd(12)
    zeros = [replace(animal, weight_g=animal.weight_g.quantize(Decimal("0.001"))) for animal in animals]
    assert inputs_digest(LITTERS, animals) == inputs_digest(LITTERS, zeros)


def test_seeds_are_128_bits_of_their_own():
    seeds = {new_seed() for _ in range(100)}
    assert len(seeds) == 100 and all(len(bytes.fromhex(seed)) == 16 for seed in seeds)


def test_the_balance_is_what_a_second_computation_gives():
    animals = herd(24)
    allocation = allocate(LITTERS, animals, SEED)
    arms, weight = allocation.arm_by_animal(), {animal.key: float(animal.weight_g) for animal in animals}
    stats = {}
    for row in allocation.balance.arms:
        w = [weight[key] for key in arms if arms[key] == row.arm]
        mean = sum(w) / len(w)
        variance = sum((x - mean) ** 2 for x in w) / (len(w) - 1)
        assert (row.n, row.n_weighed) == (4, 4)
        assert (row.mean_weight_g, row.sd_weight_g) == pytest.approx((mean, math.sqrt(variance)))
        assert sum(n for _, n in row.n_by_litter) == sum(n for _, n in row.n_by_cage) == 4
        stats[row.arm] = (mean, variance)
    largest = max(
        abs(stats[a][0] - stats[b][0]) / math.sqrt((stats[a][1] + stats[b][1]) / 2) for a, b in product(stats, repeat=2)
    )
    assert allocation.balance.largest_standardised_difference == pytest.approx(largest)


def test_a_balance_without_weights_says_none():
    animals = [Animal(f"M{i}") for i in range(4)]
    balance = balance_of(animals, ["A", "B"], {"M0": "A", "M1": "A", "M2": "B", "M3": "B"})
    assert balance.largest_standardised_difference is None and balance.arms[0].mean_weight_g is None


def test_a_cage_with_one_arm_and_small_strata_are_warned_about():
    animals = herd(12)
    arm_by_cage = {animal.key: animal.cage for animal in animals}
    (warning,) = confounded_cages(animals, arm_by_cage)
    assert warning.message.startswith("3 of 3 cages with two or more animals hold one arm only: C00 (4 animals), ")
    assert confounded_cages([Animal("a", cage="1"), Animal("b", cage="2")], {"a": "A", "b": "B"}) == []
    told = [w.message for w in allocate(LITTERS, animals, SEED).warnings if w.code == "stratum_below_arms"]
    assert told[0].startswith("4 of 4 strata hold fewer animals than the 6 arms: litter L00 (3), litter L01 (3), ")


NO_WEIGHT = [*herd(6), Animal("M777", None, "L9", "C9"), Animal("M778", None, "L9", "C9")]
REFUSED = {
    "There are 5 animals for 6 arms; expected one an arm at least.": (LITTERS, herd(5)),
    "weight, which is missing for animal M777, M778.": (DESIGNS["weight and cage"], NO_WEIGHT),
    "litter, which is missing for animal x.": (LITTERS, [*herd(6), Animal("x", Decimal(20))]),
    "Animal M000 stands twice": (LITTERS, [*herd(6), herd(1)[0]]),
    "Arm A stands twice": (replace(LITTERS, arms=(*SIX, SIX[0])), herd(12)),
    "The ratio of arm B is 0; expected a whole number, 1 or more.": (
        replace(LITTERS, arms=(Arm("A"), Arm("B", 0))),
        herd(6),
    ),
    "The ratio of arm B is -1": (replace(LITTERS, arms=(Arm("A"), Arm("B", -1))), herd(6)),
    "The design has 1 arm": (replace(LITTERS, arms=SIX[:1]), herd(6)),
    "There are 12 animals; the planned sizes of the arms need 11.": (
        replace(LITTERS, arms=(Arm("A", planned_n=5), Arm("B", planned_n=6))),
        herd(12),
    ),
    "the planned sizes of the arms need 13 or more": (
        replace(LITTERS, arms=(Arm("A", planned_n=12), Arm("B"))),
        herd(12),
    ),
    "A block size is 8; expected a multiple of 6": (replace(LITTERS, block_sizes=(6, 8)), herd(12)),
    "only a stratified one has them": (replace(LITTERS, strata=()), herd(12)),
    "name a factor twice": (replace(LITTERS, strata=(Factor.CAGE, Factor.CAGE)), herd(12)),
    "There are 20 weight classes for 12 animals": (
        replace(LITTERS, strata=(Factor.WEIGHT,), weight_classes=20),
        herd(12),
    ),
    "The weight of animal M000 in g is NaN": (
        LITTERS,
        [replace(herd(1)[0], weight_g=Decimal("NaN")), *herd(12)[1:]],
    ),
}


@pytest.mark.parametrize("expected", REFUSED)
def test_what_is_refused(expected):
    design, animals = REFUSED[expected]
    with pytest.raises(RuleError) as refused:
        allocate(design, animals, SEED)
    assert expected in str(refused.value)


def test_a_seed_that_is_none_is_refused():
    for seed in ("", "12", SEED.upper(), "g" * 32):
        with pytest.raises(RuleError, match="expected 32 hexadecimal digits"):
            allocate(LITTERS, herd(6), seed)


def test_random_of_the_standard_library_is_not_used():
    before = random.getstate()
    allocate(LITTERS, herd(12), SEED)
    assert random.getstate() == before
