"""Record tables from files: templates that come back equal, every problem at once, no row lost, no query a row."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from experiments.actions import imports
from experiments.actions.imports.tables import TABLES, table_file
from experiments.actions.imports.tables.templates import EXPLANATION
from experiments.models import Animal, Arm, Cage, Housing, ImportRow, Litter, Observation, Strain
from tests.conftest import set_masking
from tests.experiments.sheet_imports import done, take
from tests.experiments.table_imports import check, csv_of, sheet_of, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path


def filled(table: str, *rows: dict) -> bytes:
    """The template with ``rows`` typed under its headers."""
    book = openpyxl.load_workbook(io.BytesIO(table_file(TABLES[table], "xlsx")))
    headers = [cell.value for cell in book[table][1]]
    for row in rows:
        assert row.keys() <= set(headers)
        book[table].append([row.get(header) for header in headers])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_template_explains_every_column(table):
    book = openpyxl.load_workbook(io.BytesIO(table_file(table, "xlsx")))
    assert book.sheetnames == [table.name, "columns"]
    headers = [cell.value for cell in book[table.name][1]]
    assert headers == [column.header for column in table.columns]
    assert [cell.value for cell in book["columns"][1]] == list(EXPLANATION)
    explained = list(book["columns"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in explained] == headers
    assert all(row[1] in ("yes", "no") and row[7] for row in explained)
    lists = {str(rule.sqref).split("2:")[0]: rule.formula1 for rule in book[table.name].data_validations.dataValidation}
    for cell, column in zip(book[table.name][1], table.columns, strict=True):
        if column.choices:
            assert lists[cell.column_letter] == f'"{",".join(column.choices)}"'
        if column.is_text:
            assert book[table.name].column_dimensions[cell.column_letter].number_format == "@"
    assert table_file(table, "csv").decode("utf-8-sig").strip().split(",") == headers


def test_animals_with_litter_and_cage_come_back_equal(scientist, experiment):
    Strain(name="C57BL/6J").save()
    litters = [{"experiment": "POI-1", "code": "007", "dam": "D1", "born_on": date(2026, 1, 5)}, {"code": "free"}]
    animals = [
        {"lab_id": "007", "strain": "C57BL/6J", "sex": "F", "born_on": date(2026, 1, 5), "experiment": "POI-1", "litter": "007"},
        {"lab_id": "8", "strain": "C57BL/6J", "litter": "free"},
    ]  # fmt: skip
    stays = [
        {"animal": "007", "experiment": "POI-1", "cage": "A", "started_on": date(2026, 2, 1), "ended_on": date(2026, 2, 8)},
        {"animal": "007", "experiment": "POI-1", "cage": "B", "started_on": date(2026, 2, 8)},
    ]  # fmt: skip
    for table, rows in (
        ("litters", litters),
        ("cages", [{"experiment": "POI-1", "label": "A"}, {"experiment": "POI-1", "label": "B"}]),
        ("animals", animals),
        ("housings", stays),
        ("enrolments", [{"experiment": "POI-1", "animal": "007", "day_0": date(2026, 3, 2)}]),
    ):
        run = check(table, filled(table, *rows), scientist)
        assert told(run) == []
        assert take(run, scientist).counts["new"] == {table: len(rows)}
    animal = Animal.objects.get(lab_id="007")
    assert (animal.sex, animal.born_on, animal.litter.code, animal.litter.dam) == ("F", date(2026, 1, 5), "007", "D1")
    other = Animal.objects.get(lab_id="8")
    assert (other.sex, other.born_on, other.litter) == ("U", None, Litter.objects.get(code="free"))
    lived = Housing.objects.values_list("cage__label", "started_on", "ended_on")
    assert list(lived) == [("A", date(2026, 2, 1), date(2026, 2, 8)), ("B", date(2026, 2, 8), None)]
    assert animal.enrolments.get().day_0 == date(2026, 3, 2)


def test_an_arm_may_name_another_of_the_same_file(scientist, experiment):
    rows = [{"experiment": "POI-1", "label": "EV", "reference": "saline"}, {"experiment": "POI-1", "label": "saline"}]
    take(check("arms", filled("arms", *rows), scientist), scientist)
    assert Arm.objects.get(label="EV").reference == Arm.objects.get(label="saline")


def test_observations_keep_qualifier_unit_and_moment(scientist, experiment, animals):
    common = {"experiment": "POI-1", "animal": "M001"}
    rows = [
        common | {"endpoint": "body_weight", "timepoint": "day 7", "value": 21400, "unit": "mg"},
        common | {"endpoint": "e2", "observed_at": "2026-03-16 09:30", "value": "<0.5"},
        common | {"endpoint": "amh", "observed_at": "2026-03-20", "value": "> 12.5", "reader": "Ada"},
    ]
    run = check("observations", filled("observations", *rows), scientist)
    assert told(run) == []
    take(run, scientist)
    weight, e2, amh = (Observation.objects.get(endpoint__key=key) for key in ("body_weight", "e2", "amh"))
    assert (weight.value, weight.unit, weight.entered_value, weight.entered_unit) == (Decimal("21.4"), "g", 21400, "mg")
    assert (weight.timepoint.study_day, weight.observed_at.date(), weight.is_time_known) == (7, date(2026, 3, 9), False)
    assert (e2.qualifier, e2.value, e2.limit, e2.is_time_known) == ("<", None, Decimal("0.5"), True)
    assert e2.timepoint.study_day == 14  # its window holds the day
    assert (amh.qualifier, amh.limit, amh.timepoint, amh.reader) == (">", Decimal("12.5"), None, "Ada")
    assert (weight.source_file, weight.source_place) == (run.source_file, "observations!H2")


def test_every_problem_of_every_row_is_told_at_once(scientist, experiment, animals):
    rows = [
        {"experiment": "POI-1", "animal": "M001", "cage": "A", "started_on": "1.3.2026"},
        {"experiment": "nowhere", "animal": "M999", "cage": "A", "started_on": date(2026, 3, 1)},
        {"experiment": "POI-1", "animal": "M002", "cage": "Z", "started_on": date(2025, 3, 1)},
        {"experiment": "POI-1", "animal": "M003", "cage": None, "started_on": None},
    ]
    Cage(experiment=experiment, label="A").save()
    run = check("housings", sheet_of("housings", *rows), scientist)
    assert told(run) == [
        ("started_on", "a date as %Y-%m-%d"),
        ("experiment", "There is no experiment “nowhere”."),
        ("animal", "There is no animal “M999”."),
        ("cage", "There is no cage “Z” in POI-1."),
        ("cage", "This field cannot be empty."),
        ("started_on", "This field cannot be null."),
    ]
    places = [p["message"].split(" (")[0] for row in ImportRow.objects.filter(run=run) for p in row.problems]
    assert places[0] == "housings!D2"
    with pytest.raises(ValidationError, match="4 of 4 rows have errors"):
        imports.take_import(run=run, by=scientist, valid_rows_only=False)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"experiment": "POI-1", "lable": "A"}], ("lable", "a column of cages: label, perhaps")),
        ([{"experiment": "POI-1"}], ("", "a column with the header label; the sheet has experiment")),
    ],
)
def test_headers_that_do_not_fit_refuse_the_file(scientist, experiment, rows, problem):
    run = check("cages", sheet_of("cages", *rows), scientist)
    assert problem in told(run)
    with pytest.raises(ValidationError):
        imports.take_import(run=run, by=scientist, valid_rows_only=True)


def test_a_double_header_refuses_the_file(scientist, experiment):
    run = check("cages", b"label,label\nA,B\n", scientist, name="cages.csv")
    assert told(run) == [("label", "each header once")]


def test_rows_told_twice_and_rows_recorded_already_are_named(scientist, experiment):
    Cage(experiment=experiment, label="A").save()
    rows = [{"experiment": "POI-1", "label": label} for label in "ABBC"]
    run = check("cages", sheet_of("cages", *rows), scientist)
    twice = "The same record stands in row {}; each is told once."
    assert told(run) == [
        ("", "There is already a cage with this label."),
        ("label", twice.format(4)),
        ("label", twice.format(3)),
    ]
    take(run, scientist, valid_rows_only=True)
    assert set(Cage.objects.values_list("label", flat=True)) == {"A", "C"}


def test_two_stays_of_one_file_may_not_overlap(scientist, experiment, animals):
    Cage(experiment=experiment, label="A").save()
    common = {"experiment": "POI-1", "cage": "A"}
    rows = [
        common | {"animal": "M001", "started_on": date(2026, 3, 1), "ended_on": date(2026, 3, 9)},
        common | {"animal": "M001", "started_on": date(2026, 3, 8)},
        common | {"animal": "M002", "started_on": date(2026, 3, 8)},
    ]
    run = check("housings", sheet_of("housings", *rows), scientist)
    assert told(run) == [("", "The animal is already housed in a cage on these days.")] * 2


def test_a_decimal_comma_and_other_dates_are_named_not_guessed(scientist, experiment, animals):
    row = {
        "experiment": "POI-1",
        "animal": "M001",
        "endpoint": "body_weight",
        "observed_at": "09.03.2026",
        "value": "21,4",
    }
    data = csv_of(row, delimiter=";")
    wrong = check("observations", data, scientist, name="a.csv")
    assert {header for header, _ in told(wrong)} == {"observed_at", "value"}
    right = check("observations", data, scientist, name="a.csv", decimal=",", dates="%d.%m.%Y")
    assert told(right) == []
    with pytest.raises(ValidationError, match="is not known"):
        check("observations", data, scientist, decimal="·")


def test_what_one_may_not_see_is_answered_like_what_does_not_exist(scientist, experiment, animals, django_user_model):
    from tests.experiments.sheet_imports import works_elsewhere

    stranger = works_elsewhere(django_user_model.objects.create_user("stranger"))
    rows = [{"experiment": code, "animal": animal} for code, animal in (("POI-1", "M001"), ("POI-X", "M00X"))]
    run = check("enrolments", sheet_of("enrolments", *rows), stranger)
    found = told(run)
    assert [text.replace("POI-1", "?").replace("M001", "?") for _, text in found[:2]] == [
        text.replace("POI-X", "?").replace("M00X", "?") for _, text in found[2:]
    ]


def test_observations_are_imported_by_the_assessor_and_nothing_else(member, experiment, animals):
    set_masking(experiment, "blinded")
    assessor, analyst = member("assessor", experiment), member("analyst", experiment)
    row = {"experiment": "POI-1", "animal": "M001", "endpoint": "e2", "observed_at": date(2026, 3, 9), "value": 12}
    data = sheet_of("observations", row)
    run = check("observations", data, assessor, experiment=experiment)
    assert take(run, assessor).state == "taken"
    imports.undo_import(run=run, by=assessor, reason="the wrong mouse")
    assert not Observation.objects.exists()
    for person, table in ((analyst, "observations"), (assessor, "cages"), (assessor, "allocations")):
        with pytest.raises(PermissionDenied):
            check(table, data, person, experiment=experiment)


def test_with_an_experiment_every_row_is_of_it(scientist, experiment, member):
    assert told(check("cages", sheet_of("cages", {"label": "A"}), scientist, experiment=experiment)) == []
    other = type(experiment)(code="POI-2", title="another", masking="open_label")
    other.save()
    from experiments.models import Membership

    Membership(experiment=other, user=scientist, role="scientist").save()
    run = check("cages", sheet_of("cages", {"experiment": "POI-2", "label": "A"}), scientist, experiment=experiment)
    assert told(run) == [("experiment", "This file was sent to POI-1; every row must be of it.")]


def test_a_row_that_became_invalid_after_the_check_is_not_left_out_in_silence(scientist, experiment):
    run = check("cages", sheet_of("cages", *({"experiment": "POI-1", "label": n} for n in "AB")), scientist)
    Cage(experiment=experiment, label="B").save()
    assert take(run, scientist).state == "taking"
    run.job.refresh_from_db()
    assert "There is already a cage with this label" in run.job.error
    assert "B3" in run.job.error or "row 3" in run.job.error or "A3" in run.job.error
    assert Cage.objects.count() == 1


def observed(animals, days: int) -> list[dict]:
    return [
        {"experiment": "POI-1", "animal": a.lab_id, "endpoint": "body_weight", "observed_at": date(2026, 4, 1 + day), "value": 20}
        for a in animals
        for day in range(days)
    ]  # fmt: skip


@pytest.mark.parametrize("table", ["observations", "housings"])
def test_no_query_is_asked_for_a_row(scientist, experiment, animals, table):
    Cage(experiment=experiment, label="A").save()
    counted = []
    for days in (2, 25):
        rows = observed(animals, days)
        if table == "housings":
            stays = (
                {"animal": r["animal"], "experiment": "POI-1", "cage": "A"} | _stay(r["observed_at"]) for r in rows
            )
            rows = list(stays)
        run = imports.check_table(data=sheet_of(table, *rows), name=f"{days}.xlsx", table=table, by=scientist)
        with CaptureQueriesContext(connection) as queries:
            done(run)
        assert told(run) == []
        counted.append(len(queries))
    assert counted[0] == counted[1]


def _stay(day: date) -> dict:
    return {"started_on": day, "ended_on": date.fromordinal(day.toordinal() + 1)}


ODD = ["", "M999", "21,4", "mL", "x" * 70, "=1", "∞", "-1"]
CELLS = st.sampled_from([*ODD, "M001", "POI-1", "e2", "body_weight", "21.4", "<0.5", "2026-03-09", "day 7", "L"])


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_row_of_a_mutated_file_is_lost(data, scientist, experiment, animals):
    headers = ["experiment", "animal", "endpoint", "timepoint", "observed_at", "value", "unit", "side"]
    good = ["POI-1", "M001", "body_weight", "day 7", "", "21.4", "g", ""]
    rows = [list(good) for _ in range(data.draw(st.integers(1, 6)))]
    for _ in range(data.draw(st.integers(0, 6))):
        row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(headers) - 1))
        rows[row][column] = data.draw(CELLS)
    file = csv_of(*(dict(zip(headers, row, strict=True)) for row in rows))
    run = check("observations", file, scientist, name="rows.csv")
    filled_rows = sum(any(cell for cell in row) for row in rows)
    stored = ImportRow.objects.filter(run=run)
    assert stored.count() == filled_rows
    for row in stored:
        assert row.is_valid != any(problem["severity"] == "error" for problem in row.problems)
    before, valid = Observation.objects.count(), stored.filter(is_valid=True).count()
    if valid:
        assert take(run, scientist, valid_rows_only=True).state == "taken"
        assert Observation.objects.count() == before + valid
        imports.undo_import(run=run, by=scientist, reason="next example")
    assert Observation.objects.count() == before
