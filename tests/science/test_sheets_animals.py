"""A sheet of animals by a template: what it says, and everything that is wrong with it at once."""

# ruff: noqa: DTZ001 - the dates of a spreadsheet have no zone

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from experiments.sheets.animals import interpret, read_sheet
from experiments.sheets.files import read_workbook
from experiments.sheets.reading import SheetReading
from experiments.sheets.template import AnimalSheetTemplate
from tests.science.sheet_builders import csv_bytes, saved, xlsx

HEADERS = ["id", "exp", "cage", "strain", "arm", "sex", "born", "dates", "day 0", "scores", "w0", "w1", "w2"]
DATES = "01-03-2024, 02-03-2024, 05-03-2024"
BORN, DAY_0 = dt.datetime(2024, 1, 1), dt.datetime(2024, 3, 1)
MAPPING: dict[str, Any] = {
    "name": "test",
    "date_formats": ["%d-%m-%Y", "%Y-%m-%d"],
    "missing": ["-"],
    "columns": {
        "animal": "id", "experiment": "exp", "cage": "cage", "strain": "strain", "arm": "arm", "sex": "sex",
        "born_on": "born", "day_0": "day 0",
    },
    "weighings": {"headers": ["w0"], "patterns": ["w{n}"], "dates": "dates"},
    "scores": {"header": "scores"},
    "dispositions": {"dead": "died", "survive": "survived"},
    "unknown_cage": ["no data"],
}  # fmt: skip


def row(**changes: object) -> list[object]:
    """A faultless mouse, but for the changes; underscores stand for blanks in headers."""
    good: dict[str, object] = {
        "id": "m1", "exp": "E1", "cage": "A", "strain": "C57BL/6J", "arm": 1, "sex": "f", "born": BORN, "dates": DATES,
        "day 0": DAY_0, "scores": "[0, 1, 2]", "w0": 20, "w1": 19.5, "w2": 21,
    }  # fmt: skip
    return list((good | {name.replace("_", " "): value for name, value in changes.items()}).values())


def read(*rows: list[object], headers: list[str] = HEADERS, **mapping: Any) -> SheetReading:
    return read_sheet(xlsx([headers, *rows]), "mice.xlsx", AnimalSheetTemplate.from_json(MAPPING | mapping))


def found(reading: SheetReading) -> list[tuple[str, str, str]]:
    """(cell, rule, effect) of every problem."""
    return [(f"{p.place.column}{p.place.row}", p.rule, p.effect.value) for p in reading.problems]


def test_a_faultless_row() -> None:
    reading = read(row())
    assert reading.problems == ()
    assert [(w.day.day, w.study_day, w.weight_g) for w in reading.weighings] == [
        (1, 0, Decimal(20)), (2, 1, Decimal("19.5")), (5, 4, Decimal(21)),
    ]  # fmt: skip
    assert [(s.study_day, s.score) for s in reading.scores] == [(0, 0), (1, 1), (4, 2)]
    (animal,), (enrolment,), (housing,) = reading.animals, reading.enrolments, reading.housings
    assert (animal.animal, animal.strain, animal.sex, animal.born_on) == ("m1", "C57BL/6J", "F", BORN.date())
    assert (enrolment.experiment, enrolment.arm, enrolment.day_0) == ("E1", "1", DAY_0.date())
    assert (housing.cage, housing.started_on, housing.ended_on) == ("A", DAY_0.date(), None)
    assert str(reading.weighings[2].place) == "Mice!M2 (w2)"


