"""Sealing a seed: a digest that is published before the draw, and checked once the seed is revealed.

The digest binds the seed to the design and the animals, so that neither can be exchanged afterwards. With 128 random
bits in it, it tells nothing of the seed.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict

from experiments.rules.quantities import RuleError, plain
from experiments.rules.random_stream import seed_bytes
from experiments.rules.randomisation import ALGORITHM, VERSION, Allocation, Animal, Design, allocate


def inputs_digest(design: Design, animals: Sequence[Animal]) -> str:
    """SHA-256 (hexadecimal) of everything but the seed; the order of animals and arms does not matter."""
    rows = [
        [a.key, None if a.weight_g is None else plain(a.weight_g), a.litter, a.cage]
        for a in sorted(animals, key=lambda animal: animal.key)
    ]
    told = asdict(design) | {"arms": sorted((asdict(arm) for arm in design.arms), key=lambda arm: arm["key"])}
    told["block_sizes"] = sorted(set(design.block_sizes))
    content = {"algorithm": ALGORITHM, "version": VERSION, "design": told, "animals": rows}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def commitment(seed: str, design: Design, animals: Sequence[Animal]) -> str:
    """SHA-256 (hexadecimal) of the seed's 16 bytes followed by the 32 bytes of `inputs_digest`."""
    return hashlib.sha256(seed_bytes(seed) + bytes.fromhex(inputs_digest(design, animals))).hexdigest()


def verify(
    sealed: str, seed: str, design: Design, animals: Sequence[Animal], arm_by_animal: dict[str, str]
) -> Allocation:
    """The draw again, from a seed that was revealed.

    Raises RuleError where seed, design or animals are not those that were sealed, and, naming them, for animals whose
    arm is not the one that was drawn.
    """
    if not hmac.compare_digest(commitment(seed, design, animals), sealed):
        raise RuleError("The seed, the design or the animals are not those that were sealed.")
    allocation = allocate(design, animals, seed)
    drawn = allocation.arm_by_animal()
    other = sorted(key for key in drawn.keys() | arm_by_animal.keys() if drawn.get(key) != arm_by_animal.get(key))
    if other:
        raise RuleError(f"The arm of animal {', '.join(other)} is not the one that was drawn.")
    return allocation
