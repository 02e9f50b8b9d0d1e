"""What an assay kind says about its input."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an assay's input. A `blocking` one makes `quantify` refuse; the others are remarks."""

    message: str
    blocking: bool = True
    plate: str | None = None
    well: str | None = None
    line: int | None = None
    value: str | None = None
    expected: str | None = None

    def __str__(self) -> str:
        place = [p for p in (self.plate, self.well, f"line {self.line}" if self.line is not None else None) if p]
        text = f"{', '.join(place)}: {self.message}" if place else self.message
        if self.value is not None:
            text += f" (found {self.value!r})"
        return f"{text}; expected {self.expected}" if self.expected else text


class ParameterError(ValueError):
    """Parameters or input of a kind that cannot be used; `problems` lists everything at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
