"""Grid entry as a person meets it: a cage weighed from the keyboard, a block pasted, a connection lost, two people at once.

Keys for the weights of a cage of five, digits and points included (``20.1`` … ``24.1``, four keys each):

- Here: 5 × (4 + Enter) and one Enter on *Save*, where the last Enter leads = **26**. Day, animals and cage stand there.
- Spreadsheet: the day's header (``2026-03-09`` and Enter, 11) and 5 × (4 + Enter) = 36, and two for Ctrl+S = **38**,
  where the five animals are in consecutive lines, the cursor stands in the right column, and nothing else is kept: no
  unit, who, when, link to the cage. With the shortcut for today's date it is 30, and 27 where the date stands already.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from experiments.actions.grids import GridCell, record_grid
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import Cage, Endpoint, Housing, Observation
from tests.browser.test_admin import Watched

pytestmark = pytest.mark.browser

PASSWORD = "a-good-passphrase-1"  # of the fixtures ``scientist`` and ``member``
DAY = "2026-03-09"  # study day 7
RECORDED_ON = date(2026, 3, 12)


@pytest.fixture
def cage(committed_db, experiment, animals, scientist, member) -> Cage:
    """Five animals that were weighed on day 0, with 20 g each, three of them on day 10; the sixth lives elsewhere."""
    made = Cage(experiment=experiment, label="A")
    made.save()
    for animal in animals[:5]:
        Housing(animal=animal, cage=made, started_on=date(2026, 2, 20)).save()
    weight, at = Endpoint.objects.get(key="body_weight"), datetime(2026, 3, 2, 8, tzinfo=UTC)
    new = [NewObservation(weight.pk, at, animal=animal.pk, number=Decimal(20)) for animal in animals]
    record_observations(experiment=experiment, observations=new, by=scientist)
    member("technician", experiment, "ada")
    Endpoint(key="ovary", name="Ovary weight", unit="mg").save()
    cells = [GridCell(uuid.uuid4(), animal.pk, RECORDED_ON, number=Decimal(21)) for animal in animals[:3]]
    record_grid(experiment=experiment, endpoint=weight, cells=cells, by=scientist)
    return made


def aside(read: Callable[[], Any]) -> Any:
    """What the database says. Playwright keeps an event loop in the test's own thread, where Django refuses to ask."""

    def run() -> Any:
        try:
            return read()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.fixture
def browser(chromium_path, site, cage):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield opened
        opened.close()


class Bench:
    """A person's page with a grid, and how many keys they pressed."""

    def __init__(self, browser, site: str, experiment, name: str = "scientist", width: int = 1280, **options) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.context, self.page, self.site, self.experiment = context, context.new_page(), site, experiment
        self.watched = Watched(self.page, site)
        self.keys = 0
        self.page.goto(f"{site}/admin/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#panel-experiments")

    def open(self, kind: str = "weights", **query: str) -> None:
        asked = "&".join(f"{name}={value}" for name, value in {"day": DAY, **query}.items())
        place = reverse("admin:experiments_experiment_grid", args=[self.experiment.pk, kind])
        self.page.goto(f"{self.site}{place}?{asked}")
        self.page.wait_for_selector(".grid-cell input:focus")

    def type(self, *texts: str) -> None:
        for text in texts:
            self.press(*text)
            self.press("Enter")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def cell(self, animal, side: str = "", day: str = DAY):
        return self.page.locator(f"[data-animal='{animal.pk}'] [data-day='{day}'][data-side='{side}'] input")

    def state(self, animal) -> str:
        return self.cell(animal).locator("xpath=..").get_attribute("class")

    def said(self, animal) -> str:
        line = self.page.locator(f"[data-animal='{animal.pk}'] + .grid-said")
        return line.inner_text() if line.is_visible() else ""

    def status(self, text: str) -> None:
        self.page.wait_for_function(
            "text => document.getElementById('grid-status').textContent.includes(text)", arg=text
        )

    def paste(self, text: str) -> None:
        self.page.evaluate(
            """text => {
                const data = new DataTransfer();
                data.setData("text/plain", text);
                const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
                document.activeElement.dispatchEvent(event);
            }""",
            text,
        )


