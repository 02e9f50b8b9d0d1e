"""How the table of published MSC papers codes what each paper says of a marker. PURE.

The table (Wilson AJ, Rand E, Webster AJ, Genever PG. Stem Cell Res Ther 2021;12:360; github 3mmaRand/CIDMap) gives three
columns a marker: qualifier, value and test. `test` tells `p` performed with a value, `m` performed without, `n` not
mentioned. Its values are a number, or one of these:

- `+`   said to be positive, no number
- `X`   said to be negative, no number
- `d`   said to have been done, neither number nor sign
- `I`   individual values a batch, printed in the paper and not in the table
- `NA`  nothing: not mentioned where the test is `n`, performed without a value where it is `m` (once, CD44)

Markers outside the criteria have no qualifier column, and the one of CD31 is misspelled `CD31_qualifer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from experiments.rules.identity import Finding
from experiments.rules.markers import MarkerError, Qualifier, Reading, parse_marker

QUALIFIERS: Mapping[str, str] = MappingProxyType({
    "greater than": ">", "less than": "<", "minimum": ">=", "maximum": "<=", "average": "average ", "NA": "",
})  # fmt: skip
WITHOUT_NUMBER: Mapping[str, Reading] = MappingProxyType({
    "+": Reading(Qualifier.POSITIVE),
    "X": Reading(Qualifier.NEGATIVE),
    "d": Reading(Qualifier.NO_VALUE, note="said to have been done"),
    "I": Reading(Qualifier.NO_VALUE, note="individual values are in the paper, not in the table"),
    "NA": Reading(Qualifier.NOT_TESTED),
})  # fmt: skip
FINDINGS: Mapping[str, Finding] = MappingProxyType({
    "Performed, value reported": Finding.YES,
    "Performed, no value reported": Finding.NO_VALUE,
    "Not mentioned": Finding.NOT_TESTED,
})  # fmt: skip
TESTS: Mapping[str, str] = MappingProxyType({"p": "performed, value", "m": "performed, no value", "n": "not mentioned"})


def parse_published(qualifier: str, value: str, test: str) -> Reading:
    """The reading of one marker of one paper.

    Raises:
        MarkerError: a token that the table's coding does not know, or three that contradict one another.
    """
    qualifier, value, test = qualifier.strip(), value.strip(), test.strip()
    if qualifier not in QUALIFIERS or test not in TESTS:
        known = f"a qualifier of {', '.join(QUALIFIERS)} and a test of {', '.join(TESTS)}"
        raise MarkerError(f"“{qualifier}” with test “{test}” is not known; expected {known}.")
    bare = WITHOUT_NUMBER.get(value)
    if bare is None:
        reading = parse_marker(QUALIFIERS[qualifier] + value)
    elif qualifier == "NA":
        reading = Reading(Qualifier.NO_VALUE) if (value, test) == ("NA", "m") else bare
    else:
        raise MarkerError(f"“{qualifier} {value}”: expected a number behind the qualifier.")
    if (reading.qualifier is Qualifier.NOT_TESTED) != (test == "n") or (reading.percent is not None and test != "p"):
        raise MarkerError(f"“{qualifier} {value}” contradicts the test “{test}” ({TESTS[test]}).")
    return reading


def parse_finding(text: str) -> Finding:
    """Osteo-, adipo- or chondrogenic differentiation. Raises MarkerError for a token that is not known."""
    if text.strip() not in FINDINGS:
        raise MarkerError(f"“{text}” is not known; expected one of {'; '.join(FINDINGS)}.")
    return FINDINGS[text.strip()]
