"""Cohorts over REST and at the admin: verbs, what masked persons are told, and that a seed is told to nobody."""

import pytest
from django.urls import reverse

from experiments.actions.randomisation import randomise
from experiments.models import (
    Allocation,
    AnalysisPlan,
    Endpoint,
    Enrolment,
    Exclusion,
    IdentityTest,
    IsolationBatch,
    MarkerResult,
    PlannedComparison,
    PlannedEndpoint,
    Randomisation,
)
from tests.conftest import set_masking
from tests.contracts.rows import make_rows
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def waiting(experiment, animals):
    """Six enrolled animals in no arm."""
    Allocation.objects.all().delete()
    return experiment


@pytest.fixture
def drawn(waiting, scientist):
    return randomise(experiment=waiting, method="block", by=scientist)


def page(row, view: str, *more) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk, *more])


def test_a_script_draws_and_checks_the_draw(api, waiting, member):
    place = f"{API}/experiments/{waiting.pk}/randomise"
    for role in ("technician", "assessor", "auditor"):
        answer = rest_client(member(role, waiting)).post(place, {"method": "block"}, format="json")
        assert answer.status_code == 403
    assert "strata" in api.post(place, {"method": "stratified", "strata": ["moon"]}, format="json").json()
    assert "seed" in api.post(place, {"method": "block", "seed": "0" * 32}, format="json").json()
    arms = [{"arm": str(arm.pk), "ratio": ratio} for arm, ratio in zip(waiting.arms.all(), (2, 1), strict=True)]
    answer = api.post(place, {"method": "block", "arms": arms}, format="json")
    assert (answer.status_code, "seed" in answer.json()) == (201, False)
    assert sorted(arm["n"] for arm in answer.json()["balance"]["arms"]) == [2, 4]
    again = api.post(place, {"method": "block"}, format="json")
    assert (again.status_code, "6 of 6 are in an arm" in str(again.json())) == (400, True)
    checked = api.get(f"{API}/randomisations/{answer.json()['id']}/reproduce")
    assert checked.json() == {"is_equal": True}


def test_the_seed_is_told_by_no_door(api, client, drawn, scientist):
    client.force_login(scientist)
    seed = drawn.seed
    places = [
        f"{API}/randomisations", f"{API}/randomisations/{drawn.pk}", f"{API}/randomisations/{drawn.pk}/reproduce",
        f"{API}/allocations", f"{API}/experiments/{drawn.experiment_id}", f"{API}/trail?limit=200",
    ]  # fmt: skip
    for place in places:
        answer = api.get(place)
        assert (answer.status_code, seed in answer.content.decode()) == (200, False), place
    pages = [page(drawn, view) for view in ("page", "change", "history")]
    pages += [page(drawn.experiment, view) for view in ("page", "history")]
    pages.append(reverse("admin:experiments_randomisation_changelist"))
    for place in pages:
        answer = client.get(place)
        assert (answer.status_code, seed in answer.content.decode()) == (200, False), place


def is_refused(answer) -> bool:
    return answer.status_code == 400 or answer.url.endswith("?e=1")


def test_a_seed_is_not_guessed_by_halving(api, client, drawn, scientist):
    client.force_login(scientist)
    for name in ("seed__startswith", "seed__lt", "seed", "allocations__randomisation__seed__startswith"):
        place = reverse("admin:experiments_randomisation_changelist")
        assert is_refused(client.get(place, {name: drawn.seed[:1]})), name
        assert api.get(f"{API}/randomisations", {name: drawn.seed[:1]}).status_code == 400, name
    place = reverse("admin:experiments_allocation_changelist")
    assert is_refused(client.get(place, {"randomisation__seed__startswith": drawn.seed[:1]}))


def test_the_masked_are_told_no_arm(drawn, scientist, member, client):
    experiment = drawn.experiment
    set_masking(experiment, "blinded")
    masked = member("assessor", experiment)
    api = rest_client(masked)
    for place in (f"randomisations/{drawn.pk}", f"randomisations/{drawn.pk}/reproduce"):
        assert api.get(f"{API}/{place}").status_code == 404
    told = api.get(f"{API}/experiments/{experiment.pk}/flow").json()
    assert (told["arms"], told["total"]["n_allocated"]) == ([], 6)
    assert len(rest_client(scientist).get(f"{API}/experiments/{experiment.pk}/flow").json()["arms"]) == 2
    client.force_login(masked)
    text = client.get(page(experiment, "page")).content.decode()
    assert "Flow of animals" in text and "Balance of the last draw" not in text
    assert client.get(page(drawn, "page")).status_code == 404
    assert client.post(page(drawn, "do", "check")).status_code == 404
    assert client.post(page(experiment, "do", "randomise"), {"method": "block"}).status_code == 403


def test_the_experiments_page_draws_and_shows_balance_and_flow(client, waiting, scientist):
    client.force_login(scientist)
    asked = client.get(page(waiting, "do", "randomise")).content.decode()
    assert "Share of POI + MSC" in asked
    shares = {f"share_{arm.pk}": 1 for arm in waiting.arms.all()}
    answer = client.post(
        page(waiting, "do", "randomise"), {"method": "block", "weight_classes": 3, **shares}, follow=True
    )
    text = answer.content.decode()
    assert "6 animals are drawn for 2 arms" in text
    assert "Balance of the last draw" in text and "Flow of animals" in text
    drawn = Randomisation.objects.get()
    checked = client.post(page(drawn, "do", "check"), follow=True).content.decode()
    assert "the draw gives the same arms" in checked
    shares = {**shares, "method": "stratified", "strata": "weight", "weight_classes": 3}
    assert "No animal is left" in client.post(page(waiting, "do", "randomise"), shares).content.decode()