@pytest.mark.parametrize(
    ("changes", "cell", "rule"),
    [
        ({"w1": 250}, "L2", "implausible_weight"),
        ({"w1": 0.0195}, "L2", "implausible_weight"),
        ({"w1": -19.5}, "L2", "implausible_weight"),
        ({"w1": "19,5"}, "L2", "unreadable_weight"),
        ({"w1": "<LLOQ"}, "L2", "unreadable_weight"),
        ({"w1": "#REF!"}, "L2", "unreadable_weight"),
        ({"w1": "lost"}, "L2", "unreadable_weight"),
        ({"w1": True}, "L2", "unreadable_weight"),
        ({"w1": DAY_0}, "L2", "unreadable_weight"),
        ({"w0": "dead"}, "L2", "weighed_after_end"),
        ({"w1": "dead", "w2": "dead"}, "M2", "weighed_after_end"),
        ({"dates": "-", "w0": "dead", "w1": None, "w2": None}, "K2", "end_without_date"),
        ({"dates": "01-03-2024, 02-03-2024, 02-03-2024"}, "H2", "dates_not_increasing"),
        ({"dates": "01-03-2024, 31-02-2024"}, "H2", "unreadable_date_list"),
        ({"dates": "01-03-2024,, 05-03-2024"}, "H2", "unreadable_date_list"),
        ({"day_0": "yesterday"}, "I2", "unreadable_day_0"),
        ({"born": dt.datetime(2024, 3, 2)}, "I2", "before_birth"),
        ({"born": 60}, "G2", "unreadable_born_on"),
        ({"sex": "x"}, "F2", "unreadable_sex"),
        ({"id": None}, "A2", "missing_animal"),
        ({"id": "m" * 61}, "A2", "unreadable_animal"),
        ({"exp": "-"}, "B2", "missing_experiment"),
        ({"scores": "[0, x]"}, "J2", "unreadable_score"),
        ({"scores": "[0, -1]"}, "J2", "unreadable_score"),
    ],
)
def test_an_error_excludes_its_row_and_no_other(changes: dict[str, object], cell: str, rule: str) -> None:
    reading = read(row(**changes), row(id="m2"))
    assert (cell, rule, "row_excluded") in found(reading)
    assert [animal.animal for animal in reading.animals] == ["m2"]
    assert {weighing.animal for weighing in reading.weighings} == {"m2"}
    assert [(line.number, line.is_valid) for line in reading.source_rows] == [(2, False), (3, True)]
    assert rule in {problem.rule for problem in reading.source_rows[0].problems}
    assert not reading.source_rows[1].problems


@pytest.mark.parametrize(
    ("changes", "cell", "rule", "effect"),
    [
        ({"dates": "01-03-2024, 02-03-2024"}, "M2", "weighing_without_date", "cell_left_out"),
        ({"scores": "[0, 1, 2, 3]"}, "J2", "score_without_date", "cell_left_out"),
        ({"w1": "dead", "w2": None, "scores": "[0, 1, 2]"}, "J2", "score_after_end", "cell_left_out"),
        ({"w2": None}, "J2", "score_without_weight", "kept"),
        ({"dates": f"{DATES}, 06-03-2024"}, "H2", "date_without_column", "kept"),
        ({"dates": "01-03-2024, 02-03-2024, 05-03-2025"}, "H2", "long_gap_between_dates", "kept"),
        ({"cage": "no data"}, "C2", "unknown_cage", "kept"),
        ({"cage": None}, "C2", "unknown_cage", "kept"),
        ({"strain": "-"}, "D2", "unknown_strain", "kept"),
        ({"arm": None}, "E2", "unknown_arm", "kept"),
        ({"w0": None}, "I2", "no_weight_on_day_0", "kept"),
        ({"w1": 9}, "L2", "unlikely_weight_change", "kept"),
    ],
)
def test_a_warning_keeps_the_row(changes: dict[str, object], cell: str, rule: str, effect: str) -> None:
    reading = read(row(**changes))
    assert (cell, rule, effect) in found(reading)
    assert reading.errors == ()
    assert len(reading.animals) == 1


def test_every_day_before_birth_is_named() -> None:
    treatments = [{"name": "induction", "text": "drug", "date": "given"}]
    line = [*row(born=dt.datetime(2024, 3, 2)), "CTX", "01-02-2024"]
    reading = read(line, headers=[*HEADERS, "drug", "given"], treatments=treatments)
    places = [place for place, rule, _ in found(reading) if rule == "before_birth"]
    assert places == ["I2", "K2", "N2"]


def test_an_unknown_cage_gives_no_cage_and_no_housing() -> None:
    reading = read(row(cage="No Data"))
    assert (reading.cages, reading.housings) == ((), ())


