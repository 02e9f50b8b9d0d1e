"""A sheet of counts by a template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import experiments.sheets
from experiments.sheets.files import read_workbook
from experiments.sheets.tallies import TallyReading, TallySheetTemplate, interpret_tallies
from tests.science.sheet_builders import xlsx

HEADERS = ["animal", "experiment", "side", "section", "class", "count", "reader"]
PATH = Path(experiments.sheets.__file__).parent / "templates" / "follicle_tallies.json"


def read(*rows: list[object]) -> TallyReading:
    template = TallySheetTemplate.from_json(json.loads(PATH.read_text()))
    return interpret_tallies(read_workbook(xlsx([HEADERS, *rows]), "tallies.xlsx"), template)


def test_faultless_counts() -> None:
    reading = read(["m1", "E1", "left", 5, "Primordial", 12, "A"], ["m1", "E1", "R", 5, "corpora lutea", 0, "A"])
    assert reading.problems == ()
    assert [(t.animal, t.side, t.section, t.structure, t.count) for t in reading.tallies] == [
        ("m1", "L", "5", "primordial", 12),
        ("m1", "R", "5", "corpus_luteum", 0),
    ]
    assert str(reading.tallies[0].place) == "Mice!F2 (count)"


@pytest.mark.parametrize(
    ("row", "cell", "rule"),
    [
        (["m1", "E1", "L", 5, "primordial", None, "A"], "F2", "missing_count"),
        (["m1", "E1", "L", 5, "primordial", 1.5, "A"], "F2", "unreadable_count"),
        (["m1", "E1", "L", 5, "primordial", -1, "A"], "F2", "unreadable_count"),
        (["m1", "E1", "L", 5, "primordial", 10_001, "A"], "F2", "unreadable_count"),
        (["m1", "E1", "L", 5, "primordial", "many", "A"], "F2", "unreadable_count"),
        (["m1", "E1", "top", 5, "primordial", 1, "A"], "C2", "unknown_side"),
        (["m1", "E1", "L", 5, "primordal", 1, "A"], "E2", "unknown_structure"),
        ([None, "E1", "L", 5, "primordial", 1, "A"], "A2", "missing_animal"),
        (["m1", None, "L", 5, "primordial", 1, "A"], "B2", "missing_experiment"),
    ],
)
def test_an_error_excludes_its_row_and_no_other(row: list[object], cell: str, rule: str) -> None:
    reading = read(row, ["m2", "E1", "L", 5, "primordial", 1, "A"])
    assert [(f"{p.place.column}{p.place.row}", p.rule) for p in reading.errors] == [(cell, rule)]
    assert [tally.animal for tally in reading.tallies] == ["m2"]
    assert reading.counts() == {"rows": 2, "rows_excluded": 1, "tallies": 1, "errors": 1, "warnings": 0}


def test_a_section_counted_twice_holds_both_back() -> None:
    same = ["m1", "E1", "L", 5, "primordial", 12, "A"]
    reading = read(same, [*same[:5], 13, "A"], [*same[:6], "B"])
    assert [(problem.place.row, problem.rule) for problem in reading.errors] == [
        (2, "repeated_count"),
        (3, "repeated_count"),
    ]
    assert [tally.reader for tally in reading.tallies] == ["B"]


def test_a_missing_column_refuses_the_sheet() -> None:
    template = TallySheetTemplate.from_json(json.loads(PATH.read_text()))
    reading = interpret_tallies(read_workbook(xlsx([HEADERS[:5], ["m1", "E1", "L", 5, "primary"]]), "t.xlsx"), template)
    assert reading.is_refused
    assert [problem.rule for problem in reading.problems] == ["header_missing", "header_missing"]
