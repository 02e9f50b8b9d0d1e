"""Gen5 exports: layout, result matrices, flags, curves, several plates, and what must be refused."""

from decimal import Decimal

import pytest

from assays.readers import ReadError, read
from tests.science.plate_files import ROWS, gen5, gen5_layout, gen5_rows


def od(row: str, column: int) -> str:
    return f"{ROWS.index(row)}.{column:03d}"


def refused(text: str) -> str:
    with pytest.raises(ReadError) as caught:
        read(text.encode(), "made.txt")
    return str(caught.value)


def test_readings_layout_and_dilution() -> None:
    file = read(gen5(gen5_rows(od), gen5_layout()).encode(), "made.txt")
    plate = file.plates[0]
    assert file.software_version == "3.12.08"
    assert (plate.label, plate.rows, plate.columns, plate.unit) == ("Plate 1", 8, 12, "AU")
    assert {r.well: r.value for r in plate.readings}["H12"] == Decimal("7.012")
    assert plate.channels[0].wavelength_nm == Decimal(450)
    wells = {entry.well: entry for entry in file.layout}
    assert (wells["A1"].role, wells["A1"].concentration) == ("standard", Decimal(320))
    assert wells["H1"].role == "blank"
    assert (wells["B4"].sample, wells["B4"].dilution_factor) == ("SPL4", Decimal(2))


def test_flags_are_kept_with_their_text() -> None:
    words = {1: "OVRFLW", 2: "MISSED", 3: "?????", 4: "*0.356*", 5: "<0.000", 6: ">4.000"}
    file = read(gen5(gen5_rows(lambda row, c: words.get(c, "0.1"))).encode(), "made.txt")
    found = {r.well: (r.flag, r.value, r.text) for r in file.plates[0].readings if r.well.startswith("A")}
    assert found["A1"] == ("overflow", None, "OVRFLW")
    assert found["A2"] == ("missed", None, "MISSED")
    assert found["A3"] == ("invalid", None, "?????")
    assert found["A4"] == ("masked", Decimal("0.356"), "*0.356*")
    assert found["A5"][0] == "below_curve"
    assert found["A6"][0] == "above_curve"
    assert found["A7"] == (None, Decimal("0.1"), "0.1")


def test_computed_rows_are_results_and_never_readings() -> None:
    rows = []
    for line in gen5_rows(od).split("\n"):
        cells = line.split("\t")[1:]
        rows += [
            line,
            "\t" + "\t".join([*cells[:-1], "Blank od:450"]),
            "\t" + "\t".join([*["1.5"] * 12, "[Concentration]"]),
        ]
    curve = "\n\nStdCurve Fitting Results\n\nCurve Name\tCurve Formula\tA\tB\tR2\tFit F Prob\n"
    curve += "StdCurve\tY=A*X+B\t0.00168\t-0.000723\t1\t?????"
    file = read(gen5("\n".join(rows) + curve, gen5_layout()).encode(), "made.txt")
    assert len(file.plates[0].readings) == 96
    assert {r.column for r in file.printed_results} == {"Blank od:450", "[Concentration]"}
    assert len(file.printed_results) == 192
    assert file.printed_curves[0].formula == "Y=A*X+B"
    assert dict(file.printed_curves[0].parameters) == {"A": Decimal("0.00168"), "B": Decimal("-0.000723")}


def test_several_plates_of_one_file() -> None:
    text = gen5(gen5_rows(od)) + gen5(gen5_rows(lambda row, c: "9.0"), plate="Plate 2")
    file = read(text.encode("utf-16"), "made.txt")
    assert [plate.label for plate in file.plates] == ["Plate 1", "Plate 2"]
    assert {r.value for r in file.plates[1].readings} == {Decimal("9.0")}
    assert "one name" in refused(gen5(gen5_rows(od)) * 2)


@pytest.mark.parametrize(
    "kind",
    ["Fluorescence Endpoint", "Luminescence Endpoint", "Absorbance Spectrum", "Absorbance Area Scan", "Alpha Endpoint"],
)
def test_other_reads_are_refused_by_name(kind: str) -> None:
    assert kind in refused(gen5(gen5_rows(od), kind=kind))


def test_kinetics_are_refused() -> None:
    text = gen5(gen5_rows(od)).replace("Read\tod", "Start Kinetic\tRuntime 0:30:00\n    Read\tod")
    assert "kinetic" in refused(text)


def test_damage_is_refused_with_its_line() -> None:
    whole = gen5(gen5_rows(od), gen5_layout())
    lines = whole.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("C\t2.001")) + 1
    message = refused(whole.replace("C\t2.001\t2.002", "C\t2.001\tabc"))
    assert f"line {at}, column 3" in message
    assert "'abc'" in message
    assert "decimal comma" in refused(whole.replace("2.002", "2,002"))
    assert "too short" in refused(whole.replace("\t2.012\tod:450", "\tod:450"))
    assert "second value" in refused(whole.replace("B\t1.001", "A\t1.001"))
    assert "no raw reading" in refused(gen5(gen5_rows(od, "Blank od:450")))
    assert "expected rows of od:450" in refused(gen5(gen5_rows(od, "Blank od:450")))


def test_text_that_is_not_understood_is_reported() -> None:
    file = read((gen5(gen5_rows(od)) + "\nA remark\n").encode(), "made.txt")
    assert any("A remark" in note.text for note in file.warnings)