def test_the_message_names_place_value_and_expectation() -> None:
    (problem,) = read(row(w1=250)).problems
    assert str(problem) == 'Mice!L2 (w1): "250" — expected a body weight of 5 to 60 g, or empty'
    assert problem.as_dict() | {"message": ""} == {
        "sheet": "Mice", "row": 2, "column": "L", "header": "w1", "value": "250", "rule": "implausible_weight",
        "expected": "a body weight of 5 to 60 g, or empty", "severity": "error", "effect": "row_excluded",
        "message": "",
    }  # fmt: skip


def test_everything_wrong_in_one_row_is_said_at_once() -> None:
    reading = read(row(w0=250, w1="19,5", sex="x", cage="no data", day_0="?", scores="[x]"))
    rules = {problem.rule for problem in reading.problems}
    assert rules == {
        "implausible_weight", "unreadable_weight", "unreadable_sex", "unknown_cage", "unreadable_day_0",
        "unreadable_score",
    }  # fmt: skip


def test_an_empty_cell_is_missing_and_a_word_ends() -> None:
    reading = read(row(w1=None, w2="Dead", scores="[]"))
    assert [weighing.ordinal for weighing in reading.weighings] == [0]
    (end,) = reading.dispositions
    assert (end.word, end.kind, end.day, end.study_day) == ("Dead", "died", dt.date(2024, 3, 5), 4)
    assert reading.housings[0].ended_on == dt.date(2024, 3, 5)
    assert reading.problems == ()


def test_a_mouse_twice_in_an_experiment_holds_both_rows_back() -> None:
    reading = read(row(), row(id="M1"), row(id="m2"))
    assert found(reading) == [("A2", "repeated_animal", "row_excluded"), ("A3", "repeated_animal", "row_excluded")]
    assert [animal.animal for animal in reading.animals] == ["m2"]


def test_a_mouse_in_two_experiments_is_one_mouse_or_a_mistake() -> None:
    reading = read(row(), row(exp="E2"))
    assert {problem.rule for problem in reading.warnings} == {"animal_in_several_experiments"}
    assert (len(reading.animals), len(reading.enrolments)) == (1, 2)
    reading = read(row(), row(exp="E2", sex="m"))
    assert {problem.rule for problem in reading.errors} == {"repeated_animal"}
    assert reading.animals == ()


def test_a_cage_label_belongs_to_its_experiment() -> None:
    reading = read(row(), row(id="m2", exp="E2"))
    assert [(cage.experiment, cage.label) for cage in reading.cages] == [("E1", "A"), ("E2", "A")]


def test_an_experiment_with_two_titles_names_the_odd_rows() -> None:
    mapping = {"columns": MAPPING["columns"] | {"title": "title"}}
    rows = [[*row(id=f"m{n}"), "Study" if n else "Studdy"] for n in range(4)]
    reading = read(*rows, headers=[*HEADERS, "title"], **mapping)
    assert found(reading) == [("N2", "conflicting_title", "row_excluded")]
    assert reading.experiments[0].title == "Study"
    tie = read(*rows[:2], headers=[*HEADERS, "title"], **mapping)
    assert [place for place, _, _ in found(tie)] == ["N2", "N3"]


def test_arm_descriptions_that_differ_are_all_kept() -> None:
    mapping = {"columns": MAPPING["columns"] | {"arm_description": "arm info"}}
    rows = [[*row(id=f"m{n}"), text] for n, text in enumerate(["PBS", "PBS", "Progeny PBS"])]
    reading = read(*rows, headers=[*HEADERS, "arm info"], **mapping)
    assert found(reading) == [("N4", "conflicting_arm_description", "kept")]
    assert reading.arms[0].descriptions == ("PBS", "Progeny PBS")


def test_where_nobody_agrees_on_the_dates_nobody_is_odd() -> None:
    assert read(row(), row(id="m2", dates=DATES.replace("05-", "06-"))).problems == ()


def test_dates_unlike_those_of_the_others_are_named() -> None:
    rows = [row(id=f"m{n}") for n in range(3)] + [row(id="m9", dates=DATES.replace("05-", "06-"))]
    assert found(read(*rows)) == [("H5", "dates_differ", "kept")]


