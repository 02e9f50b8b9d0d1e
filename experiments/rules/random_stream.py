"""Random whole numbers from a seed: the same in every version of Python, on every machine.

The stream of bytes is SHA-256(domain ‖ seed ‖ counter) for counter = 0, 1, 2 …, where the domain is the ASCII text
`DOMAIN`, the seed its 16 bytes and the counter 8 bytes, big-endian. A number below n takes as many bytes as n - 1 needs,
keeps its lowest bits and is drawn anew where it is n or more, so that every number is equally likely. A shuffle is that
of Fisher and Yates in Durstenfeld's order (Knuth, TAOCP vol. 2, 3.4.2, algorithm P).
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import TypeVar

from experiments.rules.quantities import RuleError

DOMAIN = b"labdb random stream 1"
SEED_BITS = 128
Item = TypeVar("Item")


def new_seed() -> str:
    """A seed of 128 bits from the operating system's generator, as 32 hexadecimal digits."""
    return secrets.token_hex(SEED_BITS // 8)


def seed_bytes(seed: str) -> bytes:
    """The 16 bytes of a seed. Raises RuleError unless it is 32 lower-case hexadecimal digits."""
    if not isinstance(seed, str) or not re.fullmatch(r"[0-9a-f]{32}", seed):
        raise RuleError(f"The seed has {len(str(seed))} characters; expected {SEED_BITS // 4} hexadecimal digits.")
    return bytes.fromhex(seed)


class RandomStream:
    """The numbers that follow from one seed, in the order in which they are asked for."""

    def __init__(self, seed: str) -> None:
        self._key = DOMAIN + seed_bytes(seed)
        self._counter = 0
        self._bytes = b""

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, each with probability 1/n; n >= 1."""
        bits = (n - 1).bit_length()
        while True:
            number = int.from_bytes(self._take((bits + 7) // 8)) & ((1 << bits) - 1)
            if number < n:
                return number

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in an order drawn uniformly from all orders."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def _take(self, length: int) -> bytes:
        while len(self._bytes) < length:
            self._bytes += hashlib.sha256(self._key + self._counter.to_bytes(8)).digest()
            self._counter += 1
        taken, self._bytes = self._bytes[:length], self._bytes[length:]
        return taken
