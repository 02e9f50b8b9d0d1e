"""Whatever a cell holds or a byte becomes: a reading or a refusal, never an exception, and every row accounted for."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.sheets.animals import interpret, read_sheet
from experiments.sheets.template import AnimalSheetTemplate
from experiments.sheets.workbook import Sheet, Workbook
from tests.science.sheet_builders import csv_bytes, xlsx
from tests.science.test_sheets_animals import HEADERS, MAPPING, row

TEMPLATE = AnimalSheetTemplate.from_json(MAPPING)
CELLS = st.one_of(
    st.none(), st.text(max_size=12), st.integers(), st.floats(), st.booleans(), st.datetimes(), st.dates(), st.times(),
    st.timedeltas(), st.sampled_from(["dead", "-", "[1,", "01-03-2024", "no data", "=1+1", "\x00", "\ud800", 20, 20.5]),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=len(HEADERS) + 2), min_size=1, max_size=5))
def test_any_cells_give_a_reading_in_which_no_row_is_lost(rows: list[list[object]]) -> None:
    numbered = [(1, tuple(HEADERS)), *((number, tuple(values)) for number, values in enumerate(rows, start=2))]
    reading = interpret(Workbook("w", (Sheet("Mice", tuple(numbered), serial_epoch="1900"),)), TEMPLATE)
    assert [line.number for line in reading.source_rows] == [number for number, _ in numbered[1:]]
    valid = {line.number for line in reading.source_rows if line.is_valid}
    assert {enrolment.place.row for enrolment in reading.enrolments} == valid
    assert {problem.place.row for problem in reading.errors} == {line.number for line in reading.source_rows} - valid


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_one_changed_cell_is_read_or_reported(data: st.DataObject) -> None:
    values = row()
    column = data.draw(st.integers(0, len(HEADERS) - 1))
    values[column] = data.draw(CELLS)
    sheet = Sheet("Mice", ((1, tuple(HEADERS)), (2, tuple(values)), (3, tuple(row(id="m2")))), serial_epoch="1900")
    reading = interpret(Workbook("w", (sheet,)), TEMPLATE)
    assert "m2" in {animal.animal for animal in reading.animals} or any(
        p.rule == "repeated_animal" for p in reading.errors
    )
    read_from_row = [weighing for weighing in reading.weighings if weighing.place.row == 2]
    assert len(read_from_row) == 3 or any(problem.place.row == 2 for problem in reading.problems) or column >= 10


@pytest.mark.parametrize("build", [xlsx, csv_bytes])
def test_files_with_changed_bytes_never_raise(build) -> None:
    chance = random.Random(20240301)
    rows = [HEADERS] + [row(id=f"m{n}", born="2024-01-01", day_0="2024-03-01") for n in range(20)]
    good = build(rows)
    for _ in range(60):
        data = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        reading = read_sheet(bytes(data), "mutated", TEMPLATE)
        assert reading.is_refused or len(reading.source_rows) + reading.blank_rows > 0
        excluded = sum(not line.is_valid for line in reading.source_rows)
        assert len(reading.enrolments) + excluded == len(reading.source_rows)


def test_dates_of_a_sheet_are_whole_days() -> None:
    reading = read_sheet(xlsx([HEADERS, row(day_0=dt.datetime(2024, 3, 1, 23, 59))]), "m.xlsx", TEMPLATE)  # noqa: DTZ001
    assert reading.enrolments[0].day_0 == dt.date(2024, 3, 1)