def test_study_days_weeks_and_litters() -> None:
    headers = ["id", "day 0", "litter", "dam", "born", "d0", "d7", "week 2"]
    columns = {"animal": "id", "day_0": "day 0", "litter": "litter", "dam": "dam", "born_on": "born"}
    born = dt.datetime(2024, 1, 1)
    reading = read(
        ["m1", DAY_0, "L1", "dam 1", born, 20, 21, 22],
        ["m2", dt.datetime(2024, 3, 2), "L1", "dam 1", born, 20, None, 22],
        ["m3", None, "L2", "dam 2", born, 20, None, None],
        headers=headers, columns=columns, scores=None,
        constants={"experiment": "E1", "sex": "F", "strain": "C57BL/6J", "title": "A study"},
        weighings={"patterns": ["d{day}", "week {week}"]},
    )  # fmt: skip
    assert found(reading) == [("F4", "weighing_without_date", "cell_left_out")]
    assert [(w.animal, w.study_day, w.day.isoformat()) for w in reading.weighings] == [
        ("m1", 0, "2024-03-01"), ("m1", 7, "2024-03-08"), ("m1", 14, "2024-03-15"), ("m2", 0, "2024-03-02"),
        ("m2", 14, "2024-03-16"),
    ]  # fmt: skip
    assert [(litter.code, litter.dam, litter.born_on) for litter in reading.litters] == [
        ("L1", "dam 1", born.date()), ("L2", "dam 2", born.date()),
    ]  # fmt: skip
    assert reading.experiments[0].title == "A study"
    assert {animal.sex for animal in reading.animals} == {"F"}


def test_headers_that_are_dates_themselves() -> None:
    headers = ["id", dt.datetime(2024, 3, 1), "weight 2024-03-04"]
    mapping = {"columns": {"animal": "id"}, "constants": {"experiment": "E1"}, "scores": None}
    weighings = {"patterns": ["{date}", "weight {date}"], "unit": "mg"}
    reading = read(["m1", 20_000, 21_500.5], headers=headers, weighings=weighings, **mapping)
    assert [(w.day.day, w.value, w.unit, w.weight_g) for w in reading.weighings] == [
        (1, 20_000, "mg", 20), (4, Decimal("21500.5"), "mg", Decimal("21.5005")),
    ]  # fmt: skip


def test_grams_in_a_sheet_of_milligrams_are_implausible() -> None:
    (problem, *_) = read(row(), weighings=MAPPING["weighings"] | {"unit": "mg"}).errors
    assert problem.expected == "a body weight of 5000 to 60000 mg, or empty"


def test_treatments_with_one_or_several_days() -> None:
    treatments = [{"name": "induction", "text": "drug", "date": "given", "separator": ","}]
    reading = read(
        [*row(), "CTX", "01-03-2024, 08-03-2024"], [*row(id="m2"), "none", "01-03-2024"], [*row(id="m3"), "CTX", None],
        [*row(id="m4"), "CTX", "01-03"],
        headers=[*HEADERS, "drug", "given"], treatments=treatments, no_treatment=["none"],
    )  # fmt: skip
    assert [(t.animal, t.text, t.day and t.day.day) for t in reading.treatments] == [
        ("m1", "CTX", 1), ("m1", "CTX", 8), ("m3", "CTX", None),
    ]  # fmt: skip
    assert found(reading) == [
        ("O3", "date_without_treatment", "cell_left_out"), ("O5", "unreadable_treatment_date", "row_excluded"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "rule", "said"),
    [
        ([*HEADERS[:-1], "W2 "], "column_unread", "reads or ignores"),
        (["ID", *HEADERS[1:]], "header_missing", "'id'"),
        (["idd", *HEADERS[1:]], "header_missing", "did you mean 'idd'?"),
        (["id", "exp", "cage", "cage", *HEADERS[4:]], "header_twice", "each header once"),
        ([*HEADERS[:10], "w0", "w2", "w02"], "header_twice", "in one header only"),
        ([*HEADERS[:10], "x", "y", "z"], "header_missing", "'w0'"),
    ],
)
def test_headers_that_do_not_fit_are_named(headers: list[str], rule: str, said: str) -> None:
    reading = read(row(), headers=headers)
    assert any(problem.rule == rule and said in problem.expected for problem in reading.problems)
    assert reading.is_refused == (rule != "column_unread")
    assert reading.is_refused == (reading.animals == ())
    assert [line.number for line in reading.source_rows] == [2]


