"""A sheet through the admin: upload, every problem with its place, and the valid rows taken."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from experiments.actions import jobs
from experiments.models import Animal, ImportRun
from tests.experiments.sheet_imports import kept_template, mouse, sheet, works_elsewhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, scientist, settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path
    client.force_login(works_elsewhere(scientist))
    return client


def uploaded(asked, data: bytes) -> ImportRun:
    form = {"file": SimpleUploadedFile("mice.xlsx", data), "template": str(kept_template().pk), "masking": "open_label"}
    answer = asked.post(reverse("admin:experiments_importrun_add"), form)
    run = ImportRun.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:experiments_importrun_page", args=[run.pk])
    jobs.run(run.job_id)
    return ImportRun.objects.get()


def cells(page, label: str) -> list[str]:
    """The texts of the table's cells under ``label``."""
    parts = page.content.decode().split(f'<td data-label="{label}"')[1:]
    return [part.split(">", 1)[1].removeprefix("<span>").split("<", 1)[0].strip() for part in parts]


def test_a_problem_is_shown_with_sheet_row_column_and_value_and_the_valid_rows_are_taken(asked):
    run = uploaded(asked, sheet(mouse(), mouse("m2", d7=250)))
    url = reverse("admin:experiments_importrun_page", args=[run.pk])
    page = asked.get(url)
    found = [cells(page, label) for label in ("Sheet", "Row", "Column", "Value")]
    assert found == [["Mice"], ["3"], ["K"], ["250"]]
    assert b"Take the valid rows" in page.content
    assert b"Take all rows" not in page.content
    asked.post(reverse("admin:experiments_importrun_do", args=[run.pk, "take-valid"]))
    jobs.run(ImportRun.objects.get().job_id)
    assert list(Animal.objects.values_list("lab_id", flat=True)) == ["m1"]
    assert ImportRun.objects.get().state == "taken"
    assert b"Take the valid rows" not in asked.get(url).content


def test_a_faultless_sheet_is_offered_whole(asked):
    run = uploaded(asked, sheet(mouse(), mouse("m2")))
    page = asked.get(reverse("admin:experiments_importrun_page", args=[run.pk]))
    assert b"Take all rows" in page.content
    assert cells(page, "Row") == []


def test_lists_lead_to_the_page(asked):
    run = uploaded(asked, sheet(mouse()))
    page = reverse("admin:experiments_importrun_page", args=[run.pk])
    assert f'href="{page}' in asked.get(reverse("admin:experiments_importrun_changelist")).content.decode()


def sent_table(asked, data: bytes, **more: str) -> ImportRun:
    form = {
        "file": SimpleUploadedFile("cages.csv", data),
        "table": "cages",
        "decimal": ".",
        "dates": "%Y-%m-%d",
        **more,
    }
    answer = asked.post(reverse("admin:experiments_importrun_table_add"), form)
    assert answer.status_code == 302, answer.context["form"].errors
    run = ImportRun.objects.get()
    jobs.run(run.job_id)
    return ImportRun.objects.get()


def test_a_table_is_offered_with_its_templates_and_taken_and_undone(asked, experiment):
    page = asked.get(reverse("admin:experiments_importrun_table_add")).content.decode()
    assert all(f"/table/{name}" in page for name in ("observations.xlsx", "cages.csv", "arms.xlsx"))
    template = asked.get(reverse("admin:experiments_importrun_template", args=["cages", "xlsx"]))
    assert b"".join(template.streaming_content).startswith(b"PK")
    assert asked.get(reverse("admin:experiments_importrun_template", args=["nothing", "xlsx"])).status_code == 404
    run = sent_table(asked, b"experiment,label\nPOI-1,N1\n")
    url = reverse("admin:experiments_importrun_page", args=[run.pk])
    assert "Table of cages" in asked.get(url).content.decode()
    asked.post(reverse("admin:experiments_importrun_do", args=[run.pk, "take"]))
    jobs.run(ImportRun.objects.get().job_id)
    assert experiment.cages.count() == 1
    undo = reverse("admin:experiments_importrun_do", args=[run.pk, "undo"])
    assert "Undo the import" in asked.get(url).content.decode()
    assert asked.post(undo, {"reason": ""}).context["form"].errors.keys() == {"reason"}
    assert asked.post(undo, {"reason": "the wrong experiment"}).status_code == 302
    assert experiment.cages.count() == 0
    page = asked.get(url).content.decode()
    assert "Taken back by scientist on" in page and "the wrong experiment" in page
    assert "Undo the import" not in page


def test_what_stands_in_the_way_of_undoing_is_told_on_the_page(asked, experiment, animals):
    from datetime import date

    from experiments.models import Housing

    run = sent_table(asked, b"experiment,label\nPOI-1,N1\n")
    asked.post(reverse("admin:experiments_importrun_do", args=[run.pk, "take"]))
    jobs.run(ImportRun.objects.get().job_id)
    Housing(animal=animals[0], cage=experiment.cages.get(), started_on=date(2026, 3, 1)).save()
    answer = asked.post(reverse("admin:experiments_importrun_do", args=[run.pk, "undo"]), {"reason": "wrong"})
    told = " ".join(answer.context["form"].non_field_errors())
    assert "1 housing depends on what this import wrote: M001 in N1 from 2026-03-01." in told
    assert experiment.cages.count() == 1


def test_a_problem_of_a_table_is_shown_in_the_records_own_words(asked, experiment):
    run = sent_table(asked, b"experiment,label\nPOI-1,N1\nPOI-1,N1\nPOI-9,N2\n")
    page = asked.get(reverse("admin:experiments_importrun_page", args=[run.pk]))
    assert cells(page, "Row") == ["2", "3", "4"]
    assert "The same record stands in row 3; each is told once." in cells(page, "Expected")
    assert "There is no experiment “POI-9”." in cells(page, "Expected")


def test_a_list_leads_to_the_import_of_its_records(asked, experiment, client, member):
    link = f"{reverse('admin:experiments_importrun_table_add')}?table=cages"
    lists = reverse("admin:experiments_cage_changelist")
    assert f'href="{link}"' in asked.get(lists).content.decode()
    assert '<option value="cages" selected' in asked.get(link).content.decode()
    client.force_login(member("auditor", experiment))
    assert link not in client.get(lists).content.decode()
