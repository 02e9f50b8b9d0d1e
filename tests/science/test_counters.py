"""Cell counters' files: read as printed, converted exactly, or refused with reasons. Nothing is lost unsaid."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import random
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assays.counters import COUNTERS, CounterError, CountFile, read

D = Decimal


def at(*parts: int) -> dt.datetime:
    """An instant of the instrument's clock, which has no zone."""
    return dt.datetime(*parts)  # noqa: DTZ001


BLU_HEADINGS = [
    "Sample ID", "Cell count", "Viable cells", "Total (x10^6) cells/mL", "Viable (x10^6) cells/mL", "Viability (%)",
    "Average diameter (μm)", "Average viable diameter (μm)", "Analysis date/time", "Reanalysis date/time", "Analysis by",
    "Dilution", "Tag",
]  # fmt: skip
BLU_ROWS = [
    ["A1", "2191", "2123", "0.78", "0.75", "96.9", "18.51", "18.72", "3/21/2022 16:56", "", "Ann", "1", "P3"],
    ["A2", "7670", "7425", "2.72", "2.63", "96.81", "19.24", "19.48", "3/4/2022 9:06", "", "Bea", "2", ""],
]  # fmt: skip
NUCLEO = (
    "Viability and Cell Count Assay - example; ;\r\nImage;20231120-0012-c-S1;\r\nOperator;Ann;\r\nViability (%);68.2;\r\n"
    "Live (cells/ml);2.45E6;\r\nDead (cells/ml);1.14E6;\r\nTotal (cells/ml);3.58E6;\r\n ; ;\r\n"
    "Estimated cell diameter (um);9.1;\r\nMultiplication factor;1.000;\r\n;\r\ncm filename;a.cm\r\n"
    "Date time;20231120 163016\r\nTime zone offset;2\r\n\r\n//[ECEC5A41]"
)  # fmt: skip
XR_TEXT = (
    "Vi-CELL XR 2.06.3\n\nSample ID : CLB001\nFile name : CLB001.txt\nTime :\nLogDate : 29 Sep 2023  5:21:06 AM\n"
    "RunDate : 29 Sep 2023  5:21:32 AM\nUser : cho\n\nResults:\nImages : 50\nTotal cells : 4263\nViable cells : 4133\n"
    "Nonviable cells : 130\nViability (%) : 97.0\nTotal cells / ml (x 10^6) : 90.2\n"
    "Total viable cells / ml (x 10^6) : 87.4\nAverage diameter (microns) : 17.3\nAverage cells / image : 85.3\n\n"
    "Settings:\nMinimum diameter (microns) : 10.0\nDilution : 20.00\nInternal Dilution : 2.400\nComment : day 3\n\n"
    "SizeData : 3,9,17,17\n"
)  # fmt: skip


def table(headings=BLU_HEADINGS, rows=BLU_ROWS, delimiter=",", decimal=".") -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([[cell.replace(".", decimal) for cell in row] for row in rows])
    return file.getvalue()


def found(text: str | bytes, name: str = "made.csv") -> CountFile:
    return read(text.encode() if isinstance(text, str) else text, name)


def rules(file: CountFile) -> set[str]:
    return {problem.rule for problem in file.problems}


def numbers(file: CountFile) -> list[tuple]:
    return [
        (s.name, s.total_cells_per_ml, s.viable_cells_per_ml, s.viability_percent, s.total_cells, s.viable_cells,
         s.diameter_um, s.dilution, s.counted_at)
        for s in file.samples
    ]  # fmt: skip


def refused(data: str | bytes) -> str:
    with pytest.raises(CounterError) as caught:
        found(data)
    assert caught.value.problems
    assert all(problem.place.sheet and problem.expected for problem in caught.value.problems)
    return str(caught.value)