def weights(day: str = DAY) -> dict[str, str]:
    rows = Observation.objects.filter(is_current=True, observed_at__date=day, endpoint__key="body_weight")
    return {lab_id: f"{value:f}" for lab_id, value in aside(lambda: list(rows.values_list("animal__lab_id", "value")))}


def test_a_cage_of_five_takes_26_keys(browser, site, experiment):
    bench = Bench(browser, site, experiment)
    bench.open(cage="A")
    bench.type("20.1", "21.1", "22.1", "23.1", "24.1")
    bench.press("Enter")  # on Save
    bench.status("5 cells saved.")
    assert bench.keys == 26
    assert weights() == {f"M00{i + 1}": f"2{i}.1" for i in range(5)}
    assert aside(Observation.objects.filter(timepoint__study_day=7).count) == 5
    assert bench.watched.errors == []
    assert bench.watched.outside == []


def test_values_are_typed_pasted_filled_down_scanned_and_saved_one_by_one(browser, site, experiment, animals):
    bench = Bench(browser, site, experiment)
    _bad_cells_say_why_and_a_loss_is_warned_about(bench, animals)
    _a_block_is_pasted_and_a_comma_is_read_where_it_was_chosen(bench, animals)
    _each_cell_is_saved_when_it_is_left(bench, animals)
    _stages_take_one_key_a_cell_and_a_scanner_finds_the_animal(bench, animals)
    _organs_are_entered_left_and_right(bench)


def _bad_cells_say_why_and_a_loss_is_warned_about(bench, animals):
    bench.open(cage="A")
    assert "20" in bench.page.locator(".grid-before").first.inner_text()
    bench.type("16", "2l.4", "21,4", "70")
    assert "20.0 % below the start" in bench.said(animals[0])
    assert "80.0" in bench.page.locator(".grid-percent.is-lost").inner_text()
    assert "“2l.4” is not a number" in bench.said(animals[1])
    assert bench.said(animals[1]) in bench.cell(animals[1]).get_attribute("title")
    assert "The decimal sign above is the point" in bench.said(animals[2])
    assert "Above the plausible 60 g" in bench.said(animals[3])
    bench.page.keyboard.press("Control+s")
    bench.status("Nothing was sent: 2 cells")
    assert weights() == {}
    bench.page.click("#grid-valid")
    bench.status("2 cells saved")
    assert weights() == {"M001": "16", "M004": "70"}
    for animal in animals[1:3]:
        bench.cell(animal).focus()
        bench.press("Escape")
        assert bench.cell(animal).input_value() == ""


def _a_block_is_pasted_and_a_comma_is_read_where_it_was_chosen(bench, animals):
    bench.open(cage="A", day="2026-03-10")
    bench.paste("20,5\r\n21,5\r\n22,5\r\n")
    assert bench.page.locator(".is-bad").count() == 3
    bench.page.select_option("#grid-decimal", ",")
    bench.page.locator(".is-bad input").first.focus()
    bench.paste("20,5\r\n21,5\r\n22,5\r\n")
    assert bench.cell(animals[2], day="2026-03-10").input_value() == "22.5"
    bench.paste("1\n" * 6)
    bench.status("Nothing was pasted: the block has 6 rows and 1 column, the grid from here 5 and 1.")
    bench.cell(animals[2], day="2026-03-10").focus()
    bench.press("Shift+ArrowDown", "Shift+ArrowDown", "Control+d")
    bench.page.keyboard.press("Control+s")
    bench.status("5 cells saved.")
    assert weights("2026-03-10") == {"M001": "20.5", "M002": "21.5", "M003": "22.5", "M004": "22.5", "M005": "22.5"}


