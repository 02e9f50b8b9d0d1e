"""Layouts typed as CSV."""

from decimal import Decimal

import pytest

from assays.readers import ReadError, read_layout_csv


def refused(text: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read_layout_csv(text.encode(), "layout.csv")
    return caught.value


def test_a_layout() -> None:
    text = "well,role,sample,concentration,unit,dilution\nA1,standard,,320,ng/mL,\na02,Sample,M7,,,2.5\nH12,blank,,,,\n"
    standard, sample, blank = read_layout_csv(text.encode(), "layout.csv")
    assert (standard.well, standard.concentration, standard.unit) == ("A1", Decimal(320), "ng/mL")
    assert (sample.well, sample.sample, sample.dilution_factor, sample.plate) == ("A2", "M7", Decimal("2.5"), None)
    assert (blank.role, blank.sample, blank.line) == ("blank", "blank", 4)


def test_every_problem_at_once_with_its_line() -> None:
    heading = "plate;well;role;sample;concentration;dilution"
    rows = ["P1;A1;standard;;1,5;", "P1;Z99;sample;;;0", "P1;A3;other;x;abc;", "P1;A4;sample;a;;", "P1;A4;sample;b;;"]
    text = "\n".join([heading, *rows, ""])
    error = refused(text)
    found = {(problem.line, problem.column) for problem in error.problems}
    assert found == {
        (2, "concentration"), (3, "well"), (3, "dilution"), (3, "sample"), (4, "role"), (4, "concentration"), (6, "well"),
    }  # fmt: skip
    assert "decimal comma" in str(error)
    repeated = refused("well,role,sample\nA4,sample,a\nA4,sample,b\n")
    assert "already stands on line 2" in str(repeated)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "empty"), ("well\nA1\n", "role is missing"), ("well,role,colour\nA1,blank,red\n", "unknown column"),
     ("well,role\n", "no well"), ('well,role\n"A1,blank\n', "not a CSV"), ("well,role,well\nA1,blank,A2\n", "twice")],
)  # fmt: skip
def test_unusable_layouts(text: str, told: str) -> None:
    assert told in str(refused(text))
