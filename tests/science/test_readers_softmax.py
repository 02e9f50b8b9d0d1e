"""SoftMax Pro exports: encodings, formats, groups, and what must be refused."""

from decimal import Decimal

import pytest

from assays.readers import ReadError, read
from tests.science.plate_files import (
    ROWS,
    by_plate,
    by_well,
    elisa_file,
    elisa_od,
    group,
    plate_header,
    softmax,
)  # fmt: skip


def od(row: str, column: int) -> str:
    return f"{ROWS.index(row)}.{column:03d}"


def values(text: str, channel: str = "450") -> dict[str, Decimal | None]:
    plate = read(text.encode(), "made.txt").plates[0]
    return {r.well: r.value for r in plate.readings if r.channel == channel}


def refused(text: str | bytes) -> str:
    with pytest.raises(ReadError) as caught:
        read(text if isinstance(text, bytes) else text.encode(), "made.txt")
    return str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-8", b"\xef\xbb\xbf"), ("utf-8", b""),
     ("cp1252", b""), ("mac-roman", b""), ("utf-16-le", b"")],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_encoding_gives_the_same_plate(encoding: str, mark: bytes, line_end: str) -> None:
    text = softmax([by_plate(od)]).replace("\n", line_end)
    plate = read(mark + text.encode(encoding), "made.txt").plates[0]
    assert len(plate.readings) == 96
    assert plate.temperature_c == Decimal("21.5")
    assert plate.unit == "AU"


def test_plate_format_and_time_format_agree() -> None:
    expected = {f"{row}{c}": Decimal(od(row, c)) for row in ROWS for c in range(1, 13)}
    assert values(softmax([by_plate(od)])) == expected
    assert values(softmax([by_well(od)])) == expected
    assert values(softmax([by_well(od, reduced=True)]), "reduced") == expected


def test_wavelengths_beside_and_below_each_other() -> None:
    header = plate_header(wavelengths="450 650")
    text = by_plate(od, wavelengths=2).replace(plate_header(), header)
    assert values(softmax([text]), "650") == values(softmax([text]), "450")
    below = by_well(od).replace("\t450 \t", "\t450 650 \t").replace("\t1\t450 650", "\t2\t450 650")
    row = below.rstrip("\n").split("\n")[-1]
    text = below + "\n" + row.replace("\t0.001", "\t9.999", 1) + "\n"
    assert values(softmax([text]), "650")["A1"] == Decimal("9.999")
    assert values(softmax([text]), "450")["A1"] == Decimal("0.001")


def test_repeated_wavelengths_stay_apart() -> None:
    text = by_plate(od, wavelengths=3).replace(plate_header(), plate_header(wavelengths="426 426 426"))
    plate = read(softmax([text]).encode(), "made.txt").plates[0]
    assert [c.key for c in plate.channels] == ["426", "426#2", "426#3"]
    assert len(plate.readings) == 288


