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