EXPECTED = [
    ("A1", D("0.78e6"), D("0.75e6"), D("96.9"), D(2191), D(2123), D("18.51"), D(1), at(2022, 3, 21, 16, 56)),
    ("A2", D("2.72e6"), D("2.63e6"), D("96.81"), D(7670), D(7425), D("19.24"), D(2), at(2022, 3, 4, 9, 6)),
]


def test_a_list_of_the_vi_cell_blu() -> None:
    file = found(table())
    assert (file.format_key, numbers(file), file.problems) == ("vi_cell_blu", EXPECTED, ())
    first = file.samples[0]
    assert (first.operator, first.comment, first.place.row) == ("Ann", "P3", 2)
    assert str(first.total_cells_per_ml) == "780000"
    assert first.text_of("Total (x10^6) cells/mL") == "0.78"
    assert file.unread == ("Average viable diameter (μm)",)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)  # the last two without a mark
@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", ","), (",", ",")])
def test_encodings_delimiters_and_decimal_marks(encoding, delimiter, decimal) -> None:
    headings = [heading.replace("μ", "µ") for heading in BLU_HEADINGS]
    file = found(table(headings, BLU_ROWS, delimiter, decimal).encode(encoding))
    assert numbers(file) == EXPECTED
    assert rules(file) <= {"encoding"}


def test_shuffled_renamed_and_repeated_headings() -> None:
    rng = random.Random(4)
    for _ in range(20):
        order = rng.sample(range(len(BLU_HEADINGS)), len(BLU_HEADINGS))
        rows = [[row[i] for i in order] for row in BLU_ROWS]
        assert numbers(found(table([BLU_HEADINGS[i] for i in order], rows))) == EXPECTED
    renamed = [
        "Sample",
        "Total cell count",
        "Live cells",
        "Total cells/ml (× 10⁶)",
        "Viable cells / mL [10^6]",
        "Viability",
    ]
    renamed += ["Avg. diam. (microns)", "x", "Date/Time", "y", "Operator", "Dilution factor", "Comment"]
    assert numbers(found(table(renamed))) == EXPECTED
    again = table() + "\r\n" + table(rows=[["A3", *BLU_ROWS[1][1:]]])
    assert [s.name for s in found(again).samples] == ["A1", "A2", "A3"]
    assert found("Exported by Ann\r\n\r\n" + table()).samples[0].place.row == 4


@pytest.mark.parametrize("dropped", BLU_HEADINGS)
def test_a_dropped_column_takes_only_its_own_value(dropped) -> None:
    column = BLU_HEADINGS.index(dropped)
    data = table([h for h in BLU_HEADINGS if h != dropped], [row[:column] + row[column + 1 :] for row in BLU_ROWS])
    if dropped == "Sample ID":
        assert "headings that name a sample" in refused(data)
        return
    lost = sum(a != b for a, b in zip(numbers(found(data))[0], EXPECTED[0], strict=True))
    fields = {*BLU_HEADINGS[1:7], "Analysis date/time", "Dilution"}
    assert lost == (dropped in fields)


def test_units_of_the_heading_are_converted_exactly() -> None:
    for heading, text, expected in (
        ("Total (cells/mL)", "780000", "780000"), ("Total (x10^5) cells/mL", "7.8", "780000"),
        ("Total cells/µL", "780", "780000"), ("TOTAL (cells/ml)", "780 000", "780000"), ("TCD (10^6 cells/mL)", "0.78", "780000"),
        ("Total cells/ml (1e6)", "0.78", "780000"), ("Cells/mL", "7.8E+05", "780000"),
        ("Total million cells per mL", "0.78", "780000"),
        ("Total (cells/mL)", "7.8 x 10^5", "780000"),
    ):  # fmt: skip
        file = found(table(["Sample ID", heading, "Viability (%)"], [["S", text, "96.9"]]))
        assert file.samples[0].total_cells_per_ml == D(expected), heading
    nothing = found(table(["Sample ID", "Total concentration", "Viability (%)", "Dilution"], [["S", "3", "96.9", "1"]]))
    assert nothing.samples[0].total_cells_per_ml is None
    assert nothing.unread == ("Total concentration",)


