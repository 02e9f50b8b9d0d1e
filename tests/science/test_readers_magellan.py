"""Tecan Magellan workbooks."""

import io
import os
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assays.readers import ReadError, read
from tests.science.plate_files import ROWS

REMARKS = ("Measurement mode: Absorbance", "Measurement wavelength: 595 nm", "Date: 2024-01-02, Time: 09:43:07")


def workbook(
    rows: list[tuple], heading: tuple = ("Raw data", "Well positions", "Plate"), remarks: tuple = REMARKS
) -> bytes:
    book = openpyxl.Workbook()
    for row in (heading, *rows, *((remark,) for remark in remarks)):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


WELLS = [
    (0.1 + i / 1000, f"{row}{c}", "96WEL") for i, (c, row) in enumerate((c, r) for c in range(1, 13) for r in ROWS)
]


cells = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.sampled_from(["A1", "a01", "0.5", "OVER", "=1+1", "Z99"]),
)


def refused(data: bytes) -> str:
    with pytest.raises(ReadError) as caught:
        read(data, "made.xlsx")
    return str(caught.value)


def test_a_workbook() -> None:
    file = read(workbook([*WELLS[:-1], ("OVER", "H12", None)]), "made.xlsx")
    plate = file.plates[0]
    assert (plate.rows, plate.columns, plate.channels[0].wavelength_nm) == (8, 12, Decimal(595))
    assert plate.readings[1].value == Decimal("0.101")
    assert plate.readings[1].line == 3
    assert (plate.readings[-1].flag, plate.readings[-1].value) == ("overflow", None)
    assert plate.read_at == "2024-01-02 09:43:07"
    assert any("96WEL" in note.text for note in file.notes)


def test_what_cannot_be_read_is_named() -> None:
    bad = [("x", "A1", None), (0.1, "Z99", None), (0.1, "B1", None), (0.2, "B1", None)]
    message = refused(workbook(bad))
    for told in ("line 2, column Raw data", "line 3, column Well positions", "line 5, column Well positions"):
        assert told in message
    assert "Fluorescence" in refused(workbook(WELLS, remarks=("Measurement mode: Fluorescence", *REMARKS[1:])))
    assert "Measurement wavelength" in refused(workbook(WELLS, remarks=REMARKS[:1]))
    assert "Raw data and Well positions" in refused(workbook(WELLS, heading=("a", "b", "c")))
    assert "damaged" in refused(workbook(WELLS)[:-300])


def test_the_real_workbook() -> None:
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    file = read((Path(folder) / "plates" / "SLA01P01_OD.xlsx").read_bytes(), "SLA01P01_OD.xlsx")
    values = {reading.well: reading.value for reading in file.plates[0].readings}
    assert len(values) == 96
    assert values["A1"] == Decimal("0.1462")
    assert values["H12"] == Decimal("0.0461")
    assert file.plates[0].unit == "AU"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.lists(st.tuples(cells), max_size=4))
def test_any_cells_are_read_or_refused(rows: list[tuple], remarks: list[tuple]) -> None:
    try:
        read(workbook(rows, remarks=(*REMARKS, *(str(remark[0]) for remark in remarks))), "made.xlsx")
    except ReadError as error:
        assert error.problems