def test_columns_left_unread_are_said_unless_ignored_on_purpose() -> None:
    headers = [*HEADERS, "remark", "index", None]
    reading = read([*row(), "limps", 1, "x"], headers=headers, ignored=["index"])
    assert found(reading) == [("N1", "column_unread", "cell_left_out"), ("P1", "column_unread", "cell_left_out")]
    assert reading.source_rows[0].cells["remark"] == "limps"


def test_merged_cells_and_formulas_without_a_result_exclude_their_rows() -> None:
    book = openpyxl.Workbook()
    for line in (HEADERS, row(), row(id="m2", cage=None), row(id="m3", w1="=10+9"), row(id="m4")):
        book.active.append(line)
    book.active.merge_cells("C2:C3")
    reading = read_sheet(saved(book), "m.xlsx", AnimalSheetTemplate.from_json(MAPPING))
    rules = {(place, rule) for place, rule, effect in found(reading) if effect == "row_excluded"}
    assert rules == {("C2", "merged_cells"), ("C3", "merged_cells"), ("L4", "formula_without_value")}
    assert [animal.animal for animal in reading.animals] == ["m4"]


def test_the_sheet_is_the_one_named_or_the_only_one() -> None:
    template = AnimalSheetTemplate.from_json(MAPPING)
    reading = read_sheet(xlsx([HEADERS, row()], secret=[["x"]]), "m.xlsx", template)
    assert [problem.rule for problem in reading.problems] == ["hidden_sheet"]
    book = openpyxl.load_workbook(io.BytesIO(xlsx([HEADERS, row()])))
    book.create_sheet("Other")["A1"] = "x"
    assert read_sheet(saved(book), "m.xlsx", template).is_refused
    assert not read_sheet(saved(book), "m.xlsx", AnimalSheetTemplate.from_json(MAPPING | {"sheet": "Mice"})).is_refused
    assert read_sheet(saved(book), "m.xlsx", AnimalSheetTemplate.from_json(MAPPING | {"sheet": "Rats"})).is_refused


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04x", xlsx([HEADERS]), xlsx([])])
def test_a_file_without_rows_is_refused_with_a_reason(data: bytes) -> None:
    reading = read_sheet(data, "m.xlsx", AnimalSheetTemplate.from_json(MAPPING))
    assert reading.is_refused
    assert reading.animals == ()


def test_delimited_text_with_decimal_commas_when_the_template_names_them() -> None:
    rows = [HEADERS, row(born="2024-01-01", day_0="2024-03-01", w0="20,0", w1="19,5", w2="21", scores="[0; 1,5]")]
    data = csv_bytes(rows, ";", "utf-16")
    mapping = MAPPING | {"decimal": ",", "scores": {"header": "scores", "separator": ";"}}
    reading = read_sheet(data, "m.csv", AnimalSheetTemplate.from_json(mapping))
    assert [weighing.value for weighing in reading.weighings] == [Decimal("20.0"), Decimal("19.5"), Decimal(21)]
    assert [score.score for score in reading.scores] == [0, Decimal("1.5")]
    refused = read_sheet(data, "m.csv", AnimalSheetTemplate.from_json(MAPPING | {"scores": None}))
    assert [problem.value for problem in refused.errors] == ["20,0", "19,5"]


def test_a_decimal_comma_that_splits_a_cell_is_seen() -> None:
    line = ",".join(f'"{cell}"' for cell in row(born="2024-01-01", day_0="2024-03-01"))
    data = ("\n".join([",".join(HEADERS), f"{line},5", line.replace("m1", "m2"), "m3,E1"])).encode()
    reading = interpret(read_workbook(data, "m.csv"), AnimalSheetTemplate.from_json(MAPPING))
    assert {(place, rule) for place, rule, _ in found(reading)} >= {("N2", "row_too_wide"), ("4", "row_too_short")}
    assert [animal.animal for animal in reading.animals] == ["m2", "m3"]