def test_a_mark_that_nothing_settles_is_not_guessed() -> None:
    heads = ["Sample ID", "Total cells", "Viable cells", "Viability (%)", "Total (cells/mL)"]
    unsettled = found(table(heads, [["S", "1,234", "1,200", "97", "3000000"]], ";"))
    assert (unsettled.samples[0].total_cells, rules(unsettled)) == (None, {"no_number"})
    assert found(table(heads, [["S", "1,234", "1,200", "97.2", "3000000"]], ";")).samples[0].total_cells == 1234
    assert found(table(heads, [["S", "1.234", "1.200", "97,2", "3000000"]], ";")).samples[0].total_cells == 1234
    assert found(table(heads, [["S", "1,234", "1,200", "97,2", "3000000"]], ";")).samples[0].total_cells == D("1.234")


def test_days_and_months_are_not_guessed() -> None:
    def instants(*texts: str) -> list[dt.datetime | None]:
        rows = [[f"S{i}", "1.5", "97.0", text] for i, text in enumerate(texts)]
        return [
            s.counted_at
            for s in found(
                table(["Sample ID", "Total (x10^6) cells/mL", "Viability (%)", "Analysis date/time"], rows)
            ).samples
        ]

    march, noon = at(2022, 3, 4, 15, 5), at(2022, 3, 4, 12, 0, 7)
    assert instants("3/4/2022 15:05", "3/21/2022 15:05")[0] == march
    assert instants("4/3/2022 15:05", "21/3/2022 15:05")[0] == march
    assert instants("3/4/2022 15:05") == [None]
    assert instants("3/4/2022 15:05", "21/3/2022 1:00", "3/21/2022 1:00") == [None, None, None]
    for text in (
        "4.3.2022 15:05",
        "2022-03-04 15:05",
        "2022-03-04T15:05:00",
        "4 Mar 2022  3:05:00 PM",
        "4. März 2022 15:05",
    ):
        assert instants(text) == [march], text
    assert instants("20220304 120007", "4 Mar 2022  12:00:07 PM", "Mar 4, 2022 12:00:07") == [noon] * 3
    assert instants("4 Mar 2022  12:00:07 AM") == [noon.replace(hour=0)]
    assert instants("31.2.2022 10:00", "4 Mar 22", "13 Mar 2022 13:00 PM", "soon") == [None] * 4


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Viable cells": "2200"}, "viable_above_total"), ({"Viable (x10^6) cells/mL": "0.79"}, "viable_above_total"),
        ({"Viability (%)": "94"}, "viability_differs"), ({"Viability (%)": "101"}, "impossible_viability_percent"),
        ({"Cell count": "-5"}, "impossible_total_cells"), ({"Average diameter (μm)": "0"}, "impossible_diameter_um"),
        ({"Cell count": "ERROR"}, "no_number"), ({"Sample ID": ""}, "no_name"), ({"Analysis date/time": "?"}, "no_instant"),
        ({"Viability (%)": "96.9 (Out of optimal range)"}, "remark"), ({"Sample ID": "A2"}, "repeated_sample"),
        ({"Total (x10^6) cells/mL": "NaN"}, "no_number"), ({"Dilution": "1/2"}, "no_number"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_named_with_its_place_and_kept(changes, rule) -> None:
    row = dict(zip(BLU_HEADINGS, BLU_ROWS[0], strict=True)) | changes
    file = found(table(rows=[list(row.values()), BLU_ROWS[1]]))
    assert len(file.samples) == 2
    problems = [problem for problem in file.problems if problem.rule == rule]
    assert problems, file.problems
    assert problems[0].place.row in (2, 3)
    (heading, text), *_ = changes.items()
    assert file.samples[0].text_of(heading) == text
    assert rule in ("repeated_sample", "no_name") or text in str(problems[0])


def test_viability_of_few_printed_digits_is_not_blamed() -> None:
    """0.05 of 0.06 million may be anything from 69 to 100 %: the counts settle it, the rounding does not."""
    heads = ["Sample ID", "Total (x10^6) cells/mL", "Viable (x10^6) cells/mL", "Viability (%)"]
    assert not found(table(heads, [["S", "0.06", "0.05", "90.0"]])).problems
    assert rules(found(table(heads, [["S", "0.60", "0.50", "90.0"]]))) == {"viability_differs"}
    assert rules(found(table(heads, [["S", "6E5", "3.00E5", "90.0"]]))) == {"viability_differs"}


def test_a_row_of_another_width_is_named() -> None:
    broken = table().replace("2123,0.78", "2123,0,78")
    file = found(broken)
    assert [s.name for s in file.samples] == ["A2"]
    assert (file.problems[0].rule, file.problems[0].place.row) == ("row_too_wide", 2)
    assert "decimal comma" in str(file.problems[0])
    assert rules(found(table().rsplit(",Bea", 1)[0])) == {"row_too_short"}
    remark = found(table() + "printed by Ann\r\n")
    assert [(p.rule, p.place.row) for p in remark.problems] == [("no_count", 4)]


def test_two_columns_of_one_meaning_are_told() -> None:
    heads, rows = [*BLU_HEADINGS, "Viability"], [[*BLU_ROWS[0], "50"], [*BLU_ROWS[1], "96.81"]]
    file = found(table(heads, rows))
    assert [(p.rule, p.value) for p in file.problems] == [("said_twice", "50")] or rules(file) == set()
    assert file.samples[0].viability_percent == D("96.9")


def test_a_form_of_nucleoview() -> None:
    (sample,) = found(NUCLEO).samples
    assert (sample.name, sample.operator, sample.utc_offset_hours) == ("20231120-0012-c-S1", "Ann", 2)
    assert (sample.total_cells_per_ml, sample.viable_cells_per_ml) == (3_580_000, 2_450_000)
    assert (sample.viability_percent, sample.diameter_um, sample.dilution) == (D("68.2"), D("9.1"), 1)
    assert sample.counted_at == at(2023, 11, 20, 16, 30, 16)
    assert found(NUCLEO).problems == ()
    decimals = ("68.2", "2.45E6", "1.14E6", "3.58E6", "9.1", "1.000")
    text = NUCLEO
    for printed in decimals:
        text = text.replace(printed, printed.replace(".", ","))
    comma = found(text)
    assert (comma.samples[0].dilution, comma.problems) == (1, ())
    assert comma.samples[0].viable_cells_per_ml == 2_450_000
    assert rules(found(NUCLEO.removesuffix("//[ECEC5A41]"))) == {"no_end_mark"}
    noted = found(
        NUCLEO.replace("9.1;", "9.1 (Uncertain\ndetermination);").replace("3.58E6;", "3.58E6 (Out of optimal range);")
    )
    assert (noted.samples[0].diameter_um, rules(noted)) == (D("9.1"), {"remark"})
    lost = found(NUCLEO.replace("9.1;", "Not determined;"))
    assert (lost.samples[0].diameter_um, rules(lost)) == (None, {"no_number"})
    two = found(NUCLEO + "\r\n" + NUCLEO.replace("c-S1", "c-S2"))
    assert [s.name[-2:] for s in two.samples] == ["S1", "S2"]


def test_nc_view_prints_a_form_and_a_list() -> None:
    form = (
        "Source ID:\t9-00009\nTime (UTC):\t2023-09-09 09:49:29\nSample ID:\tS 7\nSample Media:\tVia2-Cassette\nOperator:\tgih\n"
        "Comments:\t\nTotal (cells/ml):\t1.12E+06\nLive (cells/ml):\t9.28E+05\nDead (cells/ml):\t1.90E+05\n"
        "Viability (%):\t83.0\nDiameter (um):\t9.7\nDilution Factor:\t10\nStatus:\tOK\n"
    )
    (sample,) = found(form).samples
    assert (sample.name, sample.total_cells_per_ml, sample.utc_offset_hours) == ("S 7", 1_120_000, 0)
    assert (sample.viability_percent, sample.diameter_um, sample.dilution) == (D("83.0"), D("9.7"), 10)
    rows = [["20240219-19", "1", "OK", "274 000", "124 000", "150 000", "45.1", "12.2", "1"],
            ["20240219-20", "2", "OK", "1.07E+06", "1.02E+06", "54 400", "94.9", "14.9", "1"]]  # fmt: skip
    heads = ["NAME", "SAMPLE ID", "STATUS", "TOTAL (cells/ml)", "LIVE (cells/ml)", "DEAD (cells/ml)", "VIABILITY (%)"]
    listed = found(table([*heads, "DIAMETER (µm)", "DILUTION FACTOR"], rows))
    assert [s.total_cells_per_ml for s in listed.samples] == [274_000, 1_070_000]
    assert (listed.format_key, listed.problems) == ("nucleoview", ())


def test_the_detail_of_one_sample_of_the_blu() -> None:
    detail = (
        '"Sample ID","Images for analysis","Cell type","Dilution","Analysis date/time"\n'
        '"20-7","100","CHO","1","9/29/2026 1:42:31 PM"\n"Part number","Lot number","Reagent"\n"C0","1","Trypan Blue"\n'
        '"Image#","Cell count","Viable cells","Total (x10^6) cells/mL","Viable (x10^6) cells/mL","Viability (%)"\n'
        '"1","104","103","3.8849","3.8476","99.0"\n"","","","","",""\n"Total","11528","11269","4.3063","4.2095","97.8"\n'
    )
    file = found(detail)
    (sample,) = file.samples
    assert (file.format_key, sample.name, sample.total_cells_per_ml) == ("vi_cell_blu", "20-7", 4_306_300)
    assert (sample.total_cells, sample.viability_percent, sample.dilution) == (11528, D("97.8"), 1)
    assert (sample.counted_at, sample.place.row) == (at(2026, 9, 29, 13, 42, 31), 8)
    assert rules(file) == {"images_left_out"}
    assert "cannot be read" in refused(detail.split('"Total"')[0])


OTHER_COUNTERS = {
    "date and time apart": (
        "Sample name,Total concentration (cells/mL),Live concentration (cells/mL),Viability (%),Average size (µm),Date,Time\n"
        "S1,1.20E+06,1.10E+06,91.7,14.2,2024-05-01,10:22:00\n"
    ),
    "powers in the cells": (
        "Sample ID,Total cell concentration (cells/mL),Live cell concentration (cells/mL),Viability (%),"
        "Average cell size (um),Date/Time\nS1,1.20x10^6,1.10x10^6,91.7,14.2,2024-05-01 10:22\n"
    ),
    "a European list": (
        "Sample Name;Date/Time;Viable Cell Concentration [10^5 cells/mL];Total Cell Concentration [10^5 cells/mL];"
        "Viability [%];Avg. Diameter [µm]\nS1;01.05.2024 10:22;11,0;12,0;91,7;14,2\n"
    ),
    "a form": (
        "Sample: S1\nTotal count (cells/ml): 1.2x10^6\nLive count (cells/ml): 1.1x10^6\nViability: 91.7%\n"
        "Mean diameter (micron): 14.2\nDate: 2024-05-01 10:22\n"
    ),
    "a row of units": (
        "Sample ID\tTotal cells/mL\tViable cells/mL\tViability\tAverage diameter\tDate\n"
        "\t(x10^6)\t(x10^6)\t(%)\t(µm)\t\nS1\t1.2\t1.1\t91.7\t14.2\t1 May 2024 10:22 AM\n"
    ),
}


@pytest.mark.parametrize("case", OTHER_COUNTERS)
def test_tables_and_forms_of_other_counters(case) -> None:
    file = found(OTHER_COUNTERS[case])
    (sample,) = file.samples
    assert (sample.name, sample.total_cells_per_ml, sample.viable_cells_per_ml) == ("S1", 1_200_000, 1_100_000)
    assert (sample.viability_percent, sample.diameter_um, sample.counted_at) == (
        D("91.7"),
        D("14.2"),
        at(2024, 5, 1, 10, 22),
    )
    assert file.problems == ()


def test_the_text_of_a_vi_cell_xr() -> None:
    file = found(XR_TEXT)
    (sample,) = file.samples
    assert (file.format_key, sample.name, sample.operator, sample.comment) == ("vi_cell_xr", "CLB001", "cho", "day 3")
    assert (sample.total_cells_per_ml, sample.viable_cells_per_ml) == (90_200_000, 87_400_000)
    assert (sample.total_cells, sample.viable_cells, sample.diameter_um) == (4263, 4133, D("17.3"))
    assert (sample.dilution, sample.counted_at) == (20, at(2023, 9, 29, 5, 21, 32))
    assert file.problems == ()


def workbook(*sheets: list[list[object]], hidden: tuple[int, ...] = ()) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for i, rows in enumerate(sheets):
        sheet = book.active if i == 0 else book.create_sheet(f"more {i}")
        [sheet.append(row) for row in rows]
        sheet.sheet_state = "hidden" if i in hidden else "visible"
    book.save(file)
    return file.getvalue()


XR_SHEET: list[list[object]] = [
    ["Vi-CELL XR 2.06.3"], ["C:\\Data"], [None],
    ["Sample ID", "Sample date/time", "Total", "Viable", "Viability", "Total cells", "Viable cells", "Avg. diam.", "Avg. cells"],
    [None, None, "cells", "cells", "(%)", "/ml (x10^6)", "/ml (x10^6)", "(microns)", "/ image"],
    ["S1", "7 Oct 2022  11:52:44 AM", 943, 925, "98.1", "3.20", 3.14, "13.9", "18.9"],
]  # fmt: skip


def test_workbooks_with_several_sheets_and_headings_of_several_rows() -> None:
    more = [*XR_SHEET[:5], ["S2", at(2022, 10, 7, 12, 1), 971, 965, 99.4, 3.3, 3.28, 13.9, 19.4]]
    file = found(workbook(XR_SHEET, more, [["notes"], ["of Ann"]]), "made.xlsx")
    assert [(s.place.sheet, s.place.row, s.name, s.total_cells_per_ml) for s in file.samples] == [
        ("Sheet", 6, "S1", 3_200_000), ("more 1", 6, "S2", 3_300_000),
    ]  # fmt: skip
    assert (file.samples[0].total_cells, file.samples[0].viable_cells_per_ml) == (943, 3_140_000)
    assert file.samples[1].counted_at == at(2022, 10, 7, 12, 1)
    assert rules(file) == {"no_heading"}
    hidden = found(workbook(XR_SHEET, more, hidden=(1,)), "made.xlsx")
    assert ([s.name for s in hidden.samples], rules(hidden)) == (["S1"], {"hidden_sheet"})


def test_a_report_of_one_sample_in_a_workbook() -> None:
    rows: list[list[object]] = [
        ["Vi-CELL XR 2.04"], [None], ["Sample ID", None, "S9"], ["Sample date/time", None, "7 Oct 2022  11:52:44 AM"],
        ["Results", None, None, None, None, "Settings"],
        ["Total cells", None, None, 943, None, "Cell type", None, None, "CHO"],
        ["Viability (%)", None, None, 98.1, None, "Dilution factor", None, None, 3],
        ["Total cells/ml (x10^6)", None, None, 3.2],
    ]  # fmt: skip
    (sample,) = found(workbook(rows), "report.xlsx").samples
    assert (sample.name, sample.total_cells, sample.dilution, sample.total_cells_per_ml) == ("S9", 943, 3, 3_200_000)


@pytest.mark.parametrize("data", [b"", b" \r\n", b"hello", b"a,b,c\n1,2,3\n", b"PK\x03\x04broken", b"%PDF-1.4", b"\x00" * 50,
                                  b"\xd0\xcf\x11\xe0old", table(rows=[]).encode(), b"\xff\xfea",
     b'"Sample ID,Viability (%)\n'])  # fmt: skip
def test_what_is_no_count_is_refused_by_name(data) -> None:
    told = refused(data)
    assert "made.csv cannot be read" in told


def test_an_unknown_format_lists_what_is_understood() -> None:
    told = refused(b"well,od\nA1,0.5\n")
    for counter in COUNTERS.values():
        assert counter.LABEL in told


def test_too_large_a_file_and_cell_are_refused() -> None:
    assert "characters in a cell" in refused(table(rows=[["x" * 9000, *BLU_ROWS[0][1:]]]))
    assert "rows" in refused(table(["Sample ID", "Viability (%)"], [["a", "1"]] * 20_001))
    bomb = io.BytesIO()
    import zipfile

    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (60 * 2**20))
    assert "unpacked" in refused(bomb.getvalue())


