"""The table of invalid rows through files: refused with the record's own message at the same column, nothing written."""

import pytest

from experiments.actions.imports.tables import TABLES
from tests.doors.invalid_cases import CASES, VALID, WITHOUT_FIELD
from tests.experiments.sheet_imports import take
from tests.experiments.table_imports import TABLE_OF, check, csv_of, row_of, sheet_of, told

pytestmark = pytest.mark.django_db

FILE_CASES = [case for case in CASES if case.model in TABLE_OF]


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path


def sent(model, payload, by):
    table = TABLE_OF[model].name
    return check(table, sheet_of(table, row_of(payload, model)), by)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_valid_row_is_taken(table, world):
    model = table.model
    before = model.objects.count()
    run = sent(model, VALID[model](world), world.person)
    assert told(run) == []
    assert take(run, world.person).state == "taken", run.job.error
    assert model.objects.count() == before + 1


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda case: case.name)
def test_the_invalid_row_is_refused_at_its_column(case, world):
    before = case.model.objects.count()
    payload = case.payload(world)
    field, message = case.in_a_file or (case.field, case.message)
    column = TABLE_OF[case.model].by_field.get(field)
    is_text = any(isinstance(value, str) and "\0" in value for value in payload.values())
    run = check_text(case, payload, world) if is_text else sent(case.model, payload, world.person)
    header = "" if field == WITHOUT_FIELD else column.header if column else field
    assert [(h, message in text) for h, text in told(run)] == [(header, True)], told(run)
    assert case.model.objects.count() == before


def check_text(case, payload, world):
    """XML cannot hold a NUL, so a workbook cannot either; a text file can."""
    return check(TABLE_OF[case.model].name, csv_of(row_of(payload, case.model)), world.person, name="rows.csv")
