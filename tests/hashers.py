"""A hasher for the tests' people: real hashes that any server verifies, made in no time."""

import os
import time
from pathlib import Path

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1


HASHED: list[str] = []  # the passwords that reached ``CountingHasher`` in this process


class CountingHasher(QuickHasher):
    """Counts, in this process and in the file that LABDB_TEST_HASHED names."""

    algorithm = "pbkdf2_sha256"

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        HASHED.append(password)
        if path := os.environ.get("LABDB_TEST_HASHED"):
            with Path(path).open("ab", buffering=0) as file:  # one byte a hash, written by several processes
                file.write(b".")
            time.sleep(0.02)  # a real hash takes longer: time enough for others to come in between
        return super().encode(password, salt, iterations)
