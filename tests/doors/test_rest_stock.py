"""The stock over REST: from new vials to the dose, the recall and the way back to the donor."""

import pytest

from experiments.models import DoseVial, Enrolment, Lot, Vial
from tests.conftest import set_masking
from tests.doors.rest_client import rest_client
from tests.experiments.stock_world import make_stock, procedure_of

pytestmark = pytest.mark.django_db
ROUTE = {"details": {"route": "intravenous"}}


@pytest.fixture
def stock(scientist, experiment):
    return make_stock(scientist)


@pytest.fixture
def vial(api, stock):
    body = {"vials": [{"code": "V-1", "amount": 1000000, "frozen_at": "2026-02-01T10:00:00Z"}]}
    (made,) = api.post(f"/api/v1/lots/{stock.lot.pk}/make-vials", body, format="json").json()
    return made


def post(api, place, body, code):
    answer = api.post(f"/api/v1/{place}", body, format="json")
    assert answer.status_code == code, answer.content
    return answer.json()


def test_a_vial_goes_from_the_freezer_into_a_mouse_and_is_recalled(api, stock, vial, animals):
    procedure = procedure_of(Enrolment.objects.get(animal=animals[0]), performed_at=None)
    wanted = {"vials": [{"vial": vial["id"], "amount": 400000}], **ROUTE}
    told = post(api, f"procedures/{procedure.pk}/dispense", wanted, 400)
    assert told == {"vials": ["Vial V-1 is not thawed or opened yet."]}
    thawed = post(api, f"vials/{vial['id']}/thaw", {"viability_percent": 68.5}, 200)
    assert thawed["vial"]["state"] == "thawed" and thawed["warnings"] == ["Vial V-1: 68.5 % viable, below 70 %."]
    given = post(api, f"procedures/{procedure.pk}/dispense", wanted, 201)
    assert given["dose"]["amount"] == 400000 and given["warnings"] == ["68.5 % viable, below 70 %."]
    assert api.get(f"/api/v1/vials/{vial['id']}").json()["amount_left"] == 600000
    lineage = api.get(f"/api/v1/isolation-batches/{stock.batch.pk}/lineage").json()
    assert [node["kind"] for node in lineage["upstream"]] == ["donor", "tissuesample", "isolationbatch"]
    assert [node["label"] for node in lineage["downstream"]] == [str(stock.passage), stock.lot.code, "V-1"]
    assert [each["lab_id"] for each in lineage["animals"]] == ["M001"]
    back = api.get(f"/api/v1/animals/{animals[0].pk}/lineage").json()
    assert back["doses"][0]["vial"] == vial["id"] and back["upstream"][0]["label"] == stock.donor.code
    recalled = post(api, f"lots/{stock.lot.pk}/recall", {"reason": "leaking cap"}, 201)
    assert [each["lab_id"] for each in recalled["animals"]] == ["M001"] and recalled["n_others"] == 0
    second = procedure_of(Enrolment.objects.get(animal=animals[1]), performed_at=None)
    refused = post(api, f"procedures/{second.pk}/dispense", wanted, 400)
    assert "was recalled" in refused["non_field_errors"][0] and DoseVial.objects.count() == 1
    anyway = post(api, f"procedures/{second.pk}/given-anyway", {**wanted, "reason": "given before the recall"}, 201)
    assert "was recalled" in anyway["deviations"][0]
    key = recalled["recall"]["id"]
    assert len(api.get(f"/api/v1/recalls/{key}/reached").json()["animals"]) == 2
    assert post(api, f"recalls/{key}/lift", {"reason": "another lot"}, 200)["lift_reason"] == "another lot"


def test_what_is_done_with_a_vial_answers_with_it(api, stock, vial):
    place = f"vials/{vial['id']}"
    box = post(api, "storage-boxes", {"name": "B", "location": "tank 1", "rows": 2, "columns": 2}, 201)["id"]
    moved = post(api, f"{place}/move", {"box": box, "row": 2, "column": 1}, 200)
    assert (moved["box"], moved["row"], moved["column"]) == (box, 2, 1)
    assert "row" in post(api, f"{place}/move", {"box": box, "row": 3, "column": 1}, 400)
    post(api, f"{place}/thaw", {}, 200)
    assert post(api, f"{place}/viability", {"viability_percent": 101}, 400) == {
        "viability_percent": ["A viability lies between 0 and 100 %."]
    }
    syringe = post(api, f"{place}/transfer", {"new": {"code": "syringe"}, "amount": 5}, 200)
    assert syringe["amount_left"] == 5
    assert "target" in post(api, f"{place}/transfer", {"amount": 5}, 400)
    assert post(api, f"{place}/correct", {"counted": 7, "reason": "counted"}, 200)["amount_left"] == 7
    assert post(api, f"{place}/discard", {"reason": "cracked"}, 200)["state"] == "discarded"
    lot = stock.lot_of(stock.derived().product)
    post(api, f"lots/{lot.pk}/consume", {"vials": [{"vial": syringe["id"], "amount": 5}]}, 200)
    assert Lot.objects.get(pk=lot.pk).sources.get().amount == 5


def test_refused_vials_are_named_by_row(api, stock):
    body = {"vials": [{"code": "A", "amount": 0}, {"code": "A", "amount": 1}, {"code": "B", "amount": 1}]}
    told = post(api, f"lots/{stock.lot.pk}/make-vials", body, 400)
    assert {row["row"] for row in told["rows"]} == {1, 2} or {row["row"] for row in told["rows"]} == {1}
    assert not Vial.objects.exists()


def test_decisions_and_withdrawal(api, scientist, experiment):
    stock = make_stock(scientist, released=False)
    place = f"isolation-batches/{stock.batch.pk}"
    assert post(api, f"{place}/release", {"statement": "sterile"}, 201)["is_self_released"] is True
    assert post(api, f"{place}/reject", {"statement": "cloudy"}, 201)["decision"] == "rejected"
    withdrawn = post(api, f"consents/{stock.consent.pk}/withdraw", {"reason": "letter"}, 200)
    assert withdrawn["withdrawn_at"] and withdrawn["withdrawal_note"] == "letter"
    assert "withdrawn_at" in api.change(f"/api/v1/consents/{stock.consent.pk}", {"withdrawn_at": None}).json()


def test_a_masked_person_finds_no_way_to_the_stock(api, stock, vial, animals, member):
    post(api, f"vials/{vial['id']}/thaw", {}, 200)
    procedure = procedure_of(Enrolment.objects.get(animal=animals[0]), performed_at=None)
    post(api, f"procedures/{procedure.pk}/dispense", {"vials": [{"vial": vial["id"], "amount": 1}], **ROUTE}, 201)
    set_masking(procedure.experiment, "blinded")
    masked = rest_client(member("assessor", procedure.experiment))
    for place in (f"vials/{vial['id']}", f"lots/{stock.lot.pk}/lineage", f"isolation-batches/{stock.batch.pk}/lineage"):
        assert masked.get(f"/api/v1/{place}").status_code == 404
    assert masked.get(f"/api/v1/animals/{animals[0].pk}/lineage").json() == {"doses": [], "upstream": []}
