"""Follicle count: raw tallies on every nth section of an ovary, estimated for the animal.

Estimate = raw count x n, both ovaries together: the animal is the unit, never the ovary or the section. Only follicles
with a visible oocyte nucleus are tallied, so no follicle is counted on two sections.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assays.kinds._problems import ParameterError, Problem

KEY = "follicle_count"
LABEL = "Follicle count"
INPUT = "tally"
QUANTITY = "count"
UNITS = ("follicles/animal",)

SIDES = ("left", "right")
CLASSES = ("primordial", "primary", "secondary", "antral", "atretic", "corpus_luteum")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Every `every_nth` section was read. `sides_required` 2 leaves a class tallied in one ovary only without estimate.

    Raises ParameterError.
    """

    every_nth: int = 5
    sides_required: int = 2

    def __post_init__(self) -> None:
        problems = []
        if not 1 <= self.every_nth <= 1000:
            problems.append(Problem("impossible every_nth", value=str(self.every_nth), expected="1 to 1000"))
        if self.sides_required not in (1, 2):
            problems.append(Problem("impossible sides_required", value=str(self.sides_required), expected="1 or 2"))
        if problems:
            raise ParameterError(problems)


@dataclass(frozen=True, slots=True)
class Tally:
    """One row of the tally sheet: `count` follicles of one class on one section. A section without any counts 0."""

    animal: str
    side: str
    section: int
    follicle_class: str
    count: int
    line: int


@dataclass(frozen=True, slots=True)
class SideEstimate:
    """One class in one ovary: the raw sum over `sections` sections and the estimate in follicles."""

    animal: str
    side: str
    follicle_class: str
    raw: int
    sections: int
    estimate: int


@dataclass(frozen=True, slots=True)
class AnimalEstimate:
    """One class in one animal, in follicles; `estimate` is None, with a flag, where it was not tallied on each side."""

    animal: str
    follicle_class: str
    raw: int
    sides: tuple[str, ...]
    estimate: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TallyResult:
    """Estimates by ovary and by animal, and the remarks of `check`."""

    sides: tuple[SideEstimate, ...]
    animals: tuple[AnimalEstimate, ...]
    remarks: tuple[Problem, ...]


def check(rows: Sequence[Tally], parameters: Parameters) -> list[Problem]:
    """Everything wrong or remarkable about a tally sheet, at once."""
    problems = [] if rows else [Problem("the tally is empty", expected="one row a section and class")]
    seen: dict[tuple[str, str, int, str], int] = {}
    for row in rows:
        problems += _check_row(row)
        first = seen.setdefault((row.animal, row.side, row.section, row.follicle_class), row.line)
        if first != row.line:
            found = f"{row.animal} {row.side}, section {row.section}, {row.follicle_class}"
            problems.append(Problem(f"already tallied on line {first}", line=row.line, value=found))
    problems += _check_sections(rows)
    return problems


def _check_row(row: Tally) -> Iterator[Problem]:
    if not row.animal:
        yield Problem("no animal", line=row.line, value="", expected="the animal's name")
    if row.side not in SIDES:
        yield Problem("unknown side", line=row.line, value=row.side, expected=" or ".join(SIDES))
    if row.follicle_class not in CLASSES:
        yield Problem("unknown class", line=row.line, value=row.follicle_class, expected=" or ".join(CLASSES))
    if row.count < 0:
        yield Problem("negative count", line=row.line, value=str(row.count), expected="0 or more")
    if row.section < 1:
        yield Problem("impossible section", line=row.line, value=str(row.section), expected="1 or more")


def _check_sections(rows: Sequence[Tally]) -> Iterator[Problem]:
    """A class without a row on a section of that ovary may be a zero or a gap: it is reported, not filled."""
    sections: dict[tuple[str, str], set[int]] = {}
    counted: dict[tuple[str, str, str], set[int]] = {}
    for row in rows:
        sections.setdefault((row.animal, row.side), set()).add(row.section)
        counted.setdefault((row.animal, row.side, row.follicle_class), set()).add(row.section)
    for (animal, side, name), found in counted.items():
        missing = sorted(sections[animal, side] - found)
        if missing:
            place = f"{animal} {side}, {name}, sections {', '.join(map(str, missing))}"
            yield Problem("no row for these sections, taken as none seen", blocking=False, value=place)


def quantify(rows: Sequence[Tally], parameters: Parameters) -> TallyResult:
    """Estimate every class of every animal. Raises ParameterError with the blocking problems of `check`."""
    problems = check(rows, parameters)
    blocking = [problem for problem in problems if problem.blocking]
    if blocking:
        raise ParameterError(blocking)
    sides = _sides(rows, parameters)
    return TallyResult(sides, _animals(sides, parameters), tuple(p for p in problems if not p.blocking))


def _sides(rows: Sequence[Tally], parameters: Parameters) -> tuple[SideEstimate, ...]:
    raw: dict[tuple[str, str, str], int] = {}
    sections: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        key = (row.animal, row.side, row.follicle_class)
        raw[key] = raw.get(key, 0) + row.count
        sections.setdefault((row.animal, row.side), set()).add(row.section)
    return tuple(
        SideEstimate(animal, side, name, count, len(sections[animal, side]), count * parameters.every_nth)
        for (animal, side, name), count in raw.items()
    )


def _animals(sides: Sequence[SideEstimate], parameters: Parameters) -> tuple[AnimalEstimate, ...]:
    by_class: dict[tuple[str, str], list[SideEstimate]] = {}
    for side in sides:
        by_class.setdefault((side.animal, side.follicle_class), []).append(side)
    estimates = []
    for (animal, name), members in by_class.items():
        found = tuple(sorted(member.side for member in members))
        complete = len(found) >= parameters.sides_required
        total = sum(member.estimate for member in members)
        raw = sum(member.raw for member in members)
        flags = () if complete else ("side_not_tallied",)
        estimates.append(AnimalEstimate(animal, name, raw, found, total if complete else None, flags))
    return tuple(estimates)
