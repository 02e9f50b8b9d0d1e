"""The `Procedure Details` of a Gen5 export: what was read, and whether this reader can read it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assays.readers._tables import Problem
from assays.readers._text import PLATE_SHAPES

_KIND = re.compile(
    r"(Absorbance|Fluorescence|Luminescence|Alpha|TRF|Time Resolved Fluorescence|.*Polarization)"
    r"\s+(Endpoint|Kinetic|Spectrum|.*Scan.*)",
    re.I,
)
_WAVELENGTHS = re.compile(r"Wavelengths?:\s*(.*)")
_WELLS = re.compile(r"(?<!\d)(6|12|24|48|96|384|1536)(?!\d)")


@dataclass(frozen=True, slots=True)
class Procedure:
    """The raw rows the results can hold: label → wavelength in nm, and the plate's rows and columns if stated."""

    channels: Mapping[str, Decimal]
    shape: tuple[int, int] | None
    supported: bool
    lines: tuple[str, ...]
    line: int


@dataclass(slots=True)
class _Read:
    label: str
    kind: str
    wavelengths_nm: list[Decimal]


def parse_procedure(lines: Sequence[str], first_line: int, problems: list[Problem]) -> Procedure:
    """Read the reads and their wavelengths; what is not supported is appended to `problems`."""
    before = len(problems)
    reads: list[_Read] = []
    shape = None
    for number, line in enumerate(lines, start=first_line):
        key, _, value = (part.strip() for part in line.lstrip().partition("\t"))
        if key == "Plate Type":
            counts = [int(count) for count in _WELLS.findall(value)]
            shape = PLATE_SHAPES[max(counts)] if counts else None
        elif re.match(r"Start Kinetic|.*\bKinetic\b", key):
            problems.append(Problem("kinetic reads are not supported", number, value=line.strip(), expected="Endpoint"))
        elif key == "Read":
            kind = _KIND.fullmatch(value)
            reads.append(_Read("" if kind else value, value if kind else "", []))
        elif reads:
            _continue_read(reads[-1], line.strip(), number, problems)
    for read in reads:
        if read.kind.lower() != "absorbance endpoint":
            message = f"the read {read.label or read.kind} is not supported"
            problems.append(Problem(message, first_line, value=read.kind, expected="Absorbance Endpoint"))
    if not reads and len(problems) == before:
        problems.append(Problem("the procedure names no read", first_line, expected="Read … Absorbance Endpoint"))
    return Procedure(_channels(reads), shape, len(problems) == before, tuple(lines), first_line)


def _continue_read(read: _Read, text: str, number: int, problems: list[Problem]) -> None:
    wavelengths = _WAVELENGTHS.match(text)
    if not read.kind and _KIND.fullmatch(text):
        read.kind = text
    elif wavelengths:
        texts = [part.strip() for part in wavelengths[1].split(",") if part.strip()]
        if not texts or not all(re.fullmatch(r"\d{3,4}", part) for part in texts):
            problems.append(Problem("the wavelengths cannot be read", number, value=text, expected="nm, comma between"))
        else:
            read.wavelengths_nm += [Decimal(part) for part in texts]


def _channels(reads: Sequence[_Read]) -> dict[str, Decimal]:
    """Gen5 labels a raw row `step:wavelength`; without a step name `wavelength`, or `Read 2:wavelength`."""
    channels: dict[str, Decimal] = {}
    for index, read in enumerate(reads, start=1):
        for wavelength in read.wavelengths_nm:
            label = f"{read.label}:{wavelength}" if read.label else f"{wavelength}"
            channels[f"Read {index}:{wavelength}" if label in channels else label] = wavelength
    return channels