def test_an_animal_is_excluded_and_taken_in_again(api, client, experiment, animals, scientist, member):
    enrolment = Enrolment.objects.get(animal=animals[0])
    body = {"stage": "during_follow_up", "reason": "bitten", "is_prespecified": False}
    place = f"{API}/enrolments/{enrolment.pk}/exclude"
    assert rest_client(member("technician", experiment)).post(place, body, format="json").status_code == 403
    assert "is_prespecified" in api.post(place, {**body, "is_prespecified": None}, format="json").json()
    assert "is_decided_blinded" in api.post(place, {**body, "is_decided_blinded": True}, format="json").json()
    made = api.post(place, body, format="json")
    assert (made.status_code, made.json()["is_decided_blinded"]) == (201, False)
    revoked = api.post(f"{API}/exclusions/{made.json()['id']}/revoke", {"reason": "another was meant"}, format="json")
    assert (revoked.status_code, revoked.json()["revoke_reason"]) == (200, "another was meant")
    client.force_login(scientist)
    client.post(page(enrolment, "do", "exclude"), {"stage": "analysis", "reason": "haemolysed"})
    row = Exclusion.objects.get(revoked_at=None)
    assert (row.reason, row.decided_by) == ("haemolysed", scientist)
    client.post(page(row, "do", "revoke"), {"reason": "it was not"})
    assert not Exclusion.objects.filter(revoked_at=None).exists()


def test_a_plan_is_locked_and_shown_and_a_new_version_made(api, client, experiment, scientist):
    plan = AnalysisPlan(
        experiment=experiment, primary_endpoint=Endpoint.objects.get(key="e2"), scale="log", method="welch",
        multiplicity="holm", exclusion_rules="induction failures",
    )  # fmt: skip
    plan.save()
    client.force_login(scientist)
    assert "compares nothing" in str(api.post(f"{API}/analysis-plans/{plan.pk}/lock").json())
    assert "not locked" in client.get(page(experiment, "page")).content.decode()
    form = client.get(page(plan, "change")).content.decode()
    assert "POI + MSC" in form and "What is left out" in form
    one, other = experiment.arms.all()
    row = PlannedComparison(plan=plan, arm=other, reference=one)
    row.save()
    PlannedEndpoint(experiment=experiment, endpoint=plan.primary_endpoint).save()
    client.post(page(plan, "do", "lock"))
    assert "locked" in client.get(page(experiment, "page")).content.decode()
    assert api.change(f"{API}/analysis-plans/{plan.pk}", {"alpha": 0.1}).status_code == 400
    gone = api.remove(f"{API}/planned-comparisons/{row.pk}")
    assert (gone.status_code, "This plan is locked; make a new version." in str(gone.json())) == (400, True)
    made = api.post(f"{API}/analysis-plans/{plan.pk}/new-version", {"change_note": "rank test"}, format="json")
    assert (made.status_code, made.json()["version"], made.json()["locked_at"]) == (201, 2, None)


def test_poi_criteria_are_locked_before_they_judge(api, experiment, animals):
    made = api.post(f"{API}/poi-criteria", {"experiment": str(experiment.pk), "required": 1}, format="json").json()
    criterion = {
        "criteria": made["id"], "rule": "above_control_sd", "endpoint": str(Endpoint.objects.get(key="fsh").pk),
        "threshold": 2,
    }  # fmt: skip
    assert api.post(f"{API}/poi-criteria-items", criterion, format="json").status_code == 201
    place = f"{API}/experiments/{experiment.pk}/confirm-poi"
    assert "no locked criteria" in str(api.post(place, {}, format="json").json())
    assert api.post(f"{API}/poi-criteria/{made['id']}/lock").json()["locked_at"]
    judged = api.post(place, {}, format="json").json()
    assert {row["verdict"] for row in judged} == {"undetermined"}
    assert "was not measured" in judged[0]["findings"]["criteria"][0]["sentence"]
    assert api.post(f"{API}/poi-criteria/{made['id']}/new-version").json()["version"] == 2


def test_eligibility_is_told_animal_by_animal(api, client, experiment, animals, scientist):
    criterion = {"experiment": str(experiment.pk), "kind": "age_days", "lowest": 60}
    assert api.post(f"{API}/eligibility-criteria", criterion, format="json").status_code == 201
    told = api.get(f"{API}/experiments/{experiment.pk}/eligibility").json()
    assert [row["is_eligible"] for row in told] == [False] * 6
    assert told[0]["assessments"][0]["sentence"] == "56 d old at induction; 60 or more d are wanted."
    client.force_login(scientist)
    assert "60 or more d are wanted" in client.get(page(experiment, "page")).content.decode()


@pytest.fixture
def identity_test(scientist, experiment):
    batch = make_rows(IsolationBatch, 1, {})[0]
    made = IdentityTest(batch=batch, tested_on="2026-02-01", rule_set="isct_2006 1", plastic_adherent="yes")
    made.save()
    MarkerResult(identity_test=made, marker="CD 73", qualifier="=", percent="80").save()
    return made


def test_the_identity_verdict_is_told_with_its_rule_set(api, client, identity_test, scientist):
    told = api.get(f"{API}/identity-tests/{identity_test.pk}/verdict").json()
    assert (told["rule_set"], told["version"], told["outcome"]) == ("isct_2006", 1, "fail")
    cd73 = next(row for row in told["criteria"] if row["criterion"] == "CD73")
    assert "80" in cd73["sentence"] and cd73["outcome"] == "fail"
    client.force_login(scientist)
    assert cd73["sentence"] in client.get(page(identity_test, "page")).content.decode()
    refused = api.change(f"{API}/identity-tests/{identity_test.pk}", {"rule_set": "mine"})
    assert "isct_2006 1, mouse_msc 1" in str(refused.json())
