"""The admin's pages of assays, as a person uses them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assays.actions import mask_well
from assays.models import AssayRun
from experiments.actions import jobs
from experiments.models import Endpoint, Observation
from tests.assays.conftest import layout_text, made_plate, plate_text

pytestmark = pytest.mark.django_db


def page(run):
    return reverse("admin:assays_assayrun_page", args=[run.pk])


def do(run, verb):
    return reverse("admin:assays_assayrun_do", args=[run.pk, verb])


@pytest.fixture
def browser(client, scientist):
    client.force_login(scientist)
    return client


def test_the_page_shows_plate_curve_and_results(browser, quantified):
    html = browser.get(page(quantified)).content.decode()
    assert html.count('style="--heat: ') == quantified.well_rows.count() == 26
    assert '<path class="lab-path" d="M' in html and html.count("<circle") == 16
    assert "&gt;640 pg/mL" in html and "&lt;10 pg/mL" in html
    assert "re-dilute" in html and "no specimen" in html
    assert do(quantified, "accept") in html and do(quantified, "publish") not in html


def test_the_number_of_queries_does_not_grow_with_the_plate(browser, quantified, upload, scientist):
    full = {f"{row}{column}": 0.4 for row in "ABCDEFGH" for column in range(5, 13)}
    layout = layout_text() + "".join(f"{well},sample,X{well},,,1\n" for well in full).encode()
    larger = upload(data=plate_text(made_plate() | full), layout_csv=layout)
    for name in ("A5", "B5", "C5"):
        larger.refresh_from_db()
        if not larger.well_rows.exists():
            jobs.run(larger.job_id)
        mask_well(well=larger.well_rows.get(name=name), reason="bubble", by=scientist)
    larger.refresh_from_db()
    jobs.run(larger.job_id)
    browser.get(page(quantified))  # fills the caches of the session and of content types
    counts = []
    for run in (quantified, larger):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page(run)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_accepting_and_publishing_by_the_buttons(browser, quantified):
    assert browser.get(do(quantified, "publish")).status_code == 404
    browser.post(do(quantified, "accept"))
    answer = browser.post(do(quantified, "publish"), follow=True)
    assert "4 observations are recorded" in answer.content.decode()
    quantified.refresh_from_db()
    assert quantified.state == "published" and Observation.objects.count() == 4


def test_rejecting_asks_for_a_reason(browser, quantified):
    assert "This field is required" in browser.post(do(quantified, "reject"), {"reason": ""}).content.decode()
    browser.post(do(quantified, "reject"), {"reason": "hook effect"})
    quantified.refresh_from_db()
    assert (quantified.state, quantified.decision_reason) == ("rejected", "hook effect")


def test_masking_a_well_by_its_page(browser, quantified):
    well = quantified.well_rows.get(name="A4")
    assert browser.get(reverse("admin:assays_well_change", args=[well.pk])).status_code == 200
    answer = browser.post(reverse("admin:assays_well_do", args=[well.pk, "mask"]), {"reason": "bubble"}, follow=True)
    assert answer.redirect_chain[-1][0] == page(quantified)
    jobs.run(AssayRun.objects.get().job_id)
    assert "masked by scientist: bubble" in browser.get(page(quantified)).content.decode()


def test_uploading_a_file_by_the_form(browser, experiment, specimens):
    form = {
        "experiment": str(experiment.pk), "endpoint": str(Endpoint.objects.get(key="e2").pk), "kind": "elisa",
        "parameters": "curve_model = four_pl\nweighting = 1/y2\n",
        "file": SimpleUploadedFile("plate.txt", plate_text(made_plate())),
        "layout": SimpleUploadedFile("layout.csv", layout_text()),
    }  # fmt: skip
    address = reverse("admin:assays_assayrun_add")
    assert browser.get(address).status_code == 200
    assert "unknown weighting" in browser.post(address, form | {"parameters": "weighting = 7"}).content.decode()
    form["file"].seek(0), form["layout"].seek(0)
    answer = browser.post(address, form, follow=True)
    run = AssayRun.objects.get()
    assert answer.redirect_chain[-1][0] == page(run)
    assert run.parameters["weighting"] == "1/y2"


def test_what_waits_stands_on_the_home_page_and_on_the_experiments_page(browser, quantified, experiment):
    for address in (reverse("admin:index"), reverse("admin:experiments_experiment_page", args=[experiment.pk])):
        assert page(quantified) in browser.get(address).content.decode()


def test_strangers_see_no_run(client, quantified, django_user_model):
    client.force_login(django_user_model.objects.create_user("stranger", is_staff=True))
    assert client.get(page(quantified)).status_code == 404
    assert client.post(do(quantified, "accept")).status_code == 404
    assert "plate.txt" not in client.get(reverse("admin:assays_assayrun_changelist")).content.decode()
    assert "plate.txt" not in client.get(reverse("admin:index")).content.decode()
