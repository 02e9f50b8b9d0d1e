"""Surface markers as they are reported: names, and values with their qualifier. PURE.

A reported value is an interval of percentages that the true share of positive cells can have: `>95` is 95 (without)
to 100, `<2` is 0 to 2 (without). Nothing is cast to a number that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

LONGEST = 200
_ZERO, _HUNDRED = Decimal(0), Decimal(100)


class MarkerError(ValueError):
    """A value of a marker that cannot be read; the text names it and says what was expected."""


class Qualifier(StrEnum):
    """How a share of positive cells is reported."""

    EQUAL = "="
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    RANGE = "range"
    SPREAD = "±"
    POSITIVE = "+"
    NEGATIVE = "-"
    NO_VALUE = "no value"
    NOT_TESTED = "not tested"


NUMBERLESS = frozenset({Qualifier.POSITIVE, Qualifier.NEGATIVE, Qualifier.NO_VALUE, Qualifier.NOT_TESTED})


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high` percent; an open end does not belong to it."""

    low: Decimal
    high: Decimal
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def is_within(self, other: Interval) -> bool:
        """Whether every value of this one belongs to `other`."""
        low = self.low > other.low or (self.low == other.low and (self.low_open or not other.low_open))
        high = self.high < other.high or (self.high == other.high and (self.high_open or not other.high_open))
        return low and high

    def is_apart(self, other: Interval) -> bool:
        """Whether no value belongs to both."""
        return _ends_before(self, other) or _ends_before(other, self)


def _ends_before(one: Interval, two: Interval) -> bool:
    return one.high < two.low or (one.high == two.low and (one.high_open or two.low_open))


@dataclass(frozen=True, slots=True)
class Reading:
    """One reported value: `percent` of cells positive, with its qualifier.

    `upper` is the other end of a range, `spread` the number behind ± (whichever measure of dispersion it is). `note`
    keeps what the text said besides, e.g. that it is an average over batches.

    Raises:
        MarkerError: a share that lies outside 0 to 100 %, or a number that is missing or does not belong there.
    """

    qualifier: Qualifier
    percent: Decimal | None = None
    upper: Decimal | None = None
    spread: Decimal | None = None
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "qualifier", qualifier_named(self.qualifier))
        needed = {"percent": self.qualifier not in NUMBERLESS}
        needed |= {"upper": self.qualifier is Qualifier.RANGE, "spread": self.qualifier is Qualifier.SPREAD}
        for name, is_needed in needed.items():
            number = getattr(self, name)
            if is_needed != (number is not None):
                raise MarkerError(f"“{self.qualifier}” {'needs' if is_needed else 'takes no'} {name}; found {number}.")
            if number is not None and not (number.is_finite() and 0 <= number <= 100):
                raise MarkerError(f"{name} is {number}; expected 0 to 100 %.")
        if self.interval.is_empty:
            raise MarkerError(f"“{self.shown}” leaves no share between 0 and 100 %.")

    @property
    def interval(self) -> Interval:
        """The shares that this report leaves possible; all of them where it gives no number."""
        if self.percent is None:
            return Interval(_ZERO, _HUNDRED)
        percent, spread = self.percent, self.spread or _ZERO
        return {
            Qualifier.ABOVE: Interval(percent, _HUNDRED, low_open=True),
            Qualifier.AT_LEAST: Interval(percent, _HUNDRED),
            Qualifier.BELOW: Interval(_ZERO, percent, high_open=True),
            Qualifier.AT_MOST: Interval(_ZERO, percent),
            Qualifier.RANGE: Interval(percent, self.upper if self.upper is not None else percent),
            Qualifier.SPREAD: Interval(max(_ZERO, percent - spread), min(_HUNDRED, percent + spread)),
        }.get(self.qualifier, Interval(percent, percent))

    @property
    def shown(self) -> str:
        """As a sentence prints it, e.g. `>90 %`."""
        percent = "" if self.percent is None else f"{self.percent:f}"
        text = {
            Qualifier.POSITIVE: "positive without a number",
            Qualifier.NEGATIVE: "negative without a number",
            Qualifier.NO_VALUE: "tested without a value",
            Qualifier.NOT_TESTED: "not tested",
            Qualifier.EQUAL: f"{percent} %",
            Qualifier.AT_LEAST: f"≥{percent} %",
            Qualifier.AT_MOST: f"≤{percent} %",
            Qualifier.RANGE: f"{percent} to {self.upper} %",
            Qualifier.SPREAD: f"{percent} ± {self.spread} %",
        }.get(self.qualifier, f"{self.qualifier}{percent} %")
        return f"{text} ({self.note})" if self.note else text