def _each_cell_is_saved_when_it_is_left(bench, animals):
    bench.open(cage="A", day="2026-03-11")
    bench.page.check("#grid-each")
    bench.cell(animals[0], day="2026-03-11").focus()
    bench.type("20.1", "x")
    bench.page.wait_for_selector(".is-saved")
    bench.type("22.1")
    bench.page.wait_for_selector(".is-saved >> nth=1")
    assert weights("2026-03-11") == {"M001": "20.1", "M003": "22.1"}


def _stages_take_one_key_a_cell_and_a_scanner_finds_the_animal(bench, animals):
    bench.open("stages", cage="A")
    assert bench.page.locator(".grid-column").count() == 7
    bench.keys = 0
    bench.press(*"pemdfip")  # down the first column, then the second
    assert bench.keys == 7
    bench.press("x")
    bench.status("“x” is no key here.")
    bench.press("ArrowUp", "Space")
    bench.page.focus("#grid-find")
    bench.type("M003")
    assert bench.page.evaluate("document.activeElement.closest('tr').dataset.label") == "M003"
    bench.page.keyboard.press("Control+s")
    bench.status("6 cells saved.")
    rows = Observation.objects.filter(endpoint__key="estrous_stage").order_by("observed_at", "animal__lab_id")
    told = aside(lambda: list(rows.values_list("observed_at__day", "animal__lab_id", "category")))
    stages = ("P", "E", "M", "D", "few_cells")
    assert told == [*((3, f"M00{i}", stage) for i, stage in enumerate(stages, 1)), (4, "M001", "indeterminate")]
    bench.open(day="2026-03-13", cage="A")
    bench.type("M004")  # into a cell of weights: a scanner types wherever the cursor stands
    assert bench.page.evaluate("document.activeElement.closest('tr').dataset.label") == "M004"
    assert bench.cell(animals[0], day="2026-03-13").input_value() == ""


def _organs_are_entered_left_and_right(bench):
    bench.open("values", endpoint="ovary", sides="on", cage="A")
    bench.press(*"4.1", "Tab", *"4.2", "Tab", "<", *"0.5", "Enter")
    bench.page.keyboard.press("Control+s")
    bench.status("3 cells saved.")
    found = Observation.objects.filter(endpoint__key="ovary").order_by("animal__lab_id", "side")
    told = aside(lambda: [(row.side, row.qualifier, row.value or row.limit) for row in found])
    assert told == [("L", "=", Decimal("4.1")), ("R", "=", Decimal("4.2")), ("L", "<", Decimal("0.5"))]
    assert bench.watched.errors == []


def test_what_was_typed_without_a_connection_is_saved_once_when_it_is_back(browser, site, experiment, animals):
    bench = Bench(browser, site, experiment)
    bench.open(cage="A")
    bench.type("20.1")
    lost = {"answers": 0}

    def lose(route) -> None:  # the server has it, the answer never comes
        if not lost["answers"]:
            lost["answers"] += 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    bench.page.route("**/record-grid", lose)
    bench.page.keyboard.press("Control+s")
    bench.status("No connection: 1 cell kept on this device.")
    assert weights() == {"M001": "20.1"}
    bench.context.set_offline(True)
    bench.type("21.1")
    bench.page.keyboard.press("Control+s")
    bench.status("No connection: 2 cells kept on this device.")
    assert bench.page.inner_text("#grid-save") == "Try again (2)"
    bench.context.set_offline(False)  # the page tries again by itself
    bench.status("2 cells saved.")
    assert weights() == {"M001": "20.1", "M002": "21.1"}
    assert aside(Observation.objects.filter(observed_at__date=DAY).count) == 2
    bench.cell(animals[2]).focus()
    bench.type("22.1", "bad")  # and what is never sent waits for the next time
    bench.open(day="2026-03-08")
    assert "2 unsaved cells elsewhere: 2026-03-09" in bench.page.inner_text("#grid-elsewhere")
    bench.page.click("#grid-elsewhere a")
    bench.page.wait_for_selector(".grid-cell.is-unsaved")
    assert bench.cell(animals[2]).input_value() == "22.1"
    assert "is-bad" in bench.state(animals[3])
    bench.page.click("#grid-valid")
    bench.status("1 cell saved")
    assert weights() == {"M001": "20.1", "M002": "21.1", "M003": "22.1"}


