"""Numbers as counters print them: `2.45E6`, `274 000`, `0,78`, `3.58E3 (Out of optimal range)`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from experiments.sheets.values import Unreadable, as_number

LONGEST = 60
_EXPONENT = r"(?:\s*(?:[eE]|[x×*]\s*10\^?)\s*[+]?(-?[0-9]{1,2}))?"
_NUMBER = re.compile(r"([+-]?[0-9][0-9.,\s'’]*|[+-]?[.,][0-9]+)" + _EXPONENT)
_NOTED = re.compile(r"(.+?)\s*\(([^()]*)\)?", re.DOTALL)
_GROUPS = {".": re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+"), ",": re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+")}
_BLANKS = re.compile(r"(?<=[0-9])[\s'’](?=[0-9]{3}(?![0-9]))")


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number with the digits that were printed, and the remark that the counter printed behind it."""

    value: Decimal
    remark: str = ""


def decimal_mark(texts: Iterable[str]) -> str | None:
    """The decimal mark that these numbers prove: `.`, `,`, or None where they prove neither or both.

    A mark followed by three digits may group thousands; any other count of digits, or a leading zero, settles it.
    """
    proven: set[str] = set()
    for text in texts:
        bare = _without_remark(text)[0]
        match = _NUMBER.fullmatch(bare) if len(bare) <= LONGEST else None
        digits = match[1].strip() if match else ""
        marks = [mark for mark in ".," if mark in digits]
        if len(marks) == 2:
            proven.add(max(marks, key=digits.rfind))
        elif len(marks) == 1 and digits.count(marks[0]) == 1 and _is_decimal(digits, marks[0], match):
            proven.add(marks[0])
    return proven.pop() if len(proven) == 1 else None


def _is_decimal(digits: str, mark: str, match: re.Match[str] | None) -> bool:
    whole, fraction = digits.lstrip("+-").split(mark)
    is_scientific = match is not None and match[2] is not None
    return len(fraction) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0") or is_scientific


def read_number(value: object, mark: str | None) -> Number | None:
    """The number, or None for what is none or can be read two ways (`1,234` where nothing proves the mark)."""
    if not isinstance(value, str):
        try:
            return Number(as_number(value, "."))
        except Unreadable:
            return None
    text, remark = _without_remark(value)
    match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
    digits = _plain_digits(_BLANKS.sub("", match[1].strip()), mark) if match else None
    if match is None or digits is None:
        return None
    return Number(Decimal(f"{digits}E{int(match[2] or 0)}"), remark)


def _without_remark(text: str) -> tuple[str, str]:
    tidy = " ".join(text.split())
    noted = _NOTED.fullmatch(tidy)
    tidy, remark = (noted[1], noted[2].strip()) if noted else (tidy, "")
    return tidy.removesuffix("%").rstrip(), remark


def _plain_digits(digits: str, mark: str | None) -> str | None:
    """With a decimal point and nothing else; None where that cannot be told."""
    if mark is None and _GROUPS[","].fullmatch(digits):
        return None
    mark = mark or "."
    other = "," if mark == "." else "."
    whole, _, fraction = digits.partition(mark)
    if other in whole and _GROUPS[other].fullmatch(whole):
        whole = whole.replace(other, "")
    elif mark in digits and digits.count(mark) > 1 and _GROUPS[mark].fullmatch(digits):
        whole, fraction = digits.replace(mark, ""), ""  # 1,234,567: a mark that stands twice groups
    plain = f"{whole}.{fraction}" if fraction else whole
    return plain if re.fullmatch(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?|[+-]?\.[0-9]{1,30}", plain) else None
