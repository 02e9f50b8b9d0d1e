"""Whatever happens to a file: it is read, or refused with reasons. Never another exception, never a changed number."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assays.discovery import RegistryError, register
from assays.readers import READERS, ReadError, read, read_layout_csv
from tests.science.plate_files import elisa_file, elisa_od, gen5, gen5_layout, gen5_rows, plate_header, softmax

MADE = (
    elisa_file().encode("utf-16"),
    elisa_file().encode(),
    gen5(gen5_rows(elisa_od), gen5_layout()).encode(),
)
LAYOUT = b"plate,well,role,sample,concentration,unit,dilution\nP,A1,standard,,5,ng/mL,\nP,A2,sample,x,,,2\n"


def attempt(data: bytes, filename: str = "mutated.txt") -> None:
    for reader in (read, read_layout_csv):
        try:
            reader(data, filename)
        except ReadError as error:
            assert error.problems
            assert all(problem.message for problem in error.problems)


def mutations(data: bytes, seed: int, count: int) -> list[bytes]:
    """Cut, changed, doubled, swapped and emptied pieces, seeded."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        at, size = rng.randrange(len(data)), rng.randrange(1, 40)
        piece = rng.choice(
            [b"", rng.randbytes(size), data[at : at + size] * 2, b"\t", b"\n", b"\x00", b"~End\n", b"1e9999"]
        )
        made.append(rng.choice([data[:at] + piece + data[at + size :], data[:at] + piece + data[at:], data[:at]]))
    return made


@pytest.mark.parametrize("number", range(len(MADE)))
def test_mutated_made_files(number: int) -> None:
    for mutated in mutations(MADE[number], seed=number, count=250):
        attempt(mutated)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"##BLOCKS= 1\n", b"Software Version\t3\nPlate Number\t1\n", b"\xff\xfe", b"well,role\n"]),
)
def test_any_bytes(tail: bytes, head: bytes) -> None:
    attempt(head + tail)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="\t\n 0123456789ABCH.,-<>*?~EndPlate:Group:RawXYZ", max_size=300))
def test_any_table(tail: str) -> None:
    for head in (
        softmax([plate_header()]).split("~End")[0],
        "##BLOCKS= 1\nGroup: Std\nSample\tWells\tConc\n",
        gen5("", ""),
    ):
        attempt((head + tail).encode())


@pytest.mark.parametrize("data", MADE)
def test_every_truncation_is_noticed(data: bytes) -> None:
    """A file that lost its tail must not pass for a whole one: it is refused, or holds fewer wells."""
    whole = read(data, "whole.txt")
    for length in range(0, len(data) - 200, 97):
        try:
            part = read(data[:length], "part.txt")
        except ReadError:
            continue
        assert sum(len(p.readings) for p in part.plates) + len(part.layout) < sum(
            len(p.readings) for p in whole.plates
        ) + len(whole.layout)


def test_real_files_survive_mutation() -> None:
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    for number, path in enumerate(sorted((Path(folder) / "plates").iterdir())):
        if path.suffix in (".txt", ".xlsx") and not path.name.startswith("LICENSE"):
            for mutated in mutations(path.read_bytes(), seed=number, count=60):
                attempt(mutated, path.name)


def test_two_formats_cannot_share_a_key() -> None:
    key, module = next(iter(READERS.items()))
    other = type(module)("another")
    other.KEY, other.LABEL, other.matches, other.parse = key, "Another", module.matches, module.parse
    with pytest.raises(RegistryError, match=f"'{key}' is claimed by both"):
        register(dict(READERS), other, ("LABEL", "matches", "parse"))
    with pytest.raises(RegistryError, match="must define"):
        register({}, type(module)("empty"), ("LABEL",))
