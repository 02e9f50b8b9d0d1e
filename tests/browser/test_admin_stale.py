"""Two people edit one animal in two windows: the second sees both versions and saves hers with the keyboard alone."""

from datetime import date

import pytest
from django.urls import reverse

from experiments.models import Animal

pytestmark = pytest.mark.browser

PASSWORD = "a-good-passphrase-1"


def window(browser, site: str, name: str, width: int):
    """A window of its own, logged in."""
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.goto(f"{site}/admin/")
    page.fill("input[name=login]", name)
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#panel-experiments")
    return page


def test_two_windows(committed_db, experiment, animals, scientist, member, site, chromium_path):
    from playwright.sync_api import sync_playwright

    member("technician", experiment, "colleague")
    Animal.objects.filter(pk=animals[0].pk).update(sex="M")
    url = site + reverse("admin:experiments_animal_change", args=[animals[0].pk])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        first, second = window(browser, site, "colleague", 1440), window(browser, site, "scientist", 390)
        first.goto(url)
        second.goto(url)
        first.fill("#id_born_on", "2026-01-06")
        first.fill("#id_reason_for_change", "as the card says")
        first.click("[name=_save]")
        first.wait_for_selector("#panel-life")
        second.fill("#id_born_on", "2026-01-07")
        second.select_option("#id_sex", "F")
        second.click("[name=_save]")
        second.wait_for_selector(".lab-compare")
        assert "as the card says" in second.content()
        assert second.locator(".lab-clash").count() == 1
        overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert second.evaluate(overhang) == 0
        second.focus("#id_reason_for_change")
        second.keyboard.type("seen at the cage")
        second.keyboard.press("Tab")
        second.keyboard.press("Tab")
        assert second.evaluate("document.activeElement.textContent") == "Save mine over it"
        second.keyboard.press("Enter")
        second.wait_for_selector("#panel-life")
        browser.close()
    row = Animal.objects.get(pk=animals[0].pk)
    assert (row.born_on, row.sex) == (date(2026, 1, 7), "F")
