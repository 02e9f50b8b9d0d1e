"""What every reader returns: frozen tables that keep the line each value stood on."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ROLES = ("standard", "blank", "control", "sample")

# What an instrument prints where no usable number stands. A masked value keeps its number beside the flag.
FLAGS = ("overflow", "missed", "masked", "out_of_range", "invalid", "below_curve", "above_curve")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: where it stands, what stands there and what was expected."""

    message: str
    line: int | None = None
    column: int | str | None = None
    value: str | None = None
    expected: str | None = None

    def __str__(self) -> str:
        place = [f"line {self.line}"] if self.line is not None else []
        if self.column is not None:
            place.append(f"column {self.column}")
        text = f"{', '.join(place)}: {self.message}" if place else self.message
        if self.value is not None:
            text += f" (found {_shortened(self.value)!r})"
        return f"{text}; expected {self.expected}" if self.expected else text


class ReadError(ValueError):
    """A file that cannot be read; `problems` lists everything wrong with it at once."""

    def __init__(self, filename: str, problems: Iterable[Problem]) -> None:
        self.filename = filename
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{filename} cannot be read:", *(f"- {problem}" for problem in self.problems)]))


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a line of the file: something kept as text, or something the reader could not use."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One series of readings of a plate. `wavelength_nm` is None for values the reader itself reduced."""

    key: str
    wavelength_nm: Decimal | None
    reduced: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One well in one channel. `value` is exactly as printed (None where no number stands), `flag` one of FLAGS."""

    well: str
    channel: str
    value: Decimal | None
    flag: str | None
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Plate:
    """One plate: `rows` x `columns` wells; readings hold only the wells that were read, in `unit`."""

    label: str
    rows: int
    columns: int
    read_mode: str
    read_type: str
    unit: str
    channels: tuple[Channel, ...]
    readings: tuple[Reading, ...]
    temperature_c: Decimal | None
    read_at: str | None
    line: int


@dataclass(frozen=True, slots=True)
class LayoutEntry:
    """What is in one well. `role` is one of ROLES; `dilution_factor` multiplies a concentration read in the well.

    `plate` None means every plate of the run.
    """

    plate: str | None
    well: str
    role: str
    sample: str
    group: str | None
    concentration: Decimal | None
    unit: str | None
    dilution_factor: Decimal
    line: int


@dataclass(frozen=True, slots=True)
class PrintedResult:
    """A cell the instrument's software computed and printed, kept for comparison only."""

    plate: str | None
    well: str
    group: str | None
    sample: str | None
    column: str
    value: Decimal | None
    flag: str | None
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class PrintedCurve:
    """A standard curve as the instrument's software printed it, kept for comparison only."""

    plate: str | None
    name: str
    formula: str
    parameters: tuple[tuple[str, Decimal], ...]
    r_squared: Decimal | None
    line: int


@dataclass(frozen=True, slots=True)
class PlateFile:
    """A plate reader's file. `notes` keep what has no table of its own, `warnings` what a person should look at."""

    format_key: str
    filename: str
    software_version: str | None
    plates: tuple[Plate, ...]
    layout: tuple[LayoutEntry, ...]
    printed_results: tuple[PrintedResult, ...]
    printed_curves: tuple[PrintedCurve, ...]
    notes: tuple[Note, ...]
    warnings: tuple[Note, ...]


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
