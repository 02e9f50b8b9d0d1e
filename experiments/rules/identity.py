"""Are these cells mesenchymal stromal cells? Minimal criteria as versioned rule sets, with a four-valued verdict. PURE.

A criterion is passed when every value that the report leaves possible meets it, failed when none does, and not
demonstrable otherwise. HLA-DR that is positive after interferon-γ is an exception: interferon-γ induces it.

Reference: Dominici M et al. Minimal criteria for defining multipotent mesenchymal stromal cells. The International
Society for Cellular Therapy position statement. Cytotherapy 2006;8:315-317.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from experiments.rules.markers import (
    Interval,
    MarkerError,
    Qualifier,
    Reading,
    marker_name,
    parse_marker,
    qualifier_named,
)

__all__ = [
    "RULE_SETS", "Criterion", "CriterionVerdict", "Finding", "Marker", "MarkerError", "Outcome", "Qualifier",
    "Reading", "RuleSet", "Verdict", "assess", "current", "marker_name", "parse_marker",
]  # fmt: skip


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_DEMONSTRABLE = "not demonstrable"
    EXCEPTION = "exception"


class Finding(StrEnum):
    """Adherence to plastic or differentiation: seen, not seen, done without a result being shown, not done."""

    YES = "yes"
    NO = "no"
    NO_VALUE = "no value"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of one batch, as reported. `control` is what the gate was set by (isotype, unstained, FMO)."""

    name: str
    reading: Reading
    control: str = ""
    after_ifn_gamma: bool = False

    @classmethod
    def of(
        cls, name: str, qualifier: str, percent: Decimal | None = None, control: str = "", after_ifn_gamma: bool = False
    ) -> Marker:
        """From the columns of a row. Raises MarkerError for a value that is none."""
        return cls(name, Reading(qualifier_named(qualifier), percent), control, after_ifn_gamma)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One demand: one of `markers` at least (or at most) `percent` positive, or `finding` seen.

    `induced_by_ifn_gamma` markers that are positive after interferon-γ only are an exception.
    """

    key: str
    label: str
    markers: tuple[str, ...] = ()
    is_positive: bool = True
    percent: Decimal = Decimal(0)
    induced_by_ifn_gamma: bool = False

    @property
    def demand(self) -> str:
        return f"{'≥' if self.is_positive else '≤'}{self.percent} %"

    @property
    def allowed(self) -> Interval:
        low, high = Decimal(0), Decimal(100)
        return Interval(self.percent, high) if self.is_positive else Interval(low, self.percent)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A set of criteria under a key and a version. A changed demand is a new version; old verdicts keep theirs."""

    key: str
    version: int
    label: str
    source: str
    criteria: tuple[Criterion, ...]

    def __str__(self) -> str:
        return f"{self.label}, version {self.version}"


@dataclass(frozen=True, slots=True)
class CriterionVerdict:
    criterion: str
    label: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a batch, with the rule set and version that it was made by and one sentence a criterion."""

    rule_set: str
    version: int
    outcome: Outcome
    sentence: str
    criteria: tuple[CriterionVerdict, ...]


FINDINGS = (
    Criterion("plastic_adherence", "Adherence to plastic"),
    Criterion("osteogenic", "Osteogenic differentiation"),
    Criterion("adipogenic", "Adipogenic differentiation"),
    Criterion("chondrogenic", "Chondrogenic differentiation"),
)


def _positive(*markers: str) -> Criterion:
    return Criterion("_or_".join(markers), " or ".join(markers), markers, True, Decimal(95))


def _negative(*markers: str, induced: bool = False) -> Criterion:
    return Criterion("_or_".join(markers), " or ".join(markers), markers, False, Decimal(2), induced)


ISCT_2006 = RuleSet(
    "isct_2006", 1, "ISCT minimal criteria 2006", "Dominici M et al. Cytotherapy 2006;8:315-317",
    (
        FINDINGS[0], _positive("CD73"), _positive("CD90"), _positive("CD105"), _negative("CD34"), _negative("CD45"),
        _negative("CD14", "CD11b"), _negative("CD79a", "CD19"), _negative("HLA-DR", induced=True), *FINDINGS[1:],
    ),
)  # fmt: skip
MOUSE = RuleSet(
    "mouse_msc", 1, "Mouse MSC panel of the laboratory",
    "the laboratory's own panel; no consensus exists for mouse cells, so the limits are those of ISCT 2006",
    (
        FINDINGS[0], _positive("Sca-1"), _positive("CD29"), _positive("CD44"), _positive("CD105"), _negative("CD45"),
        _negative("CD11b"), *FINDINGS[1:],
    ),
)  # fmt: skip
RULE_SETS: Mapping[tuple[str, int], RuleSet] = MappingProxyType({(r.key, r.version): r for r in (ISCT_2006, MOUSE)})


def current(key: str) -> RuleSet:
    """The newest version of a rule set. Raises KeyError for a key that is none."""
    versions = [version for name, version in RULE_SETS if name == key]
    if not versions:
        raise KeyError(f"no rule set is called {key!r}; there are {', '.join(sorted({n for n, _ in RULE_SETS}))}")
    return RULE_SETS[key, max(versions)]


def assess(markers: Iterable[Marker], findings: Mapping[str, str], rules: RuleSet = ISCT_2006) -> Verdict:
    """The verdict of `rules` on a batch.

    `findings` holds a Finding by criterion key: plastic_adherence, osteogenic, adipogenic, chondrogenic; what is left
    out was not tested. Markers that no criterion names are not looked at. Several readings of a marker must all agree.

    Raises:
        ValueError: a finding under a key that is none, or with a value that is none.
    """
    unknown = sorted(findings.keys() - {criterion.key for criterion in FINDINGS})
    if unknown:
        raise ValueError(f"no criterion is called {', '.join(unknown)}; expected {', '.join(c.key for c in FINDINGS)}")
    by_name: dict[str, list[Marker]] = {}
    for marker in markers:
        by_name.setdefault(marker_name(marker.name), []).append(marker)
    verdicts = tuple(
        _of_markers(criterion, by_name)
        if criterion.markers
        else _of_finding(criterion, Finding(findings.get(criterion.key, Finding.NOT_TESTED)))
        for criterion in rules.criteria
    )
    outcome = _all_of([verdict.outcome for verdict in verdicts])
    return Verdict(rules.key, rules.version, outcome, _summary(rules, outcome, verdicts), verdicts)


def _all_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Every one must pass: one failure fails, then one open question leaves it open."""
    order = (Outcome.FAIL, Outcome.NOT_DEMONSTRABLE, Outcome.EXCEPTION)
    return next((outcome for outcome in order if outcome in outcomes), Outcome.PASS)


