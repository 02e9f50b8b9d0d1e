"""Cells of a grid over REST: recorded once, refused one by one, never overwritten, corrected for a reason."""

import uuid
from datetime import date
from decimal import Decimal

import pytest

from experiments.actions.observations import NewObservation, correct_observation, noon, record_observations
from experiments.models import Endpoint, Observation, Timepoint
from tests.conftest import set_masking
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
DAY = "2026-03-09"  # study day 7 of every animal


def cell(animal, value=None, **given) -> dict:
    body = {"id": str(uuid.uuid4()), "animal": str(animal.pk), "day": DAY, **given}
    return body if value is None else {**body, "value": value}


def send(api, experiment, cells, endpoint="body_weight", **given):
    body = {"endpoint": str(Endpoint.objects.get(key=endpoint).pk), "cells": cells, **given}
    return api.post(f"/api/v1/experiments/{experiment.pk}/record-grid", body, format="json")


def correct(api, experiment, cells, reason="balance not tared"):
    return api.post(
        f"/api/v1/experiments/{experiment.pk}/correct-grid", {"reason": reason, "cells": cells}, format="json"
    )


def test_cells_are_recorded_at_noon_of_their_day_at_the_planned_timepoint(api, experiment, animals):
    cells = [cell(animal, 20 + i) for i, animal in enumerate(animals)]
    answer = send(api, experiment, cells)
    assert answer.status_code == 200
    assert set(answer.json()["ids"]) == {each["id"] for each in cells}
    rows = Observation.objects.order_by("value")
    assert [str(row.pk) for row in rows] == [each["id"] for each in cells]
    assert {(row.timepoint.study_day, row.is_time_known, row.entered_unit) for row in rows} == {(7, False, "g")}


def test_what_is_sent_twice_is_recorded_once(api, experiment, animals):
    cells = [cell(animal, 20 + i) for i, animal in enumerate(animals)]
    first, again = send(api, experiment, cells), send(api, experiment, cells)
    assert sorted(first.json()["ids"]) == sorted(again.json()["ids"])
    assert again.json()["rows"] == []
    assert Observation.objects.count() == len(animals)
    changed = send(api, experiment, [{**cells[0], "value": 99}])
    assert changed.status_code == 400
    assert changed.json()["rows"][0]["message"] == "Another observation has this key."


def test_the_key_of_what_was_observed_on_a_cage_is_refused(api, experiment, animals, scientist, world):
    weight = Endpoint.objects.get(key="body_weight")
    of_cage = NewObservation(weight.pk, noon(date.fromisoformat(DAY)), cage=world.cage.pk, number=Decimal(90))
    record_observations(experiment=experiment, observations=[of_cage], by=scientist)
    answer = send(api, experiment, [cell(animals[0], 90, id=str(of_cage.id))])
    assert answer.json()["rows"][0]["message"] == "Another observation has this key."


def test_a_cell_that_was_corrected_since_is_still_answered_as_the_first_time(api, experiment, animals, scientist):
    cells = [cell(animals[0], 20)]
    send(api, experiment, cells)
    row = Observation.objects.get()
    correct_observation(observation=row, number=Decimal(21), reason="misread", by=scientist)
    assert send(api, experiment, cells).json()["ids"] == [cells[0]["id"]]
    assert Observation.objects.get(is_current=True).value == 21


def test_a_cell_that_holds_a_value_is_refused_with_it_and_not_overwritten(api, experiment, animals, member):
    other = member("technician", experiment, "ada")
    assert send(rest_client(other), experiment, [cell(animals[0], 21.4)]).status_code == 200
    answer = send(api, experiment, [cell(animals[0], 22), cell(animals[1], 23)])
    assert answer.status_code == 400
    (row,) = answer.json()["rows"]
    assert (row["row"], row["current"]["text"], row["current"]["by"]) == (1, "21.4", "ada")
    assert "ada has recorded 21.4 g here" in row["message"]
    assert Observation.objects.get().value == Decimal("21.4")


def test_every_bad_cell_says_why_and_none_is_written_unless_the_valid_ones_are_asked_for(api, experiment, animals):
    stranger = cell(animals[0], 20)
    stranger["animal"] = str(uuid.uuid4())
    cells = [
        cell(animals[0], 20),
        stranger,
        cell(animals[2], 20, day="2999-01-01"),
        cell(animals[3]),
        cell(animals[4], 24),
    ]
    refused = send(api, experiment, cells)
    assert refused.status_code == 400
    assert [(row["row"], row["field"]) for row in refused.json()["rows"]] == [(2, "animal"), (3, "day"), (4, "value")]
    assert not Observation.objects.exists()
    taken = send(api, experiment, cells, only_valid=True)
    assert taken.status_code == 200
    assert sorted(taken.json()["ids"]) == sorted([cells[0]["id"], cells[4]["id"]])
    assert [row["row"] for row in taken.json()["rows"]] == [2, 3, 4]
    assert Observation.objects.count() == 2


