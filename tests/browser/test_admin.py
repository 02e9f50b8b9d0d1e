"""The admin as a person meets it: log in, today, an experiment, a weight corrected; at a desk and on a phone."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.summaries import request_summary
from experiments.models import Endpoint, Observation

pytestmark = pytest.mark.browser

PASSWORD = "a-good-passphrase-1"  # of the fixture ``scientist``
WIDTHS = (1440, 390)


@pytest.fixture
def study(committed_db, experiment, animals, scientist):
    """A summarised experiment."""
    weight, day_7 = Endpoint.objects.get(key="body_weight"), experiment.timepoints.get(study_day=7)
    at = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    new = [
        NewObservation(endpoint=weight.pk, animal=a.pk, timepoint=day_7.pk, observed_at=at, number=Decimal(20 + i))
        for i, a in enumerate(animals)
    ]
    record_observations(experiment=experiment, observations=new, by=scientist)
    jobs.run(request_summary(experiment=experiment, by=scientist).pk)
    return experiment


class Watched:
    """A page whose console errors, failed answers and requests to elsewhere are kept."""

    def __init__(self, page, site: str) -> None:
        self.page, self.site = page, site
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda m: self.errors.append(f"{page.url}: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        page.on("request", self._request)

    def _request(self, request) -> None:
        if not request.url.startswith((self.site, "data:")):
            self.outside.append(request.url)

    def is_wider_than_the_screen(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_day_at_the_admin(width, study, site, chromium_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        watched = Watched(page, site)
        _a_day(watched, page, site)
        browser.close()
    assert watched.errors == []
    assert watched.outside == []
    assert Observation.objects.get(supersedes__isnull=False).value == Decimal("20.7")


def _a_day(watched: Watched, page, site: str) -> None:
    page.goto(f"{site}/admin/")
    page.fill("#id_username", "scientist")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#panel-experiments")
    assert not watched.is_wider_than_the_screen()
    page.click("#panel-experiments a:has-text('POI-1')")
    page.wait_for_selector("#panel-outcomes")
    figure = page.locator(".lab-light-only img").first
    figure.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=figure.element_handle())
    assert page.locator("#panel-outcomes tbody tr").count() == 2
    assert not watched.is_wider_than_the_screen()
    page.click("a:has-text('Animals') >> visible=true")
    page.click("#result_list a:has-text('M001') >> visible=true")
    page.wait_for_selector("svg.lab-curve")
    assert not watched.is_wider_than_the_screen()
    page.goto(f"{site}/admin/experiments/observation/?q=M001")
    page.goto(site + page.locator("#result_list tbody a").first.get_attribute("href"))
    page.click("a:has-text('Correct')")
    page.fill("#id_number", "20.7")
    page.fill("#id_reason", "balance not tared")
    page.click("button:has-text('Correct')")
    page.wait_for_selector("text=stays in the record")
