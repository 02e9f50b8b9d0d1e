"""Files of cells: what is read, what is refused, and that nothing is lost on the way."""

# ruff: noqa: DTZ001 - the dates of a spreadsheet have no zone

from __future__ import annotations

import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from experiments.sheets.files import read_workbook
from experiments.sheets.workbook import Limits, WorkbookRefused, column_letter, column_number
from tests.science.sheet_builders import csv_bytes, raw_xlsx, saved, xlsx

ROWS = [["id", "weight"], ["m1", "20.5"], ["m2", "21"]]


def refusal(data: bytes, name: str = "mice.xlsx", **options) -> list[str]:
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(data, name, **options)
    assert all(problem.effect == "file_refused" for problem in caught.value.problems)
    return [problem.rule for problem in caught.value.problems]


def cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_every_encoding_and_delimiter(delimiter: str, encoding: str) -> None:
    rows = [["id", "Gewicht µg"], ["Mäuschen", "20.5"], ["m2", "a\nb"]]
    workbook = read_workbook(csv_bytes(rows, delimiter, encoding), "mice.csv")
    assert [list(values) for _, values in workbook.sheets[0].rows] == rows
    assert [problem.rule for problem in workbook.notes] == (["encoding"] if encoding == "cp1252" else [])


def test_blank_rows_keep_the_row_numbers_of_the_others() -> None:
    workbook = read_workbook(b"id,weight\n,\nm1,20\n\nm2,21\n", "mice.csv")
    assert [number for number, _ in workbook.sheets[0].rows] == [1, 3, 5]
    assert workbook.sheets[0].blank_rows == 2


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "file_empty"),
        (b"\x00\x00\x00", "file_empty"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "format_unknown"),
        (b"%PDF-1.7 ...", "format_unknown"),
        ("id,w\nm1,2".encode("utf-16")[:-1], "encoding_wrong"),
        ("id,w\nm1,2".encode("utf-16-le"), "not_text"),
        (b"id,w\nm1,2\x00", "not_text"),
        (b'id,w\n"m1,2\n', "csv"),
        (b"a;b,c\n1;2,3\n", "delimiter_ambiguous"),
        (b"PK\x03\x04 not a zip", "xlsx_damaged"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused(data: bytes, rule: str) -> None:
    assert refusal(data) == [rule]


def test_a_truncated_workbook_is_refused() -> None:
    data = xlsx(ROWS)
    assert refusal(data[: len(data) // 2]) == ["xlsx_damaged"]


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert refusal(buffer.getvalue()) == ["xlsx_damaged"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = raw_xlsx(f"<row r='1'>{cell('A1', 'id')}</row>", after="<!--" + " " * 60_000_000 + "-->")
    assert len(bomb) < 2_000_000
    assert refusal(bomb) == ["unpacked_too_large"]


@pytest.mark.parametrize("junk", ["<!--" + " " * 5_000_000 + "-->", '<x y="' + " " * 5_000_000 + '"/>'])
def test_a_tag_that_never_ends_is_refused_before_it_is_parsed(junk: str) -> None:
    assert refusal(raw_xlsx(f"<row r='1'>{cell('A1', 'id')}</row>", after=junk)) == ["xlsx_damaged"]


def test_entities_are_not_expanded() -> None:
    prolog = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert refusal(raw_xlsx(f'<row r="1">{cell("A1", "&b;")}</row>', prolog=prolog)) == ["xlsx_damaged"]


@pytest.mark.parametrize("dimension", ["A1", "A1:A1", "A1:XFD1048576"])
def test_a_wrong_dimension_neither_cuts_nor_fills(dimension: str) -> None:
    data = raw_xlsx(
        f'<row r="1">{cell("A1", "id")}{cell("B1", "w")}</row><row r="3">{cell("A3", "m1")}{cell("B3", "x")}</row>',
        dimension=dimension,
    )
    assert read_workbook(data, "m.xlsx").sheets[0].rows == ((1, ("id", "w")), (3, ("m1", "x")))


@pytest.mark.parametrize(
    "sheet_data",
    [
        f'<row r="2">{cell("A2", "id")}</row><row r="1">{cell("A1", "lost")}</row>',
        f'<row r="1">{cell("B1", "w")}{cell("A1", "lost")}</row>',
        f'<row r="1">{cell("A1", "id")}{cell("A1", "lost")}</row>',
    ],
)
def test_cells_out_of_order_are_refused_not_dropped(sheet_data: str) -> None:
    assert refusal(raw_xlsx(sheet_data)) == ["xlsx_damaged"]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(rows=2), "too_many_rows"),
        (Limits(cells=5), "too_many_cells"),
        (Limits(cell_characters=3), "cell_too_long"),
        (Limits(file_bytes=10), "file_too_large"),
    ],
)
@pytest.mark.parametrize("build", [xlsx, csv_bytes])
def test_every_limit_names_itself(limits: Limits, rule: str, build) -> None:
    assert refusal(build(ROWS), limits=limits) == [rule]


def test_a_stray_cell_far_below_or_right_is_named() -> None:
    assert refusal(raw_xlsx(f'<row r="1048576">{cell("A1048576", "x")}</row>')) == ["too_many_rows"]
    assert refusal(raw_xlsx(f'<row r="1">{cell("XFD1", "x")}</row>')) == ["too_many_columns"]
    assert refusal(csv_bytes([["x"] * 2_001])) == ["too_many_columns"]


def test_merged_ranges_formulas_without_result_and_hidden_sheets_are_seen() -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "weight"])
    book.active.append(["m1", "=10*2"])
    book.active.merge_cells("A2:A4")
    book.create_sheet("secret").sheet_state = "hidden"
    book["secret"]["A1"] = "x"
    sheet, secret = read_workbook(saved(book), "m.xlsx").sheets
    assert sheet.merged == ((2, 1, 4, 1),)
    assert sheet.uncached == {(2, 2)}
    assert (sheet.hidden, secret.hidden) == (False, True)


def test_a_formula_with_its_result_is_its_result() -> None:
    data = raw_xlsx(
        '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>A1</f></c><c s="0" r="C1"><f>A1</f><v/></c></row>'
    )
    sheet = read_workbook(data, "m.xlsx").sheets[0]
    assert sheet.rows == ((1, (2, None, None)),)
    assert sheet.uncached == {(1, 2), (1, 3)}


def test_dates_stay_dates_and_numbers_numbers() -> None:
    sheet = read_workbook(xlsx([[dt.datetime(2024, 3, 1), 20.5, 3, "007", True]]), "m.xlsx").sheets[0]
    assert sheet.rows[0][1] == (dt.datetime(2024, 3, 1), 20.5, 3, "007", True)


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_column_letters(index: int, letters: str) -> None:
    assert column_letter(index) == letters
    assert column_number(letters) == index + 1