# --- any bytes --------------------------------------------------------------------------------------------------------
def attempt(data: bytes, name: str = "made.csv") -> CountFile | None:
    try:
        return read(data, name)
    except CounterError as error:
        assert error.problems
        return None


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="\t\n ,;:.0123456789xE()%/^+-\"'µSampleIDVbtyTocmLn", max_size=300),
    st.sampled_from(["", table(), NUCLEO, XR_TEXT]),
)
def test_any_text_is_read_or_refused(tail, head) -> None:
    attempt((head + tail).encode())


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xfe", b"PK\x03\x04", table().encode("utf-16-le")]))
def test_any_bytes_are_read_or_refused(tail, head) -> None:
    attempt(head + tail)


# --- the real files ---------------------------------------------------------------------------------------------------
def real(pattern: str) -> list[Path]:
    folder = os.environ.get("LABDB_REAL_DATA")
    return sorted((Path(folder) / "counters").glob(pattern)) if folder else []


@pytest.fixture(scope="module")
def real_files() -> list[Path]:
    files = [path for path in real("*") if path.suffix in (".csv", ".xlsx")]
    if not files:
        pytest.skip("LABDB_REAL_DATA is not set")
    assert len(files) == 6
    return files


def number(text: str, scale: int = 1) -> Decimal | None:
    try:
        return D(str(text)) * scale
    except ArithmeticError:
        return None


