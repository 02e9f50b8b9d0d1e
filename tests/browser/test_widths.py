"""No page is wider than its screen, at a desk and on a phone, light and dark; figures appear when they are reached."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.summaries import request_summary
from experiments.models import Endpoint
from tests.assays.conftest import specimens, upload  # noqa: F401  (fixtures)
from tests.experiments.sheet_imports import check, kept_template, mouse, sheet

pytestmark = pytest.mark.browser

PASSWORD = "a-good-passphrase-1"  # of the fixture ``scientist``
WIDTHS = (1440, 390)


@pytest.fixture
def addresses(committed_db, experiment, animals, scientist, settings, tmp_path, request) -> dict[str, str]:
    """Every page worth looking at, with long numbers, a plate, and a sheet with a long problem."""
    settings.LABDB_FILES_DIR = tmp_path / "files"
    request.getfixturevalue("specimens")
    run = request.getfixturevalue("upload")()
    jobs.run(run.job_id)
    e2, day_7 = Endpoint.objects.get(key="e2"), experiment.timepoints.get(study_day=7)
    at = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    values = [Decimal(f"{20 + i}.78012373054847") for i in range(len(animals))]
    record_observations(
        experiment=experiment,
        observations=[
            NewObservation(endpoint=e2.pk, animal=animal.pk, timepoint=day_7.pk, observed_at=at, number=value)
            for animal, value in zip(animals, values, strict=True)
        ],
        by=scientist,
    )
    jobs.run(request_summary(experiment=experiment, by=scientist).pk)
    wrong = check(sheet(mouse(), mouse("m2", d7="no_blank_in_it" * 20)), kept_template(), scientist)
    return {
        "home": "/admin/",
        "experiment": reverse("admin:experiments_experiment_page", args=[experiment.pk]),
        "animal": reverse("admin:experiments_animal_page", args=[animals[0].pk]),
        "run": reverse("admin:assays_assayrun_page", args=[run.pk]),
        "import": reverse("admin:experiments_importrun_page", args=[wrong.pk]),
        "observations": reverse("admin:experiments_observation_changelist"),
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(width, theme, addresses, site, chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
        _log_in(page, site)
        too_wide = {name: _overhang(page, site + address, theme) for name, address in addresses.items()}
        _figures_appear(page, site + addresses["experiment"], theme)
        browser.close()
    assert too_wide == dict.fromkeys(addresses, 0)


def _log_in(page, site: str) -> None:
    page.goto(f"{site}/admin/")
    page.fill("#id_username", "scientist")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#panel-experiments")


def _overhang(page, url: str, theme: str) -> int:
    """By how many pixels the page, or a card's content that does not scroll, is too wide."""
    assert page.goto(url).status == 200
    page.wait_for_selector("html.dark" if theme == "dark" else "html:not(.dark)", state="attached")
    return page.evaluate(
        """() => {
            const root = document.documentElement;
            const cards = [...document.querySelectorAll('.lab-card')].map(c => c.scrollWidth - c.clientWidth);
            return Math.max(root.scrollWidth - root.clientWidth, ...cards, 0);
        }"""
    )


def _figures_appear(page, url: str, theme: str) -> None:
    page.goto(url)
    figure = page.locator(f".lab-{theme}-only img").first
    figure.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=figure.element_handle())
    assert figure.is_visible()