def test_a_cell_that_cannot_be_read_is_named_with_place_and_value(api, experiment, animals):
    answer = send(api, experiment, [cell(animals[0], "21,4"), cell(animals[1], 20, weight=3), {"id": "x"}, 7])
    told = {(row["row"], row["field"]) for row in answer.json()["rows"]}
    assert told == {(1, "value"), (2, "weight"), (3, "id"), (3, "animal"), (3, "day"), (4, "non_field_errors")}
    twice = cell(animals[0], 20)
    assert "this key" in send(api, experiment, [twice, twice]).json()["rows"][0]["message"]
    assert send(api, experiment, []).json() == {"cells": ["There are no cells."]}
    assert not Observation.objects.exists()


def test_two_cells_of_one_place_are_both_refused(api, experiment, animals):
    answer = send(api, experiment, [cell(animals[0], 20), cell(animals[0], 21)])
    assert [row["row"] for row in answer.json()["rows"]] == [1, 2]
    assert send(api, experiment, [cell(animals[0], 20, side="L"), cell(animals[0], 21, side="R")]).status_code == 200


def test_a_day_in_the_window_of_a_held_timepoint_is_recorded_unplanned(api, experiment, animals):
    Timepoint.objects.filter(experiment=experiment, study_day=7).update(window_before_days=1)
    send(api, experiment, [cell(animals[0], 20, day="2026-03-08")])
    send(api, experiment, [cell(animals[0], 21)])
    send(api, experiment, [cell(animals[1], 20, day="2026-03-08"), cell(animals[1], 21)])
    found = Observation.objects.order_by("animal__lab_id", "value").values_list("value", "timepoint__study_day")
    assert list(found) == [(20, 7), (21, None), (20, 7), (21, None)]


def test_stages_outside_the_declared_ones_are_refused_by_every_verb(api, experiment, animals, scientist):
    stages = ("P", "E", "M", "D", "few_cells", "indeterminate")
    good = [cell(a, category=stage) for a, stage in zip(animals, stages, strict=True)]
    assert send(api, experiment, good, "estrous_stage").status_code == 200
    bad = send(api, experiment, [cell(animals[0], category="X", day="2026-03-08")], "estrous_stage")
    assert "expected one of P, E, M, D, few_cells, indeterminate" in bad.json()["rows"][0]["message"]
    number = send(api, experiment, [cell(animals[0], 3, day="2026-03-08")], "estrous_stage")
    assert "A number is no estrous stage" in number.json()["rows"][0]["message"]
    row = Observation.objects.get(category="P")
    one = api.post(f"/api/v1/observations/{row.pk}/correct", {"reason": "misread", "category": "X"}, format="json")
    assert one.status_code == 400
    assert "category" in one.json()


def test_a_correction_of_cells_asks_for_one_reason_and_is_done_once(api, experiment, animals):
    cells = [cell(animal, 20) for animal in animals[:2]]
    send(api, experiment, cells)
    wanted = [{"id": str(uuid.uuid4()), "observation": each["id"], "value": 21} for each in cells]
    assert correct(api, experiment, wanted, reason=" ").status_code == 400
    first, again = correct(api, experiment, wanted), correct(api, experiment, wanted)
    assert first.status_code == again.status_code == 200
    assert set(first.json()["ids"]) == set(again.json()["ids"]) == {each["id"] for each in wanted}
    assert set(Observation.objects.filter(is_current=True).values_list("value", "reason")) == {
        (Decimal(21), "balance not tared")
    }
    assert Observation.objects.count() == 4


def test_a_correction_that_comes_too_late_is_refused_with_what_stands(api, experiment, animals, member):
    cells = [cell(animal, 20) for animal in animals[:2]]
    send(api, experiment, cells)
    ada = rest_client(member("scientist", experiment, "ada"))
    correct(ada, experiment, [{"id": str(uuid.uuid4()), "observation": cells[0]["id"], "value": 25}])
    late = [{"id": str(uuid.uuid4()), "observation": each["id"], "value": 21} for each in cells]
    answer = correct(api, experiment, late)
    assert answer.status_code == 400
    (row,) = answer.json()["rows"]
    assert (row["row"], row["current"]["text"], row["current"]["by"]) == (1, "25", "ada")
    assert not Observation.objects.filter(value=21).exists()


def test_who_assesses_may_fill_a_grid_and_who_analyses_may_not(experiment, animals, member):
    set_masking(experiment, "blinded")
    for role, code in (("assessor", 200), ("technician", 400), ("analyst", 403), ("auditor", 403)):
        client = rest_client(member(role, experiment))
        assert send(client, experiment, [cell(animals[0], 20)]).status_code == code, role
        assert correct(client, experiment, [{"id": str(uuid.uuid4()), "observation": str(uuid.uuid4())}]).status_code in (
            400, 403,
        )  # fmt: skip


def test_a_cell_of_another_experiment_is_answered_as_if_it_did_not_exist(api, experiment, animals, member, world):
    hidden = cell(world.stranger, 20)
    assert (
        send(api, experiment, [hidden]).json()["rows"][0]["message"] == "The animal is not enrolled in this experiment."
    )
    assert send(api, type("Gone", (), {"pk": uuid.uuid4()}), [cell(animals[0], 20)]).status_code == 404


def test_what_one_person_typed_is_not_recorded_as_anothers(api, experiment, animals, scientist, member):
    other = member("technician", experiment)
    assert send(api, experiment, [cell(animals[0], 20)], person=str(other.pk)).status_code == 400
    assert not Observation.objects.exists()
    assert send(api, experiment, [cell(animals[0], 20)], person=str(scientist.pk)).status_code == 200