def qualifier_named(value: str) -> Qualifier:
    """The qualifier written `value`. Raises MarkerError for one that is none."""
    try:
        return Qualifier(value)
    except ValueError:
        raise MarkerError(f"“{value}” is no qualifier; expected one of {', '.join(Qualifier)}.") from None


ALIASES: Mapping[str, str] = MappingProxyType({
    "cd79alpha": "CD79a", "cd11balpha": "CD11b", "itgam": "CD11b", "mac1": "CD11b", "ptprc": "CD45",
    "cd451": "CD45", "cd452": "CD45", "endoglin": "CD105", "eng": "CD105", "sh2": "CD105", "thy1": "CD90",
    "cd901": "CD90", "cd902": "CD90", "nt5e": "CD73", "sh3": "CD73", "sh4": "CD73", "itgb1": "CD29",
    "hladr": "HLA-DR", "sca1": "Sca-1", "ly6ae": "Sca-1", "ly6a": "Sca-1", "ly6a/e": "Sca-1", "stro1": "STRO-1",
    "msca1": "MSCA-1", "ssea4": "SSEA-4",
})  # fmt: skip
"""Other names by what is left of them without case, blanks, hyphens and dots. CD45.1, CD45.2 and CD90.1, CD90.2 are
the alleles of mouse strains. HLA class II stays apart from HLA-DR: it holds DP and DQ too."""
_CD = re.compile(r"cd([0-9]{1,3})([a-z]?)")


def marker_name(text: str) -> str:
    """The one spelling of a marker: `cd 79α` is `CD79a`, `HLADR` is `HLA-DR`; another name stays as it came."""
    plain = " ".join(text.split())
    key = re.sub(r"[\s._‐-―-]", "", plain.casefold().replace("α", "a").replace("β", "b"))
    alias = ALIASES.get(key)
    if alias is not None:
        return alias
    match = _CD.fullmatch(key)
    return f"CD{int(match[1])}{match[2]}" if match else plain


