"""The declared table: its text, read into cells."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.contracts.matrix import PEOPLE, SITUATIONS
from tests.contracts.matrix.addresses import METHODS
from tests.contracts.matrix.outcomes import LETTERS

FOLDER = Path(__file__).parent / "declared"
ANY = "any"


@dataclass(frozen=True)
class Cell:
    """One request of one person: ``situation`` is “any” where no experiment is concerned."""

    address: str
    method: str
    situation: str
    person: str


def read(files: Iterable[Path] | None = None) -> dict[Cell, str]:
    """Letter of every declared cell. Raises ValueError naming the file and line that cannot be read."""
    cells: dict[Cell, str] = {}
    for file in sorted(FOLDER.glob("*.txt")) if files is None else files:
        address = ""
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            text = line.split("#")[0].rstrip()
            if not text:
                continue
            if not text.startswith(" "):
                address = text
                continue
            for cell, letter in _line(address, text.split(), f"{file.name}, line {number}"):
                if cell in cells:
                    raise ValueError(f"{file.name}, line {number}: {cell} is declared twice.")
                cells[cell] = letter
    return cells


def _line(address: str, words: list[str], where: str) -> Iterable[tuple[Cell, str]]:
    methods = [word for word in words if word in METHODS]
    groups = words[len(methods) :]
    situations = SITUATIONS if len(groups) == len(SITUATIONS) else (ANY,)
    if not methods or len(groups) != len(situations):
        raise ValueError(f"{where}: expected methods, then one group of letters or {len(SITUATIONS)}.")
    for situation, letters in zip(situations, groups, strict=True):
        if len(letters) != len(PEOPLE) or set(letters) - set(LETTERS):
            raise ValueError(f"{where}: “{letters}” are not {len(PEOPLE)} of the letters {' '.join(LETTERS)}.")
        for method in methods:
            for person, letter in zip(PEOPLE, letters, strict=True):
                yield Cell(address, method, situation, person), letter