def _any_of(outcomes: Sequence[Outcome]) -> Outcome:
    """One of the alternatives suffices; it fails only where each that was tested fails."""
    order = (Outcome.PASS, Outcome.EXCEPTION, Outcome.NOT_DEMONSTRABLE)
    return next((outcome for outcome in order if outcome in outcomes), Outcome.FAIL)


def _summary(rules: RuleSet, outcome: Outcome, verdicts: Sequence[CriterionVerdict]) -> str:
    if outcome is Outcome.PASS:
        return f"{rules}: every criterion is demonstrated."
    deciding = [verdict.label for verdict in verdicts if verdict.outcome is outcome]
    said = {
        Outcome.FAIL: "not met",
        Outcome.NOT_DEMONSTRABLE: "not demonstrable",
        Outcome.EXCEPTION: "met but for the exception after IFN-γ",
    }[outcome]
    return f"{rules}: {said} ({', '.join(deciding)})."


def _of_finding(criterion: Criterion, finding: Finding) -> CriterionVerdict:
    outcome, said = {
        Finding.YES: (Outcome.PASS, "was shown"),
        Finding.NO: (Outcome.FAIL, "was tested and not seen"),
        Finding.NO_VALUE: (Outcome.NOT_DEMONSTRABLE, "is said to have been tested, but no result is shown"),
        Finding.NOT_TESTED: (Outcome.NOT_DEMONSTRABLE, "was not tested"),
    }[finding]
    return CriterionVerdict(criterion.key, criterion.label, outcome, f"{criterion.label} {said}.")


def _of_markers(criterion: Criterion, by_name: Mapping[str, Sequence[Marker]]) -> CriterionVerdict:
    tested = [
        (name, rows) for name in criterion.markers if (rows := [m for m in by_name.get(name, ()) if _is_tested(m)])
    ]
    if not tested:
        sentence = f"{criterion.label} was not tested; {criterion.demand} is not demonstrated."
        return CriterionVerdict(criterion.key, criterion.label, Outcome.NOT_DEMONSTRABLE, sentence)
    told = [_of_marker(criterion, name, rows) for name, rows in tested]
    outcome = _any_of([outcome for outcome, _ in told])
    return CriterionVerdict(criterion.key, criterion.label, outcome, " ".join(sentence for _, sentence in told))


def _is_tested(marker: Marker) -> bool:
    return marker.reading.qualifier is not Qualifier.NOT_TESTED


def _of_marker(criterion: Criterion, name: str, rows: Sequence[Marker]) -> tuple[Outcome, str]:
    if criterion.induced_by_ifn_gamma:
        rows = [row for row in rows if not row.after_ifn_gamma] or rows  # the resting cells decide where they were read
    told = [_of_reading(criterion, name, row) for row in rows]
    return _all_of([outcome for outcome, _ in told]), " ".join(sentence for _, sentence in told)


def _of_reading(criterion: Criterion, name: str, row: Marker) -> tuple[Outcome, str]:
    reading, demand = row.reading, criterion.demand
    after = " after IFN-γ" if row.after_ifn_gamma else ""
    report = f"{name} is reported as {reading.shown}{after}"
    if reading.percent is not None and reading.interval.is_within(criterion.allowed):
        return Outcome.PASS, f"{report}, which demonstrates {demand}."
    fails = reading.percent is not None and reading.interval.is_apart(criterion.allowed)
    if row.after_ifn_gamma and criterion.induced_by_ifn_gamma and (fails or reading.qualifier is Qualifier.POSITIVE):
        return Outcome.EXCEPTION, f"{report}, which induces it; {demand} is demanded of resting cells."
    if fails:
        return Outcome.FAIL, f"{report}, which contradicts {demand}."
    return Outcome.NOT_DEMONSTRABLE, f"{report}, which demonstrates neither {demand} nor its contrary."