def test_the_real_lists_of_the_blu(real_files) -> None:
    names = [path for path in real_files if "BLU" in path.name]
    assert len(names) == 2
    for path in names:
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
        file = read(path.read_bytes(), path.name)
        assert file.format_key == "vi_cell_blu"
        assert len(file.samples) == len(rows)
        for row, sample in zip(rows, file.samples, strict=True):
            assert sample.name == row["Sample ID"]
            assert sample.total_cells_per_ml == number(row["Total (x10^6) cells/mL"], 10**6)
            assert sample.viable_cells_per_ml == number(row["Viable (x10^6) cells/mL"], 10**6)
            assert sample.viability_percent == number(row["Viability (%)"])
            assert (sample.total_cells, sample.viable_cells) == (number(row["Cell count"]), number(row["Viable cells"]))
            assert sample.diameter_um == number(row["Average diameter (μm)"])
            assert sample.dilution == number(row["Dilution"])
            assert sample.counted_at == dt.datetime.strptime(row["Analysis date/time"], "%m/%d/%Y %H:%M")  # noqa: DTZ007
            assert sample.operator == row["Analysis by"]
            assert dict(sample.printed) == {k: v for k, v in row.items() if k and v}
    errors = read(names[0].read_bytes(), names[0].name).problems
    assert [(p.place.row, p.place.header, p.value) for p in errors] == [
        (8, "Cell count", "ERROR"), (8, "Viable cells", "ERROR"),
    ]  # fmt: skip
    assert not read(names[1].read_bytes(), names[1].name).problems


