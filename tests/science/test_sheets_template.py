"""Templates: to JSON and back, and every fault of a wrong one at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import experiments.sheets
from experiments.sheets.tallies import TallySheetTemplate
from experiments.sheets.template import AnimalSheetTemplate
from experiments.sheets.template_json import TemplateRefused

SHIPPED = sorted((Path(experiments.sheets.__file__).parent / "templates").glob("*.json"))
GOOD: dict[str, Any] = {
    "name": "mice",
    "columns": {"animal": "id", "experiment": "exp", "day_0": "d0"},
    "weighings": {"patterns": ["d{day}"], "plausible_g": ["0.5", "60"]},
}


def faults(data: Any) -> list[str]:
    with pytest.raises(TemplateRefused) as caught:
        AnimalSheetTemplate.from_json(data)
    return [fault.split(":")[0] for fault in caught.value.faults]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_can_be_used_and_survives_json(path: Path) -> None:
    data = json.loads(path.read_text())
    cls = {"animals": AnimalSheetTemplate, "tallies": TallySheetTemplate}[data["kind"]]
    template = cls.from_json(data)
    assert cls.from_json(json.loads(json.dumps(template.to_json()))) == template


def test_something_ships() -> None:
    assert {json.loads(path.read_text())["kind"] for path in SHIPPED} == {"animals", "tallies"}


def test_a_good_template_survives_json() -> None:
    template = AnimalSheetTemplate.from_json(GOOD)
    assert AnimalSheetTemplate.from_json(json.loads(json.dumps(template.to_json()))) == template


def test_roles_of_arms_survive_json() -> None:
    arms = {"A": {"kind": "product", "reference": "B", "position": 2}, "B": {"description": "saline"}}
    template = AnimalSheetTemplate.from_json(GOOD | {"arms": arms, "masking": "open_label"})
    assert (template.arms["A"].reference, template.arms["B"].kind) == ("B", "other")
    assert AnimalSheetTemplate.from_json(json.loads(json.dumps(template.to_json()))) == template


def test_all_wrong_types_are_named_at_once() -> None:
    data = {
        "version": "1",
        "columns": ["id"],
        "missing": "-",
        "weighings": {"unit": 3, "plausible_g": ["x"]},
        "colour": 1,
    }
    assert set(faults(data)) == {
        "name", "version", "columns", "missing", "weighings.unit", "weighings.plausible_g[0]", "colour",
    }  # fmt: skip
    assert faults([]) == ["template"]
    assert faults(None) == ["template"]
    assert faults(GOOD | {"header_row": True}) == ["header_row"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"decimal": ";"}, "decimal"),
        ({"masking": "double"}, "masking"),
        ({"arms": ["A"]}, "arms"),
        ({"arms": {"A": {"kind": "wild"}}}, "arms.A.kind"),
        ({"arms": {"A": {"reference": "A"}}}, "arms.A.reference"),
        ({"arms": {"A": {"position": -1}}}, "arms.A.position"),
        ({"arms": {"A": {"colour": "red"}}}, "arms.A.colour"),
        ({"version": 2}, "kind, version"),
        ({"name": " "}, "name"),
        ({"header_row": 0}, "header_row"),
        ({"encoding": "ebcdic"}, "encoding"),
        ({"delimiter": "|"}, "delimiter"),
        ({"date_formats": []}, "date_formats"),
        ({"date_formats": ["dd.mm.yyyy"]}, "date_formats"),
        ({"columns": {"animal": "id", "experiment": "exp"}}, "columns"),
        ({"columns": {"experiment": "exp", "day_0": "d0"}}, "columns"),
        ({"columns": {"animal": "id", "experiment": "id", "day_0": "d0"}}, "columns"),
        ({"columns": {"animal": "id", "experiment": "exp", "day_0": "d0", "colour": "c"}}, "columns"),
        ({"constants": {"day_0": "2024-01-01"}}, "day_0"),
        ({"constants": {"cage": "A"}}, "constants"),
        ({"dispositions": {"dead": "gone"}}, "dispositions"),
        ({"dispositions": {"dead": "died"}, "missing": ["dead"]}, "missing, dispositions"),
        ({"sexes": {"x": "X"}}, "sexes"),
        ({"species": "axolotl", "weighings": {"patterns": ["d{day}"]}}, "weighings.plausible_g"),
        ({"weighings": {"patterns": ["d{day}"], "plausible_g": [60, 5]}}, "weighings.plausible_g"),
        ({"weighings": {"patterns": ["d{day}"], "unit": "oz"}}, "weighings.unit"),
        ({"weighings": {"patterns": ["w"]}}, "weighings.patterns"),
        ({"weighings": {}}, "weighings.headers"),
        ({"weighings": {"patterns": ["w{n}"]}}, "weighings.dates"),
        ({"weighings": {"patterns": ["d{day}"], "headers": ["w0"], "dates": "t"}}, "weighings.patterns"),
        ({"weighings": None, "scores": {"header": "s"}}, "scores"),
        ({"decimal": ",", "scores": {"header": "s"}}, "scores.separator"),
        ({"treatments": [{"name": "a", "text": "x"}, {"name": "a", "text": "y"}]}, "treatments"),
    ],
)
def test_a_template_that_contradicts_itself_is_refused(change: dict[str, Any], named: str) -> None:
    assert named in faults(GOOD | change)


def test_a_tally_template_needs_its_columns() -> None:
    with pytest.raises(TemplateRefused) as caught:
        TallySheetTemplate.from_json({"name": "t", "columns": {"animal": "id", "organ": "o"}, "sides": {"l": "left"}})
    named = [fault.split(" — ")[0] for fault in caught.value.faults]
    assert named == [
        "columns: 'organ'", "columns: no 'structure'", "columns: no 'count'", "columns: no 'experiment'",
        "sides: 'l': 'left'",
    ]  # fmt: skip
