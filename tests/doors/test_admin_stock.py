"""The stock at the admin: buttons that lead to the verbs, and pages that show where things came from and went."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.models import Animal, Dose, DoseVial, Enrolment, Recall, StorageBox, Vial
from tests.experiments.stock_world import IV, made, make_stock, procedure_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stock(scientist, experiment):
    return make_stock(scientist)


@pytest.fixture
def page(client, scientist):
    client.force_login(scientist)
    return client


def do(page, row, verb, /, **answers):
    """Press the button ``verb`` of ``row`` and return what the page then says."""
    url = reverse(f"admin:experiments_{row._meta.model_name}_do", args=[row.pk, verb])
    return page.post(url, answers, follow=True).content.decode()


def url_of(row):
    return reverse(f"admin:experiments_{row._meta.model_name}_page", args=[row.pk])


def test_from_new_vials_to_the_dose_the_recall_and_back(page, stock, animals):
    box = made(StorageBox, name="B", location="tank", rows=3, columns=3)
    told = do(
        page, stock.lot, "make-vials", code="V-", first_number=8, count=3, amount="100", box=box.pk, row=1, column=2
    )
    assert "3 vials: V-08 to V-10" in told
    assert list(Vial.objects.order_by("code").values_list("row", "column")) == [(1, 2), (1, 3), (2, 1)]
    vial = Vial.objects.get(code="V-08")
    assert "below 70 %" in do(page, vial, "thaw", viability_percent="60")
    procedure = procedure_of(Enrolment.objects.get(animal=animals[0]), performed_at=None)
    assert "There is no vial" in do(page, procedure, "dispense", vial_1="V-99", amount_1="40", route="intravenous")
    assert "Dispensed" in do(page, procedure, "dispense", vial_1="V-08", amount_1="40", route="intravenous")
    assert "It reached 1 animals" in do(page, stock.batch, "recall", reason="leak")
    recall = Recall.objects.get()
    for row in (stock.donor, stock.batch, stock.lot, vial, recall):
        answer = page.get(url_of(row))
        assert answer.status_code == 200 and "M001" in answer.content.decode(), row
    animal = page.get(url_of(animals[0])).content.decode()
    assert "V-08" in animal and stock.donor.code in animal and stock.batch.code in animal
    second = procedure_of(Enrolment.objects.get(animal=animals[1]), performed_at=None)
    answers = {"vial_1": "V-08", "amount_1": "40", "route": "intravenous"}
    assert "was recalled" in do(page, second, "dispense", **answers)
    assert "Recorded with its deviation" in do(page, second, "given-anyway", reason="before it was known", **answers)
    assert "holds 10 now" in do(page, vial, "correct", counted="10", reason="counted")
    assert "discarded" in do(page, vial, "discard", reason="cracked")
    assert "lifted" in do(page, recall, "lift", reason="another lot")
    assert "withdrawn" in do(page, stock.consent, "withdraw", reason="letter")


def reach(stock, experiment, animals, count):
    """``count`` more animals that got something of the lot, a vial each."""
    new = Animal.objects.bulk_create(
        Animal(lab_id=f"R{Animal.objects.count() + n}", strain=animals[0].strain, sex="F") for n in range(count)
    )
    enrolled = Enrolment.objects.bulk_create(Enrolment(experiment=experiment, animal=animal) for animal in new)
    for enrolment, vial in zip(enrolled, stock.vials(count, thawed=False), strict=True):
        dose = Dose(procedure=procedure_of(enrolment), product=stock.cells, amount=1, **IV)
        Dose.objects.bulk_create([dose])
        DoseVial.objects.bulk_create([DoseVial(dose=dose, vial=vial, amount=1)])


@pytest.mark.parametrize("more", [30, pytest.param(1000, marks=pytest.mark.stress)])
def test_a_page_of_lineage_asks_as_much_for_many_as_for_ten(more, page, stock, experiment, animals):
    def asked(row) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert page.get(url_of(row)).status_code == 200
        return len(captured)

    rows = (stock.donor, stock.batch, stock.lot)
    reach(stock, experiment, animals, 10)
    for row in rows:
        asked(row)
    few = [asked(row) for row in rows]
    reach(stock, experiment, animals, more)
    assert [asked(row) for row in rows] == few
