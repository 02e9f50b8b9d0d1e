"""Which column of a sheet holds what: chosen by a person, kept as JSON, used again for the next file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from experiments.sheets.delimited import DELIMITERS, ENCODINGS
from experiments.sheets.template_json import TemplateRefused, decode, encode

GRAMS_PER_UNIT = {"g": Decimal(1), "mg": Decimal("0.001"), "kg": Decimal(1000)}
PLAUSIBLE_WEIGHT_G = {"mouse": (Decimal(5), Decimal(60)), "rat": (Decimal(20), Decimal(900))}
DISPOSITION_KINDS = (
    "scheduled", "humane_endpoint", "euthanised", "found_dead", "died", "accidental", "transferred", "survived",
)  # fmt: skip
ARM_KINDS = ("normal_control", "sham", "vehicle", "product", "comparator", "other")
MASKINGS = ("blinded", "open_label")
ALIVE_KINDS = ("survived", "transferred")
SEXES = {"F": "F", "M": "M", "U": "U", "f": "F", "m": "M", "female": "F", "male": "M", "unknown": "U"}
PLACEHOLDERS = ("n", "day", "week", "date")
FIELDS = (
    "animal", "experiment", "title", "started_on", "cage", "strain", "arm", "arm_description",
    "sex", "born_on", "day_0", "litter", "dam",
)  # fmt: skip
CONSTANT_FIELDS = ("experiment", "title", "started_on", "strain", "arm", "sex", "born_on", "day_0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighings:
    """The weighing columns, in order: `headers` as listed, then all headers that match `patterns`, by their number.

    A pattern holds one placeholder. `{n}` only orders the columns: the k-th column belongs to the k-th date of the
    list in `dates`. `{day}` and `{week}` are study days and weeks from day 0 (`d{day}`, `week {week}`), `{date}` a
    date in the template's formats.
    """

    headers: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    dates: str = ""
    dates_separator: str = ","
    unit: str = "g"
    plausible_g: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A column whose text says what was done, under the procedure's `name`; `date` is the column with its day.

    With a `separator` the date cell may list several days: the treatment was given on each of them.
    """

    name: str
    text: str
    date: str = ""
    separator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """A list of welfare scores in one cell: the k-th score belongs to the k-th date of the weighings."""

    header: str
    separator: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRole:
    """What an arm is, beyond what the sheet says: its `kind`, the label of the arm it is compared with (where the
    experiment has that one), its place in tables from 1 (0: as in the sheet), its description (empty: the sheet's)."""

    kind: str = "other"
    reference: str = ""
    position: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnimalSheetTemplate:
    """One row an animal, columns for identity, one column a weighing.

    `columns` maps a field (see FIELDS) to its header, `constants` to a value for every row. `missing` are words that
    mean an empty cell, `unknown_cage` words that mean an unknown cage, `no_treatment` words for nothing done,
    `dispositions` words in a weighing cell with the kind of end they mean, `sexes` words with F, M or U,
    `ignored` headers that are left out on purpose (any other unread column is reported). `arms` maps the label of an
    arm to its role; `masking` is that of the experiments which the sheet opens.
    """

    name: str
    kind: str = "animals"
    version: int = 1
    sheet: str = ""
    header_row: int = 1
    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    missing: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    weighings: Weighings | None = None
    treatments: tuple[Treatment, ...] = ()
    scores: Scores | None = None
    dispositions: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=lambda: dict(SEXES))
    unknown_cage: tuple[str, ...] = ()
    no_treatment: tuple[str, ...] = ()
    species: str = "mouse"
    longest_gap_days: int = 90
    ignored: tuple[str, ...] = ()
    arms: Mapping[str, ArmRole] = field(default_factory=dict)
    masking: str = "blinded"

    @classmethod
    def from_json(cls, data: Any) -> AnimalSheetTemplate:
        """Raises TemplateRefused with every fault at once."""
        template = decode(cls, data)
        faults = template.faults()
        if faults:
            raise TemplateRefused(faults)
        return template

    def to_json(self) -> dict[str, Any]:
        return encode(self)

    def plausible_weight_g(self) -> tuple[Decimal, Decimal]:
        """Lowest and highest believable body weight, g: the template's own, else the species'."""
        own = self.weighings.plausible_g if self.weighings else ()
        return (own[0], own[1]) if own else PLAUSIBLE_WEIGHT_G[self.species]

    def faults(self) -> list[str]:
        """Everything that contradicts itself in this template; empty when it can be used."""
        return [
            *_file_faults(self),
            *_column_faults(self),
            *_word_faults(self),
            *_weighing_faults(self),
            *_arm_faults(self),
        ]


def _file_faults(template: AnimalSheetTemplate) -> list[str]:
    faults = []
    if template.kind != "animals" or template.version != 1:
        faults.append(f"kind, version: {template.kind!r}, {template.version} — expected 'animals', 1")
    if not template.name.strip():
        faults.append("name: empty — expected a name for the template")
    if template.decimal not in (".", ","):
        faults.append(f"decimal: {template.decimal!r} — expected '.' or ','")
    if template.header_row < 1:
        faults.append(f"header_row: {template.header_row} — expected 1 or more")
    if template.encoding not in ("", *ENCODINGS):
        faults.append(f"encoding: {template.encoding!r} — expected one of {', '.join(ENCODINGS)}, or empty")
    if template.delimiter not in ("", *DELIMITERS):
        faults.append(f"delimiter: {template.delimiter!r} — expected comma, semicolon, tab, or empty")
    if not template.date_formats or any("%" not in form for form in template.date_formats):
        faults.append(f"date_formats: {list(template.date_formats)} — expected formats such as '%Y-%m-%d'")
    return faults