def test_the_real_workbook_of_the_xr(real_files) -> None:
    (path,) = (path for path in real_files if path.suffix == ".xlsx")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    file = read(path.read_bytes(), path.name)
    assert (file.format_key, len(file.samples), file.problems) == ("vi_cell_xr", 16, ())
    for sample in file.samples:
        row = {c: sheet[f"{c}{sample.place.row}"].value for c in "AFKLMNOPQ"}
        assert (sample.name, sample.dilution) == (row["A"], number(row["F"]))
        assert sample.counted_at == dt.datetime.strptime(row["K"], "%d %b %Y  %I:%M:%S %p")  # noqa: DTZ007
        assert (sample.total_cells, sample.viable_cells) == (row["L"], row["M"])
        assert (sample.viability_percent, sample.diameter_um) == (number(row["N"]), number(row["Q"]))
        assert (sample.total_cells_per_ml, sample.viable_cells_per_ml) == (
            number(row["O"], 10**6),
            number(row["P"], 10**6),
        )


def test_the_real_forms_of_nucleoview(real_files) -> None:
    names = [path for path in real_files if "nucleoview" in path.name]
    assert len(names) == 3
    for path in names:
        printed = dict(line.split(";")[:2] for line in path.read_text().splitlines() if line.count(";"))
        file = read(path.read_bytes(), path.name)
        (sample,) = file.samples
        assert (file.format_key, file.problems) == ("nucleoview", ())
        assert (sample.name, sample.operator) == (printed["Image"], printed["Operator"])
        assert sample.total_cells_per_ml == number(printed["Total (cells/ml)"])
        assert sample.viable_cells_per_ml == number(printed["Live (cells/ml)"])
        assert sample.viability_percent == number(printed["Viability (%)"])
        diameter = printed.get("Estimated cell diameter (um)") or printed["Estimated cell diameter [um]"]
        assert (sample.diameter_um, sample.dilution) == (number(diameter), number(printed["Multiplication factor"]))
        stamp = printed.get("Date time")
        assert sample.counted_at == (dt.datetime.strptime(stamp, "%Y%m%d %H%M%S") if stamp else None)  # noqa: DTZ007
        assert sample.utc_offset_hours == (number(printed["Time zone offset"]) if stamp else None)


