"""What is wrong with a sheet, said so that a technician can put a finger on the cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SHOWN_CHARACTERS = 120


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Effect(StrEnum):
    """What taking the valid rows does to the place that a problem names."""

    FILE_REFUSED = "file_refused"
    ROW_EXCLUDED = "row_excluded"
    CELL_LEFT_OUT = "cell_left_out"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Place:
    """A cell as its reader finds it: sheet, row from 1, column letter, header. Row 0 means the whole sheet."""

    sheet: str
    row: int = 0
    column: str = ""
    header: str = ""

    def __str__(self) -> str:
        cell = f"{self.column}{self.row or ''}" if self.column else (f"row {self.row}" if self.row else "")
        where = f"{self.sheet}!{cell}" if self.sheet and cell else self.sheet or cell
        return f"{where} ({self.header})" if self.header else where


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `rule` is its stable name for filters and tests; `value` is what stands there.

    `is_sentence`: `expected` is a whole sentence, such as the record's own rule that refuses the value.
    """

    place: Place
    value: str
    expected: str
    rule: str
    severity: Severity
    effect: Effect
    is_sentence: bool = False

    def __str__(self) -> str:
        told = self.expected if self.is_sentence else f"expected {self.expected}"
        return f"{self.place}: {quoted(self.value)} — {told}"

    def as_dict(self) -> dict[str, str | int]:
        """Flat and JSON-serialisable: the place's four parts, value, expected, rule, severity, effect, message."""
        place = self.place
        return {
            "sheet": place.sheet, "row": place.row, "column": place.column, "header": place.header,
            "value": self.value, "expected": self.expected, "rule": self.rule,
            "severity": self.severity.value, "effect": self.effect.value, "message": str(self),
        }  # fmt: skip


def shown(value: object) -> str:
    """The value as it is printed in a message: dates in ISO, an empty cell as the empty string."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return str(value)


def quoted(text: str) -> str:
    if not text:
        return "empty"
    cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"
    return '"' + cut.replace("\n", " ").replace("\r", " ") + '"'


class ProblemLog:
    """Collects problems while a sheet is read, so that all of them are reported at once."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self.rows_in_error: set[int] = set()
        self.refused = False

    def refuse(self, place: Place, value: object, expected: str, rule: str) -> None:
        """The sheet cannot be read at all: nothing of it is taken."""
        self.refused = True
        self._add(place, value, expected, rule, Severity.ERROR, Effect.FILE_REFUSED)

    def error(self, place: Place, value: object, expected: str, rule: str) -> None:
        """The row cannot be taken."""
        self.rows_in_error.add(place.row)
        self._add(place, value, expected, rule, Severity.ERROR, Effect.ROW_EXCLUDED)

    def leave_out(self, place: Place, value: object, expected: str, rule: str) -> None:
        """The row is taken without this cell."""
        self._add(place, value, expected, rule, Severity.WARNING, Effect.CELL_LEFT_OUT)

    def warn(self, place: Place, value: object, expected: str, rule: str) -> None:
        """Odd, but taken as it stands."""
        self._add(place, value, expected, rule, Severity.WARNING, Effect.KEPT)

    def refuse_row(self, place: Place, value: object, sentence: str, rule: str) -> None:
        """The row cannot be taken; a rule of the record says why."""
        self.object_to(Problem(place, shown(value), sentence, rule, Severity.ERROR, Effect.ROW_EXCLUDED, True))

    def object_to(self, problem: Problem) -> None:
        """Take up what someone else found, e.g. beside the record."""
        if problem.severity is Severity.ERROR:
            self.rows_in_error.add(problem.place.row)
        self._problems.append(problem)

    def _add(self, place: Place, value: object, expected: str, rule: str, severity: Severity, effect: Effect) -> None:
        self._problems.append(Problem(place, shown(value), expected, rule, severity, effect))

    def sorted(self) -> tuple[Problem, ...]:
        """By row, then column, so that the list can be worked down beside the open sheet."""
        return tuple(sorted(self._problems, key=_reading_order))


def _reading_order(problem: Problem) -> tuple[str, int, int, str]:
    place = problem.place
    return place.sheet, place.row, len(place.column), place.column


def first_few(items: Iterable[object], limit: int = 5) -> str:
    """`a, b, c and 7 more`."""
    words = [str(item) for item in items]
    rest = len(words) - limit
    return ", ".join(words[:limit]) + (f" and {rest} more" if rest > 0 else "")
