"""Log-in in a real Chromium, and every kind of page under its content policy: nothing refused, nothing from outside."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from labdb.base.login import invitations
from tests.browser.test_admin import Watched

pytestmark = pytest.mark.browser

PASSWORD = "a-good-passphrase-1"  # of the fixture ``scientist``
SCREENS = (("light", 390), ("dark", 1440))
STEP_SECONDS = 30  # for which an authenticator app shows a code


@pytest.fixture
def open_page(chromium_path, site):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield lambda **options: browser.new_page(**options)
        browser.close()


class Visit(Watched):
    """A page looked at light and dark, on a phone and at a desk."""

    def __init__(self, page, site: str) -> None:
        super().__init__(page, site)
        self.too_wide: list[str] = []

    def look(self, address: str = "") -> None:
        if address:
            self.page.goto(self.site + address)
        for scheme, width in SCREENS:
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size({"width": width, "height": 844})
            self.page.wait_for_timeout(30)
            if self.is_wider_than_the_screen():
                self.too_wide.append(f"{self.page.url} ({scheme}, {width} px)")

    def send(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"#id_{name}", value)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()
        self.look()

    def found(self) -> list[str]:
        return self.errors + self.outside + self.too_wide


@pytest.fixture
def invitation(committed_db, scientist) -> str:
    """The address of an open invitation."""
    scientist.is_manager = True
    scientist.save()
    wanted = {"email": "ada@example.org", "name": "Ada Lovelace", "membership": None, "site": ""}
    return invitations.invite(by=scientist, **wanted).link


def test_the_pages_of_log_in(invitation, site, open_page):
    visit = Visit(open_page(), site)
    visit.look("/admin/")
    visit.send(username="scientist", password="wrong")
    visit.page.wait_for_selector("text=do not belong together")
    visit.send(username="scientist", password=PASSWORD)
    visit.page.wait_for_url(f"{site}/admin/")
    visit.look("/accounts/")
    visit.look("/accounts/password/change/")
    visit.send(oldpassword=PASSWORD, password1="short", password2="short")
    visit.page.wait_for_selector("text=at least 12 characters")
    visit.look("/accounts/2fa/")
    key = _set_up_second_factor(visit)
    visit.look("/accounts/2fa/")
    visit.look("/accounts/2fa/recovery-codes/")
    visit.look("/accounts/2fa/recovery-codes/generate/")
    visit.look("/accounts/2fa/totp/deactivate/")
    visit.look("/accounts/logout/")
    visit.send()
    visit.page.wait_for_selector("#id_username")
    visit.send(username="scientist", password=PASSWORD)
    visit.page.wait_for_selector("text=authenticator app shows now")
    visit.send(code=_code(key))
    visit.page.wait_for_url(f"{site}/admin/")
    visit.look("/accounts/logout/")
    visit.send()
    visit.look("/accounts/password/reset/")
    visit.send(email="scientist@example.org")
    visit.look("/accounts/password/reset/key/abc-def/")
    visit.look(invitation)
    visit.send(username="ada", password1="short", password2="short")
    visit.send(username="ada", password1=PASSWORD, password2=PASSWORD)
    visit.page.wait_for_url(f"{site}/admin/")
    assert visit.found() == []


def _set_up_second_factor(visit: Visit) -> str:
    visit.look("/accounts/2fa/totp/activate/")
    if "reauthenticate" in visit.page.url:
        visit.send(password=PASSWORD)
    visit.page.wait_for_selector(".qr svg")
    key = re.search(r"<code>(\w+)</code>", visit.page.content())[1]
    if time.time() % STEP_SECONDS > STEP_SECONDS / 2:  # the code of the step before is refused as soon as this one ends
        time.sleep(STEP_SECONDS - time.time() % STEP_SECONDS)
    visit.send(code=_code(key, -1))
    visit.page.wait_for_selector(".codes")
    return key


def _code(key: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(key, int(time.time()) // STEP_SECONDS + steps))


@pytest.fixture
def addresses(committed_db, experiment, animals, scientist) -> list[str]:
    """Lists, forms to add, forms to change, pages and histories of every registered model that has a row."""
    scientist.is_superuser = True
    scientist.save()
    found = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        row = model._default_manager.first()
        if row is None:
            continue
        for page in ("change", "page", "history", "delete"):
            try:
                found.append(reverse(f"{name}_{page}", args=[row.pk]))
            except NoReverseMatch:
                continue
    return found


@pytest.mark.parametrize("share", ["a few", pytest.param("all", marks=pytest.mark.stress)])
def test_nothing_breaks_the_content_policy(share, addresses, site, open_page):
    """The pages that the admin's addresses have, and the page of the REST interface."""
    visit = Visit(open_page(), site)
    visit.page.goto(f"{site}/accounts/login/")
    visit.send(username="scientist", password=PASSWORD)
    visit.page.wait_for_url(f"{site}/admin/")
    visit.look("/admin/?s=POI")
    assert len(addresses) > 40
    for address in addresses:
        if share == "all" or "/experiment/" in address or "/invitation/" in address:
            visit.look(address)
    visit.look("/api/v1/docs")
    visit.page.wait_for_selector(".opblock", timeout=60_000)
    visit.page.click(".opblock-summary-get >> nth=0")
    visit.page.wait_for_selector(".opblock-body")
    visit.look()
    refused = [line for line in visit.errors if "Content Security Policy" in line]
    assert refused == []
    assert visit.outside == []