_WORDS = {
    Qualifier.POSITIVE: ("+", "++", "+++", "++++", "+ve", "pos", "pos.", "positive", "(+)"),
    Qualifier.NEGATIVE: ("-", "−", "-ve", "−ve", "neg", "neg.", "negative", "(-)"),
    Qualifier.NOT_TESTED: ("not tested", "not done", "not performed", "not determined", "untested", "n.t.", "nt")
    + ("na", "n/a", "not mentioned"),
    Qualifier.NO_VALUE: ("no value", "tested", "done", "not stated", "value not stated", "tested, no value"),
}
_BY_WORD = {word: qualifier for qualifier, words in _WORDS.items() for word in words}
_SIGNS = {
    ">": Qualifier.ABOVE, "greater than": Qualifier.ABOVE, "more than": Qualifier.ABOVE, "above": Qualifier.ABOVE,
    "over": Qualifier.ABOVE, ">=": Qualifier.AT_LEAST, "≥": Qualifier.AT_LEAST, "⩾": Qualifier.AT_LEAST,
    "=>": Qualifier.AT_LEAST, "at least": Qualifier.AT_LEAST, "minimum": Qualifier.AT_LEAST,
    "min": Qualifier.AT_LEAST, "min.": Qualifier.AT_LEAST, "not less than": Qualifier.AT_LEAST,
    "<": Qualifier.BELOW, "less than": Qualifier.BELOW, "below": Qualifier.BELOW, "under": Qualifier.BELOW,
    "<=": Qualifier.AT_MOST, "≤": Qualifier.AT_MOST, "⩽": Qualifier.AT_MOST, "=<": Qualifier.AT_MOST,
    "at most": Qualifier.AT_MOST, "maximum": Qualifier.AT_MOST, "max": Qualifier.AT_MOST, "max.": Qualifier.AT_MOST,
    "up to": Qualifier.AT_MOST, "not more than": Qualifier.AT_MOST, "=": Qualifier.EQUAL, "": Qualifier.EQUAL,
    "average": Qualifier.EQUAL, "mean": Qualifier.EQUAL,
}  # fmt: skip
_NOTES = {"average": "average over batches", "mean": "average over batches"}
_NUMBER = r"([0-9]{1,30}(?:[.,][0-9]{1,30})?)\s*%?"
_ONE = re.compile(rf"(\D*?)\s*{_NUMBER}")
_SPREAD = re.compile(rf"{_NUMBER}\s*(?:±|\+/-|\+-)\s*{_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|‐|‑|–|—|to|bis)\s*{_NUMBER}")
_POSITIVE_NUMBER = re.compile(r"(?:positive|pos\.?|\+)\s*\(([^()]*)\)|([^()]*[0-9]\s*%?)\s*(?:positive|pos\.?)")
_NEGATIVE_NUMBER = re.compile(r"(?:negative|neg\.?|-|−)\s*\(([^()]*)\)")
EXPECTED = "a percentage such as 97.5, >95, ≤2, 90-95 or 95±3, or one of +, -, positive, negative, not tested"


def parse_marker(text: str) -> Reading:
    """Read a reported share of positive cells, e.g. `>95`, `≤ 2 %`, `95±3`, `90-95`, `+`, `not tested`, `97,5 %`.

    Raises:
        MarkerError: the text is none of these or leaves open what it means (a dash, `ND`, `~95`, `95+`, `95 % negative`).
    """
    plain = " ".join(text.split()).casefold()
    if len(plain) > LONGEST:
        raise MarkerError(f"“{plain[:40]}…” has {len(plain)} characters; expected {EXPECTED}.")
    try:
        reading = _read(plain)
    except MarkerError as error:
        raise MarkerError(f"“{text.strip()}”: {error}") from None
    if reading is None:
        raise MarkerError(f"“{text.strip()}” is no share of positive cells; expected {EXPECTED}.")
    return reading


def _read(plain: str) -> Reading | None:
    word = _BY_WORD.get(plain)
    if word is not None:
        return Reading(word)
    if match := _SPREAD.fullmatch(plain):
        return Reading(Qualifier.SPREAD, _number(match[1]), spread=_number(match[2]))
    if match := _RANGE.fullmatch(plain):
        return Reading(Qualifier.RANGE, _number(match[1]), upper=_number(match[2]))
    if (match := _ONE.fullmatch(plain)) and match[1].strip() in _SIGNS:
        sign = match[1].strip()
        return Reading(_SIGNS[sign], _number(match[2]), note=_NOTES.get(sign, ""))
    return _said_twice(plain)


def _said_twice(plain: str) -> Reading | None:
    """`positive (>95 %)`, `95 % positive`, `negative (<2 %)`: the number is what is kept."""
    positive, negative = _POSITIVE_NUMBER.fullmatch(plain), _NEGATIVE_NUMBER.fullmatch(plain)
    if positive:
        reading = _read((positive[1] or positive[2] or "").strip())
        return reading if reading and reading.percent is not None else None
    reading = _read(negative[1].strip()) if negative else None
    # `negative (98 %)` may count the negative cells: only an upper bound of positive ones is beyond doubt.
    return reading if reading and reading.qualifier in (Qualifier.BELOW, Qualifier.AT_MOST) else None


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
