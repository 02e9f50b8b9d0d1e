"""Cells as text, number, day and list."""

# ruff: noqa: DTZ001 - the dates of a spreadsheet have no zone

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from experiments.sheets.values import Unreadable, as_day, as_number, as_text, clean_text, split_list

ZONE = dt.timezone(dt.timedelta(hours=-9))


@pytest.mark.parametrize(
    ("value", "decimal", "number"),
    [
        ("20.5", ".", "20.5"), ("20,5", ",", "20.5"), (" 007 ", ".", "7"), ("-0.5", ".", "-0.5"), (".5", ".", "0.5"),
        (20, ",", "20"), (20.5, ",", "20.5"), (0.1 + 0.2, ".", "0.3"), (21.700000000000003, ".", "21.7"),
        ("20.50", ".", "20.50"),
    ],
)  # fmt: skip
def test_numbers(value: object, decimal: str, number: str) -> None:
    assert as_number(value, decimal) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    ["20,5", "1,234.5", "20.5 g", ">95", "<LLOQ", "1e3", "nan", "inf", "٣", "", "OVRFLW", "2O.5", "1 000", True, None,
     float("nan"), float("inf"), dt.datetime(2024, 1, 1), "9" * 40],
)  # fmt: skip
def test_what_is_not_a_number_is_refused(value: object) -> None:
    with pytest.raises(Unreadable, match="number"):
        as_number(value, ".")


def test_a_decimal_point_is_refused_where_commas_are_named() -> None:
    with pytest.raises(Unreadable, match="decimal comma"):
        as_number("20.5", ",")


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("31-12-2023", dt.date(2023, 12, 31)),
        (" 01.02.2024 ", dt.date(2024, 2, 1)),
        (dt.datetime(2024, 2, 29, 23, 59), dt.date(2024, 2, 29)),
        (dt.datetime(2024, 2, 29, 23, 59, tzinfo=ZONE), dt.date(2024, 2, 29)),
        ("2024-02-29T23:59:00-09:00", dt.date(2024, 2, 29)),
        (dt.date(2024, 2, 29), dt.date(2024, 2, 29)),
        (45351, dt.date(2024, 2, 29)),
        (45351.99, dt.date(2024, 2, 29)),
    ],
)
def test_days(value: object, day: dt.date) -> None:
    assert as_day(value, ("%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S%z"), "1900") == day


def test_the_other_epoch_of_excel() -> None:
    assert as_day(45351 - 1462, ("%Y-%m-%d",), "1904") == dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (60, "29 February 1900"), (59, "1900-02-28"), (61, "1900-03-01"), (-1, "serial"), (10**9, "serial"),
        (float("inf"), "serial"),
        (float("nan"), "serial"),
        ("30-02-2024", "%d-%m-%Y"), ("2024-02-28", "%d-%m-%Y"), ("07-07-0014", "between"), ("", "date"),
        (True, "date"), (dt.time(12), "date"), (dt.timedelta(days=1), "date"), (None, "date"),
    ],
)  # fmt: skip
def test_what_is_not_a_day_is_refused(value: object, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        as_day(value, ("%d-%m-%Y",), "1900")


def test_a_serial_number_in_text_files_is_no_date() -> None:
    with pytest.raises(Unreadable):
        as_day("45351", ("%Y-%m-%d",), "")
    with pytest.raises(Unreadable):
        as_day(45351, ("%Y-%m-%d",), "")


def test_a_date_that_reads_two_ways_is_refused() -> None:
    formats = ("%d/%m/%Y", "%m/%d/%Y")
    with pytest.raises(Unreadable, match="2024-01-02 or 2024-02-01"):
        as_day("01/02/2024", formats)
    assert as_day("13/02/2024", formats) == dt.date(2024, 2, 13)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.0, "7"), (7.5, "7.5"), ("007", "007"), (" a ", "a"), (None, ""), (True, "TRUE"),
        (dt.datetime(2024, 3, 1), "2024-03-01"), ("e\u0301", "é"), (1e300, "1e+300"),
    ],
)  # fmt: skip
def test_texts(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize("value", ["#REF!", "#N/A", "a\x07b", "a\ud800", "x" * 11])
def test_what_is_no_text_for_the_record_is_refused(value: str) -> None:
    with pytest.raises(Unreadable):
        clean_text(value, 10)


@pytest.mark.parametrize(
    ("value", "items"),
    [("[0, 1.0, 2]", ["0", "1.0", "2"]), ("[]", []), ("", []), (None, []), ("a,b", ["a", "b"]), ("['x']", ["x"]),
    ("1,,2", ["1", "", "2"])],
)  # fmt: skip
def test_lists(value: object, items: list[str]) -> None:
    assert split_list(value, ",") == items
