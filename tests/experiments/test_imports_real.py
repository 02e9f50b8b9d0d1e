"""A laboratory's real spreadsheet through the command and REST, compared with its authors' own long table."""

import csv
import io
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

import experiments.sheets
from experiments import models
from experiments.actions import jobs
from experiments.sheets.workbook import column_letter
from tests.experiments.sheet_imports import ELSEWHERE

SHIPPED = Path(experiments.sheets.__file__).parent / "templates" / "animals_dates_in_one_cell.json"
TABLES = {
    "Experiment": 48, "Membership": 48, "Strain": 10, "Cage": 287, "Litter": 0, "Arm": 162, "Animal": 1161,
    "Enrolment": 1161, "Allocation": 1161, "Housing": 1161, "Timepoint": 456, "Disposition": 229, "Procedure": 1730,
    "Observation": 14264,
}  # fmt: skip
CPU_SECONDS = 10  # of this process: the wall clock of a shared machine says nothing

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(real_data):
    return real_data / "weights" / "weights_raw_odd_experiments.xlsx"


def command(*arguments: object, **options: object) -> str:
    out = io.StringIO()
    call_command("import", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def rows_in_tables() -> dict[str, int]:
    """Rows by table, but for the experiment in which the person who imports has a role before."""
    counted = {name: getattr(models, name).objects.count() for name in TABLES}
    return counted | {name: counted[name] - 1 for name in ("Experiment", "Membership")}


def weights() -> list[tuple[str, int, str, Decimal]]:
    """(animal, study day, cell, weight in g) of every body weight in the database."""
    day_0 = dict(models.Enrolment.objects.values_list("animal__lab_id", "day_0"))
    rows = models.Observation.objects.filter(endpoint__key="body_weight", is_current=True)
    told = rows.values_list("animal__lab_id", "observed_at", "source_place", "value")
    return [(animal, (at.date() - day_0[animal]).days, place, value) for animal, at, place, value in told]


def authors_percentages(folder: Path) -> dict[tuple[str, int], float]:
    """(animal, k-th weighing from day 0) → % of the weight on day 0, as the authors print it."""
    with (folder / "weights_long_odd_experiments.csv").open(newline="") as lines:
        filled = [row for row in csv.DictReader(lines) if row["weight"]]
    ordinals = (0 if row["Time"] == "Tinfection" else int(row["Time"].removeprefix("T")) for row in filled)
    return {(row["Mouse_ID"], k): float(row["weight"]) for row, k in zip(filled, ordinals, strict=True)}


def our_percentages(sheet: Path) -> dict[tuple[str, int], Decimal]:
    headers = [str(cell.value) for cell in openpyxl.load_workbook(sheet, read_only=True).active[1]]
    ordinal = {}
    for index, header in enumerate(headers):
        if header.startswith("weight_T"):
            name = header.removeprefix("weight_T")
            ordinal[column_letter(index)] = 0 if name == "_infection" else int(name)
    found: dict[str, dict[int, Decimal]] = defaultdict(dict)
    baseline: dict[str, int] = {}
    for animal, study_day, place, value in weights():
        k = ordinal[place.split("!")[1].rstrip("0123456789")]
        found[animal][k] = value
        if study_day == 0:
            baseline[animal] = k
    return {
        (animal, k - baseline[animal]): 100 * value / values[baseline[animal]]
        for animal, values in found.items()
        for k, value in values.items()
        if k >= baseline[animal]
    }


def check_the_record(sheet: Path) -> None:
    assert rows_in_tables() == TABLES
    observed = models.Observation.objects.values_list("endpoint__key", flat=True)
    assert Counter(observed) == {"body_weight": 8444, "welfare_score": 5820}
    kinds = Counter(models.Disposition.objects.values_list("kind", flat=True))
    assert kinds == {"died": 173, "euthanised": 47, "survived": 9}
    assert set(models.Experiment.objects.exclude(code=ELSEWHERE).values_list("masking", flat=True)) == {"open_label"}
    assert not models.Observation.objects.filter(is_time_known=True).exists()
    assert not models.Enrolment.objects.filter(allocation=None).exists()
    planned = models.Observation.objects.values_list("timepoint__study_day", "observed_at", "animal__lab_id")
    day_0 = dict(models.Enrolment.objects.values_list("animal__lab_id", "day_0"))
    assert all(day == (at.date() - day_0[animal]).days for day, at, animal in planned)
    names = Counter(models.Procedure.objects.values_list("name", flat=True))
    assert set(names) == {"infection", "pre-treatment"} and names["infection"] == 1161
    check_places(sheet)


def check_places(sheet: Path) -> None:
    """Every weight stands in the cell that it names, and every day 0 is the sheet's own."""
    cells = openpyxl.load_workbook(sheet, data_only=True).active
    assert all(float(value) == cells[place.split("!")[1]].value for _, _, place, value in weights())
    columns = {cell.value: cell.column - 1 for cell in cells[1]}
    told = {str(row[columns["Mouse_ID"]]): row[columns["Time_infection"]] for row in cells.values}
    for animal, day in models.Enrolment.objects.values_list("animal__lab_id", "day_0"):
        assert str(told[animal]).replace(".", "-")[:10] in (day.isoformat(), day.strftime("%d-%m-%Y")), animal


def test_the_whole_file_by_the_command_then_once_more_by_rest(sheet, scientist, capsys):
    start, cpu = time.perf_counter(), time.process_time()
    said = command(sheet, template=str(SHIPPED), user="scientist", masking="open_label")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert "1161 rows, 0 of them with errors" in said and "8444 new" in said
    assert said.count("\nwarning: ") + said.startswith("warning: ") == 581
    check_the_record(sheet)
    ours, authors = our_percentages(sheet), authors_percentages(sheet.parent)
    assert len(authors) == 6921 and authors.keys() <= ours.keys()
    assert {key: value for key, value in authors.items() if abs(float(ours[key]) - value) > 1e-12 * value} == {}
    again_by_rest(sheet, scientist)
    with capsys.disabled():
        print(f"\n  1,161 rows checked and taken by the command: {seconds:.1f} s, of them {cpu:.1f} s processor time")
    assert cpu < 2 * CPU_SECONDS


def again_by_rest(sheet: Path, scientist: object) -> None:
    client = APIClient()
    client.force_authenticate(scientist)
    template = models.ImportRun.objects.get().template
    with sheet.open("rb") as file:
        form = {"file": file, "template": str(template.pk), "masking": "open_label"}
        answer = client.post("/api/v1/import-runs", form, format="multipart")
    assert answer.status_code == 202, answer.content
    run = answer.json()
    jobs.run(run["job"])
    checked = client.get(f"/api/v1/import-runs/{run['id']}").json()
    assert checked["state"] == "checked" and set(checked["counts"]["new"].values()) == {0}
    expected = {"experiments": 48, "animals": 1161, "weighings": 8444, "scores": 5820, "dispositions": 229}
    expected |= {"procedures": 1730, "arms": 162, "cages": 287, "strains": 10}
    expected |= dict.fromkeys(("enrolments", "allocations", "housings"), 1161)
    assert checked["counts"]["already"] == expected
    taken = client.post(f"/api/v1/import-runs/{run['id']}/take", {"valid_rows_only": False}, format="json")
    assert taken.status_code == 202, taken.content
    jobs.run(taken.json()["job"])
    assert client.get(f"/api/v1/jobs/{taken.json()['job']}").json()["state"] == "done"
    assert rows_in_tables() == TABLES


def test_a_dry_run_writes_nothing_of_the_record(sheet, scientist, capsys):
    start, cpu = time.perf_counter(), time.process_time()
    said = command(sheet, template=str(SHIPPED), user="scientist", dry_run=True)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert said.endswith("Nothing was taken.\n")
    assert set(rows_in_tables().values()) == {0}
    assert models.ImportRow.objects.count() == 1161
    with capsys.disabled():
        print(f"\n  dry run of 1,161 rows: {seconds:.1f} s, of them {cpu:.1f} s processor time")
    assert cpu < CPU_SECONDS