def test_cut_real_files_are_refused_or_said_to_be_cut(real_files) -> None:
    for path in real_files:
        data = path.read_bytes()
        whole = read(data, path.name)
        for twentieth in range(20):
            part = attempt(data[: len(data) * twentieth // 20], path.name)
            if part is not None:
                assert len(part.samples) < len(whole.samples) or part.problems, (path.name, twentieth)
                assert numbers(part)[:-1] == numbers(whole)[: len(part.samples) - 1]


def test_mutated_real_files_are_read_or_refused(real_files) -> None:
    rng = random.Random(7)
    for path in real_files:
        data = path.read_bytes()
        for _ in range(60):
            start, size = rng.randrange(len(data)), rng.randrange(1, 30)
            piece = rng.choice(
                [b"", rng.randbytes(size), data[start : start + size] * 2, b"\n", b";", b'"', b"\x00", b"9" * 80]
            )
            attempt(data[:start] + piece + data[start + size :], path.name)


def test_real_texts_in_other_encodings_and_orders_say_the_same(real_files) -> None:
    for path in (path for path in real_files if path.suffix == ".csv"):
        text, whole = path.read_bytes().decode("utf-8-sig"), numbers(read(path.read_bytes(), path.name))
        for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
            assert numbers(read(text.encode(encoding), path.name)) == whole, (path.name, encoding)
        if "\U0001f600" not in text and "😊" not in text:
            western = text.replace("μ", "µ").encode("cp1252", errors="ignore")
            assert numbers(read(western, path.name)) == whole
