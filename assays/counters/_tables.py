"""What every reader of a cell counter's file returns: frozen tables that keep the place each value stood in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from experiments.sheets.problems import Place, Problem


class CounterError(ValueError):
    """A file that cannot be read; `problems` lists everything wrong with it, each with its place."""

    def __init__(self, filename: str, problems: Sequence[Problem]) -> None:
        self.filename = filename
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{filename} cannot be read:", *(f"- {problem}" for problem in self.problems)]))


@dataclass(frozen=True, slots=True)
class CountedSample:
    """One count of one sample, in cells/mL, percent, cells and µm; None where nothing usable is printed.

    `counted_at` is the clock of the instrument as printed, without zone; `utc_offset_hours` is its zone where the file
    tells one. `printed` keeps every filled cell of the sample as (heading, text), converted or not.
    """

    place: Place
    name: str
    counted_at: dt.datetime | None
    utc_offset_hours: Decimal | None
    total_cells_per_ml: Decimal | None
    viable_cells_per_ml: Decimal | None
    viability_percent: Decimal | None
    total_cells: Decimal | None
    viable_cells: Decimal | None
    diameter_um: Decimal | None
    dilution: Decimal | None
    operator: str
    comment: str
    printed: tuple[tuple[str, str], ...]

    def text_of(self, heading: str) -> str:
        """What is printed under `heading`; empty where nothing is."""
        return next((text for name, text in self.printed if name == heading), "")


@dataclass(frozen=True, slots=True)
class CountFile:
    """A cell counter's file. `problems` name what a person should look at; `unread` the headings without a meaning."""

    format_key: str
    filename: str
    samples: tuple[CountedSample, ...]
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]