def _column_faults(template: AnimalSheetTemplate) -> list[str]:
    faults = [
        f"columns: {name!r} — expected one of {', '.join(FIELDS)}" for name in template.columns if name not in FIELDS
    ]
    faults += [
        f"constants: {name!r} — expected one of {', '.join(CONSTANT_FIELDS)}"
        for name in template.constants
        if name not in CONSTANT_FIELDS
    ]
    faults += [
        f"{name}: a column and a constant — expected one" for name in template.columns.keys() & template.constants
    ]
    if "animal" not in template.columns:
        faults.append("columns: no 'animal' — expected the header of the column that identifies the animal")
    if "experiment" not in {*template.columns, *template.constants}:
        faults.append("columns: no 'experiment' — expected its header, or a constant")
    if "arm_description" in template.columns and "arm" not in {*template.columns, *template.constants}:
        faults.append("columns: 'arm_description' without 'arm' — expected the header of the arm's label")
    headers = list(template.columns.values())
    twice = sorted({header for header in headers if headers.count(header) > 1})
    return faults + [f"columns: {header!r} for two fields — expected one header a field" for header in twice]


def _word_faults(template: AnimalSheetTemplate) -> list[str]:
    faults = [
        f"dispositions: {word!r}: {kind!r} — expected one of {', '.join(DISPOSITION_KINDS)}"
        for word, kind in template.dispositions.items()
        if kind not in DISPOSITION_KINDS
    ]
    faults += [f"sexes: {w!r}: {sex!r} — expected F, M or U" for w, sex in template.sexes.items() if sex not in "FMU"]
    both = sorted(set(template.dispositions) & set(template.missing))
    faults += [f"missing, dispositions: {word!r} stands in both — expected one meaning" for word in both]
    names = [treatment.name for treatment in template.treatments]
    return faults + [f"treatments: {name!r} twice — expected each name once" for name in names if names.count(name) > 1]


def _arm_faults(template: AnimalSheetTemplate) -> list[str]:
    faults = []
    if template.masking not in MASKINGS:
        faults.append(f"masking: {template.masking!r} — expected one of {', '.join(MASKINGS)}")
    for label, arm in template.arms.items():
        if arm.kind not in ARM_KINDS:
            faults.append(f"arms.{label}.kind: {arm.kind!r} — expected one of {', '.join(ARM_KINDS)}")
        if arm.reference == label:
            faults.append(f"arms.{label}.reference: {label!r} — expected another arm")
        if not 0 <= arm.position <= 32767:
            faults.append(f"arms.{label}.position: {arm.position} — expected 0 to 32767")
        if len(arm.description) > 500:
            faults.append(f"arms.{label}.description: {len(arm.description)} characters — expected at most 500")
    return faults


def _weighing_faults(template: AnimalSheetTemplate) -> list[str]:
    weighings = template.weighings
    if weighings is None:
        return ["scores: no weighings — expected weighings with their dates"] if template.scores else []
    faults = [f"weighings.{fault}" for fault in _shape_faults(weighings)]
    if not weighings.plausible_g and template.species not in PLAUSIBLE_WEIGHT_G:
        faults.append(f"weighings.plausible_g: empty — expected lowest and highest grams for {template.species!r}")
    kinds = {kind for kind in map(placeholder, weighings.patterns) if kind}
    if kinds & {"day", "week"} and "day_0" not in {*template.columns, *template.constants}:
        faults.append("columns: no 'day_0' — expected its header or a constant, since weighings stand at study days")
    if template.scores and template.decimal == "," and template.scores.separator == ",":
        faults.append("scores.separator: ',' beside a decimal comma — expected another separator")
    return faults


def _shape_faults(weighings: Weighings) -> list[str]:
    faults = []
    kinds = {placeholder(pattern) for pattern in weighings.patterns}
    if "" in kinds:
        faults.append(
            f"patterns: {list(weighings.patterns)} — expected one of {{n}}, {{day}}, {{week}}, {{date}} in each"
        )
    if not weighings.patterns and not weighings.headers:
        faults.append("headers: empty — expected headers or patterns of the weighing columns")
    listed = bool(weighings.headers) or "n" in kinds
    if listed and not weighings.dates:
        faults.append("dates: empty — expected the header of the column that lists the dates of the weighings")
    if listed and kinds & {"day", "week", "date"}:
        faults.append("patterns: {day}, {week} or {date} beside ordered columns — expected one way to date a weighing")
    if weighings.unit not in GRAMS_PER_UNIT:
        faults.append(f"unit: {weighings.unit!r} — expected one of {', '.join(GRAMS_PER_UNIT)}")
    if not weighings.dates_separator.strip() and weighings.dates_separator not in (" ", "\n", "\t"):
        faults.append(f"dates_separator: {weighings.dates_separator!r} — expected a mark such as ','")
    bounds = weighings.plausible_g
    if bounds and (len(bounds) != 2 or not 0 < bounds[0] < bounds[1]):
        faults.append(f"plausible_g: {[str(bound) for bound in bounds]} — expected lowest and highest, above 0")
    return faults


def placeholder(pattern: str) -> str:
    """`day` for `d{day}`; empty when there is not exactly one known placeholder."""
    found = re.findall(r"\{(\w*)\}", pattern)
    return found[0] if len(found) == 1 and found[0] in PLACEHOLDERS else ""