def test_384_wells_and_part_of_a_plate() -> None:
    header = plate_header(size=(3, 2, 384, 2, 3))
    heading = "\tTemperature(°C)\t" + "\t".join(str(c) for c in range(1, 25))
    rows = ["\t21\t0.1\t0.2", "\t\t0.3\t0.4", "\t\t0.5\t0.6"]
    found = values(softmax(["\n".join([header, heading, *rows]) + "\n"]))
    assert found == {w: Decimal(v) for w, v in zip(
        ["B3", "B4", "C3", "C4", "D3", "D4"], ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"], strict=True)}  # fmt: skip
    blank = "\t" * 24
    printed = ["\t21" + blank, "\t\t\t\t0.1\t0.2", "\t\t\t\t0.3\t0.4", "\t\t\t\t0.5\t0.6", *["\t\t" + blank] * 12]
    assert values(softmax(["\n".join([header, heading, *printed]) + "\n"])) == found


def test_groups_give_layout_results_and_masks() -> None:
    file = read(elisa_file(masked=True).encode(), "made.txt")
    standards = [e for e in file.layout if e.role == "standard"]
    assert [(e.well, e.sample, e.concentration, e.unit) for e in standards[:2]] == [
        ("A1", "St1", Decimal("320.000"), "ng/mL"), ("A2", "St1", Decimal("320.000"), "ng/mL"),
    ]  # fmt: skip
    samples = [e for e in file.layout if e.role == "sample"]
    assert {(e.sample, e.dilution_factor, e.concentration) for e in samples} == {
        (name, Decimal("10.0"), None) for name in ("S3", "S4", "S5")
    }
    masked = next(r for r in file.plates[0].readings if r.well == "A2")
    assert masked.flag == "masked"
    assert masked.value == Decimal(elisa_od("A", 2))
    assert any(r.column == "OD" and r.flag == "masked" and r.well == "A2" for r in file.printed_results)


def test_a_decimal_comma_is_read_only_where_it_is_proven() -> None:
    proven = softmax([by_plate(lambda row, c: f"{ROWS.index(row)},{c:02d}")])
    file = read(proven.encode(), "made.txt")
    assert {r.well: r.value for r in file.plates[0].readings}["B12"] == Decimal("1.12")
    assert any("decimal comma" in note.text for note in file.warnings)
    message = refused(softmax([by_plate(lambda row, c: "1,234")]))
    assert "line 4, column 3" in message
    assert "comma" in message
    assert message.count("1,234") == 96
    assert "comma" in refused(softmax([by_plate(lambda row, c: "1,23" if c == 1 else "1.23")]))


def test_every_problem_is_reported_at_once() -> None:
    message = refused(softmax([by_plate(lambda row, c: "wrong" if c == 3 else "0.1")]))
    assert message.count("wrong") == 8


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"read_type": "Kinetic"}, "Kinetic"), ({"read_type": "Spectrum"}, "Spectrum"),
        ({"read_type": "Well Scan"}, "Well Scan"), ({"mode": "Fluorescence"}, "Fluorescence"),
        ({"mode": "Luminescence"}, "Luminescence"), ({"layout": "OtherFormat"}, "OtherFormat"),
        ({"wavelengths": "45O"}, "45O"), ({"size": (1, 13, 96, 1, 8)}, "plate of 6 to 1536"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(change: dict, told: str) -> None:
    text = by_plate(od).replace(plate_header(), plate_header(**change))
    message = refused(softmax([text]))
    assert told in message
    assert "line 2" in message


def test_damage_is_refused() -> None:
    whole = elisa_file()
    assert "closed" in refused(whole[: whole.rindex("~End")])
    assert "promises 4" in refused(elisa_file(promised=4))
    assert "breaks off" in refused(b"\xff\xfe" + whole.encode("utf-16-le")[:-1])
    assert "rows" in refused(softmax([by_plate(od).replace("\t\t7.001", "\n\t\t7.001").split("\n\n")[0] + "\n"]))
    assert "empty" in refused(b"")
    assert "SoftMax Pro" in refused("Sample,OD\nA,1\n")
    assert "Gen5" in refused("Sample,OD\nA,1\n")
    two = softmax([by_plate(od), by_plate(od)])
    assert "two plates carry one name" in refused(two)


def test_a_group_without_plate_name_is_not_guessed_onto_one_of_several() -> None:
    second = by_plate(od).replace("\tPlate1\t", "\tPlate2\t")
    rows = [("S1", "A1", "0.001")]
    text = softmax([by_plate(od), second, group("Unknowns", ("Sample", "Wells", "OD"), rows)])
    file = read(text.encode(), "made.txt")
    assert file.layout == ()
    assert file.printed_results[0].plate is None
    assert any("names no plate" in note.text for note in file.warnings)


def test_lines_outside_blocks_are_reported() -> None:
    text = softmax([by_plate(od)]) + "stray words\n"
    assert any("stray words" in note.text for note in read(text.encode(), "made.txt").warnings)


def test_digits_that_are_no_numbers_are_labels() -> None:
    """A superscript two is a digit to Unicode and no number to anyone else."""
    text = elisa_file()
    for label in ("2", "3"):
        text = text.replace(f"\n{label}\t", "\n²\t")
    assert "²" in text
    assert read(text.encode("utf-16"), "superscript.txt").plates
