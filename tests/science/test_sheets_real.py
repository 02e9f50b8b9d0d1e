"""The shared spreadsheet of a laboratory, read by the template that ships, against its authors' own long table."""

from __future__ import annotations

import csv
import json
import os
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

import experiments.sheets
from experiments.sheets.animals import interpret
from experiments.sheets.files import read_workbook
from experiments.sheets.reading import SheetReading
from experiments.sheets.template import AnimalSheetTemplate

DATA = os.environ.get("LABDB_REAL_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="LABDB_REAL_DATA names no folder of real data")
TEMPLATE = Path(experiments.sheets.__file__).parent / "templates" / "animals_dates_in_one_cell.json"
SECONDS = 10


@pytest.fixture(scope="module")
def timed() -> tuple[SheetReading, float]:
    path = Path(DATA or "") / "weights" / "weights_raw_odd_experiments.xlsx"
    template = AnimalSheetTemplate.from_json(json.loads(TEMPLATE.read_text()))
    start = time.perf_counter()
    reading = interpret(read_workbook(path.read_bytes(), path.name), template)
    return reading, time.perf_counter() - start


@pytest.fixture(scope="module")
def reading(timed: tuple[SheetReading, float]) -> SheetReading:
    return timed[0]


@pytest.fixture(scope="module")
def authors() -> dict[tuple[str, int], float]:
    """(animal, k-th weighing from day 0) → % of day 0, as the authors print it."""
    path = Path(DATA or "") / "weights" / "weights_long_odd_experiments.csv"
    with path.open(newline="") as lines:
        filled = [row for row in csv.DictReader(lines) if row["weight"]]
    ordinals = (0 if row["Time"] == "Tinfection" else int(row["Time"].removeprefix("T")) for row in filled)
    return {(row["Mouse_ID"], k): float(row["weight"]) for row, k in zip(filled, ordinals, strict=True)}


def percent_of_day_0(reading: SheetReading) -> dict[tuple[str, int], Decimal]:
    """(animal, k-th weighing column counted from that of day 0) → % of the weight on day 0."""
    baseline = {weighing.animal: weighing for weighing in reading.weighings if weighing.study_day == 0}
    return {
        (w.animal, w.ordinal - baseline[w.animal].ordinal): 100 * w.weight_g / baseline[w.animal].weight_g
        for w in reading.weighings
        if w.ordinal >= baseline[w.animal].ordinal
    }


def test_totals(reading: SheetReading) -> None:
    counts = reading.counts()
    expected = {"rows": 1161, "rows_excluded": 0, "experiments": 48, "animals": 1161, "weighings": 8444, "errors": 0}
    assert {name: counts[name] for name in expected} == expected
    assert Counter(end.word for end in reading.dispositions) == {"dead": 173, "sacrified": 47, "survive": 9}
    assert Counter(end.kind for end in reading.dispositions) == {"died": 173, "euthanised": 47, "survived": 9}
    assert {name: counts[name] for name in ("cages", "strains", "housings")} == {
        "cages": 287, "strains": 10, "housings": 1161,
    }  # fmt: skip


def test_the_dry_run_is_quick(timed: tuple[SheetReading, float]) -> None:
    assert timed[1] < SECONDS


def test_271_of_287_cages_hold_one_arm(reading: SheetReading) -> None:
    arms = {(row.experiment, row.animal): row.arm for row in reading.enrolments}
    held = defaultdict(set)
    for housing in reading.housings:
        held[housing.experiment, housing.cage].add(arms[housing.experiment, housing.animal])
    assert (len(held), sum(len(labels) == 1 for labels in held.values())) == (287, 271)


def test_every_percentage_that_the_authors_print_is_recomputed(
    reading: SheetReading, authors: dict[tuple[str, int], float]
) -> None:
    ours = percent_of_day_0(reading)
    assert authors.keys() - ours.keys() == set()
    differing = {key: (float(ours[key]), value) for key, value in authors.items() if not same(ours[key], value)}
    assert differing == {}
    assert len(authors) == 6921


def same(ours: Decimal, printed: float) -> bool:
    """Equal to the last digits of the authors' binary arithmetic."""
    return abs(float(ours) - printed) <= 1e-12 * abs(printed)


def test_what_the_authors_leave_out_is_the_end_of_each_animals_row(
    reading: SheetReading, authors: dict[tuple[str, int], float]
) -> None:
    ours = percent_of_day_0(reading)
    printed_up_to: dict[str, int] = {}
    for animal, k in authors:
        printed_up_to[animal] = max(k, printed_up_to.get(animal, 0))
    left_out = ours.keys() - authors.keys()
    assert all(k > printed_up_to[animal] for animal, k in left_out)
    before_day_0 = sum(weighing.study_day < 0 for weighing in reading.weighings)
    assert (len(left_out), before_day_0, len(authors)) == (1342, 181, 6921)
    assert len(left_out) + before_day_0 + len(authors) == len(reading.weighings)


def test_day_0_is_not_always_the_first_weighing(reading: SheetReading) -> None:
    early = {weighing.experiment for weighing in reading.weighings if weighing.study_day < 0}
    assert early == {"ID_061", "ID_091", "ID_095"}


def test_every_filled_weighing_cell_of_the_file_is_accounted_for(reading: SheetReading) -> None:
    """Against openpyxl's own plain reading: each filled cell is a weight or an end, with the same place and value."""
    import openpyxl

    path = Path(DATA or "") / "weights" / "weights_raw_odd_experiments.xlsx"
    sheet = openpyxl.load_workbook(path, data_only=True).active
    columns = [cell for cell in sheet[1] if str(cell.value).startswith("weight_T")]
    filled = {
        f"{header.column_letter}{row}": sheet.cell(row, header.column).value
        for header in columns
        for row in range(2, sheet.max_row + 1)
        if sheet.cell(row, header.column).value is not None
    }
    read = {f"{w.place.column}{w.place.row}": float(w.value) for w in reading.weighings}
    read |= {f"{end.place.column}{end.place.row}": end.word for end in reading.dispositions}
    assert read == filled


def test_the_warnings_are_these(reading: SheetReading) -> None:
    found = Counter(problem.rule for problem in reading.problems)
    assert found == {

        "score_without_weight": 364, "score_without_date": 119, "score_after_end": 74,
        "conflicting_arm_description": 21,
        "day_0_before_start": 1, "long_gap_between_dates": 1, "dates_differ": 1,
    }  # fmt: skip
    (gap,) = (problem for problem in reading.problems if problem.rule == "long_gap_between_dates")
    assert str(gap) == (
        'Sheet1!P1094 (Time_point): "2022-11-28, 2023-11-29" — expected at most 90 days between two weighings'
    )