def test_nothing_is_overwritten_and_a_correction_asks_for_one_reason(browser, site, experiment, animals):
    ada, bench = Bench(browser, site, experiment, "ada"), Bench(browser, site, experiment)
    ada.open(cage="A")
    bench.open(cage="A")
    ada.type("20.1")
    ada.page.keyboard.press("Control+s")
    ada.status("1 cell saved.")
    bench.type("22.2", "21.1")
    bench.page.keyboard.press("Control+s")
    bench.status("Nothing was saved: 1 cell cannot be.")
    assert "ada has recorded 20.1" in bench.said(animals[0])
    assert weights() == {"M001": "20.1"}
    bench.page.click("#grid-correct")
    assert "20.1 → 22.2" in bench.page.inner_text(".grid-changes")
    bench.page.keyboard.type("read again")
    bench.page.keyboard.press("Enter")
    bench.status("1 cell saved.")
    bench.page.keyboard.press("Control+s")
    bench.page.wait_for_selector("[data-day].is-saved >> nth=1")
    assert weights() == {"M001": "22.2", "M002": "21.1"}
    told = Observation.objects.values_list("reason", "supersedes__value", "supersedes__recorded_by__username")
    assert aside(lambda: told.get(value=Decimal("22.2"))) == ("read again", Decimal("20.1"), "ada")
    _marked_cells_are_corrected_for_one_reason(bench, animals)


def _marked_cells_are_corrected_for_one_reason(bench, animals):
    day = RECORDED_ON.isoformat()
    bench.open(cage="A", day=day)
    bench.cell(animals[0], day=day).focus()
    bench.type("21.5", "22.5", "21.0")  # the third is what stands
    assert bench.page.inner_text("#grid-correct") == "Correct 2…"
    assert bench.page.is_disabled("#grid-save")
    bench.cell(animals[2], day=day).focus()
    bench.press("Delete")
    assert bench.cell(animals[2], day=day).input_value() in ("21", "21.0")
    bench.page.click("#grid-correct")
    bench.page.click("#grid-reason .lab-primary")  # without a reason it stays open
    assert bench.page.is_visible("#grid-reason")
    assert weights(day)["M001"] == "21"
    bench.page.fill("#grid-why", "tare")
    bench.page.click("#grid-reason .lab-primary")
    bench.status("2 cells saved.")
    assert weights(day) == {"M001": "21.5", "M002": "22.5", "M003": "21"}


def test_a_phone_in_the_animal_room_is_enough(browser, site, experiment, animals):
    place = reverse("admin:experiments_experiment_grid", args=[experiment.pk, "weights"])
    for theme, animal in (("light", animals[0]), ("dark", animals[2])):
        bench = Bench(browser, site, experiment, width=390, has_touch=True, color_scheme=theme)
        bench.page.goto(f"{site}{place}?day={DAY}")
        bench.cell(animal).tap()
        bench.type("15", "oh")
        assert not bench.watched.is_wider_than_the_screen()
        box = bench.cell(animal).bounding_box()
        assert box["height"] >= 40
        assert box["x"] + box["width"] <= 390
        bench.page.tap("#grid-valid")
        bench.status("1 cell saved")
        bench.page.goto(f"{site}{place.replace('weights', 'stages')}?day={DAY}")
        bench.cell(animal).tap()
        bench.press(*"pe")
        assert bench.page.locator(".is-unsaved").count() == 2
        assert not bench.watched.is_wider_than_the_screen()
        assert bench.watched.errors == []
