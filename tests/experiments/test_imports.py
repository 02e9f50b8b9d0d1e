"""Sheets into the record: what is written, what is refused, what is already there, and who may."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from experiments import models
from experiments.actions import imports
from experiments.actions.observations import correct_observation
from labdb.base.models import User
from tests.experiments.sheet_imports import (
    check,
    done,
    in_tables,
    kept_template,
    mouse,
    problems,
    sheet,
    take,
    works_elsewhere,
)


@pytest.fixture
def template(db):
    return kept_template()


def test_one_sheet_writes_everything_that_it_says(template, scientist):
    data = sheet(mouse(), mouse("m2", arm="PBS", d14="dead", note="buffer"), mouse("m3", exp="E2", cage="no data"))
    run = check(data, template, scientist)
    assert run.state == "checked" and set(in_tables()) == set()
    assert problems(run) == [("C4", "unknown_cage")]
    assert take(run, scientist).state == "taken"
    assert in_tables() == {
        "Experiment": 2, "Membership": 2, "Strain": 1, "Cage": 1, "Litter": 2, "Arm": 3, "Animal": 3, "Enrolment": 3,
        "Allocation": 3, "Housing": 2, "Timepoint": 6, "Disposition": 1, "Procedure": 3, "Observation": 8,
    }  # fmt: skip
    msc, pbs = models.Arm.objects.filter(experiment__code="E1").order_by("-position")
    assert (msc.label, msc.kind, msc.reference, pbs.description) == ("MSC", "product", pbs, "buffer")
    assert models.Arm.objects.get(experiment__code="E2").reference is None
    assert set(models.Experiment.objects.values_list("masking", flat=True)) == {"blinded"}
    observation = models.Observation.objects.get(animal__lab_id="m1", timepoint__study_day=7)
    assert (observation.value, observation.unit, observation.source_place) == (Decimal("19.5"), "g", "Mice!K2")
    assert (observation.source_file, observation.is_time_known) == (run.source_file, False)
    ended = models.Housing.objects.get(animal__lab_id="m2")
    assert (ended.started_on, ended.ended_on) == (dt.date(2026, 3, 2), dt.date(2026, 3, 16))
    assert models.DataChange.objects.filter(experiment__code="E1").exists()


BROKEN = [
    mouse(),
    mouse("m2", d7=250),
    mouse("m3", litter="L3", born=dt.datetime(2026, 4, 1)),  # noqa: DTZ001
    mouse("m4"),
    mouse("m4", d0=22),
    mouse("m5", cage="no data"),
    mouse("m6", sex="?", d0="heavy"),
]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(template, scientist):
    run = check(sheet(*BROKEN), template, scientist)
    found = problems(run)
    assert {("K3", "implausible_weight"), ("A5", "repeated_animal"), ("A6", "repeated_animal")} <= set(found)
    assert ("C7", "unknown_cage") in found  # a warning: its row is valid
    assert {int(cell[1:]) for cell, _ in found} == {3, 4, 5, 6, 7, 8}
    assert {rule for cell, rule in found if cell.endswith("4")} == {"before_birth"}
    assert (run.counts["rows"], run.counts["rows_excluded"]) == (7, 5)
    with pytest.raises(ValidationError, match="5 of 7 rows have errors"):
        imports.take_import(run=run, by=scientist, valid_rows_only=False)
    assert in_tables() == {}
    assert take(run, scientist, valid_rows_only=True).state == "taken"
    assert set(models.Animal.objects.values_list("lab_id", flat=True)) == {"m1", "m5"}
    assert in_tables()["Observation"] == 6


def test_the_same_sheet_twice_writes_nothing_twice(template, scientist):
    data = sheet(mouse(), mouse("m2", arm="PBS", d14="dead"))
    take(check(data, template, scientist), scientist)
    before = in_tables()
    again = check(data, template, scientist)
    assert set(again.counts["new"].values()) == {0} and again.counts["already"]["weighings"] == 5
    assert again.counts["already"]["dispositions"] == 1
    assert take(again, scientist).state == "taken" and in_tables() == before


def test_a_later_sheet_appends(template, scientist):
    take(check(sheet(mouse(d14=None)), template, scientist), scientist)
    run = check(sheet(mouse(d14="dead"), mouse("m2", d14=18)), template, scientist)
    assert problems(run) == []
    new = {name: count for name, count in run.counts["new"].items() if count}
    assert new == {
        "animals": 1, "enrolments": 1, "allocations": 1, "housings": 1, "housings_ended": 1, "timepoints": 1,
        "weighings": 3, "dispositions": 1, "procedures": 1,
    }  # fmt: skip
    take(run, scientist)
    assert models.Housing.objects.get(animal__lab_id="m1").ended_on == dt.date(2026, 3, 16)


CONTRADICTIONS = {
    "recorded_strain": {"strain": "BALB/c"},
    "recorded_sex": {"sex": "M"},
    "recorded_born_on": {"born": dt.datetime(2026, 1, 6)},  # noqa: DTZ001
    "recorded_litter": {"litter": "L2"},
    "recorded_day_0": {"day_0": dt.datetime(2026, 3, 3), "d0": None, "d7": None, "d14": None},  # noqa: DTZ001
    "recorded_arm": {"arm": "PBS"},
    "recorded_body_weight": {"d7": 19.6},
    "housed_elsewhere": {"cage": "B"},
    "recorded_animal": {"id": "M1"},
    "recorded_disposition": {"d7": "dead", "d14": None},
}


@pytest.mark.parametrize("rule", CONTRADICTIONS)
def test_what_contradicts_the_record_is_an_error_with_its_place(template, scientist, rule):
    take(check(sheet(mouse(), mouse("m9", d14="dead")), template, scientist), scientist)
    name = "m9" if rule == "recorded_disposition" else "m1"
    before = in_tables()
    run = check(sheet(mouse(name, **CONTRADICTIONS[rule]), mouse("m2", litter="L9")), template, scientist)
    found = [problem for problem in problems(run) if problem[1] == rule]
    assert found and all(cell.endswith("2") and len(cell) > 1 for cell, _ in found)
    with pytest.raises(ValidationError):
        imports.take_import(run=run, by=scientist, valid_rows_only=False)
    assert in_tables() == before
    take(run, scientist, valid_rows_only=True)
    assert models.Animal.objects.count() == 3 and models.Strain.objects.count() == 1


def test_a_corrected_value_has_been_imported(template, scientist):
    data = sheet(mouse())
    take(check(data, template, scientist), scientist)
    wrong = models.Observation.objects.get(timepoint__study_day=7)
    correct_observation(observation=wrong, reason="mistyped", by=scientist, number=Decimal("18.5"))
    again = check(data, template, scientist)
    assert problems(again) == [] and again.counts["already"]["weighings"] == 3


def test_a_conflict_discovered_late_leaves_nothing_half_written(template, scientist, experiment):
    """A label that stands for another study day is refused by the database, after animals and housings were written."""
    models.Timepoint.objects.filter(experiment=experiment, study_day=7).update(study_day=8)
    before = in_tables()
    run = check(sheet(mouse(exp="POI-1")), template, scientist)
    assert problems(run) == []
    run = take(run, scientist)
    assert run.job.state == "failed" and "POI-1, timepoint of study day 7" in run.job.error
    assert in_tables() == before and run.state == "taking"
    models.Timepoint.objects.filter(label="day 7").update(label="day 8")
    assert take(run, scientist).state == "taken"
    assert in_tables()["Animal"] == 1


def test_a_window_takes_the_day_beside_it(template, scientist, experiment):
    point = models.Timepoint.objects.get(experiment=experiment, study_day=7)
    models.Timepoint.objects.filter(pk=point.pk).update(study_day=8, window_before_days=1)
    assert take(check(sheet(mouse(exp="POI-1")), template, scientist), scientist).state == "taken"
    assert models.Observation.objects.get(source_place="Mice!K2").timepoint_id == point.pk
    assert models.Timepoint.objects.count() == 3


def test_two_values_in_one_window_are_said(template, scientist, experiment):
    models.Timepoint.objects.filter(experiment=experiment, study_day=7).update(window_after_days=7)
    models.Timepoint.objects.filter(experiment=experiment, study_day=14).delete()
    run = check(sheet(mouse(exp="POI-1")), template, scientist)
    assert problems(run) == [("L2", "timepoint_taken")]


def test_an_arm_whose_descriptions_are_too_long_together(template, scientist):
    run = check(sheet(mouse(note="a" * 300), mouse("m2", note="b" * 300)), template, scientist)
    assert [found for found in problems(run) if found[1] == "arm_description_long"] == [
        ("N2", "arm_description_long"), ("N3", "arm_description_long"),
    ]  # fmt: skip


def test_a_file_that_is_no_sheet_is_said_and_cannot_be_taken(template, scientist):
    run = check(b"%PDF-1.7 \x00", template, scientist)
    assert run.state == "checked" and [problem["rule"] for problem in run.problems] == ["format_unknown"]
    with pytest.raises(ValidationError, match=r"expected an \.xlsx or CSV"):
        imports.take_import(run=run, by=scientist, valid_rows_only=True)
    run.refresh_from_db()
    assert imports.discard_import(run=run, by=scientist).state == "discarded"
    with pytest.raises(ValidationError, match="discarded; expected checked"):
        imports.take_import(run=run, by=scientist, valid_rows_only=True)


def test_a_missing_column_refuses_the_file_with_its_place(template, scientist):
    from tests.science.sheet_builders import csv_bytes

    run = imports.check_sheet(
        data=csv_bytes([["id", "exp"], ["m1", "E1"]]), name="a.csv", template=template, by=scientist
    )
    done(run)
    assert {problem["rule"] for problem in run.problems} == {"header_missing"} and run.counts["rows_excluded"] == 1


@pytest.fixture
def stranger(db):
    return works_elsewhere(User.objects.create_user("stranger", password="a-good-passphrase-2", is_staff=True))


def test_the_run_of_a_file_is_its_senders(template, scientist, stranger):
    run = check(sheet(mouse()), template, scientist)
    assert not models.ImportRun.objects.visible_to(stranger).exists()
    assert not models.ImportRow.objects.visible_to(stranger).exists()
    for verb in (imports.discard_import, lambda **given: imports.take_import(valid_rows_only=False, **given)):
        with pytest.raises(PermissionDenied):
            verb(run=run, by=stranger)
    superuser = User.objects.create_superuser("chief", password="a-good-passphrase-3")
    assert not models.ImportRun.objects.visible_to(superuser).exists()  # a sheet may tell the arms of any experiment


def test_nobody_writes_into_an_experiment_that_is_not_theirs(template, scientist, stranger):
    take(check(sheet(mouse()), template, scientist), scientist)
    before = in_tables()
    run = check(sheet(mouse("x1"), mouse("m1", exp="E9", cage="Z")), template, stranger)
    assert [found for found in problems(run) if found[1] != "animal_in_several_experiments"] == [
        ("B2", "experiment_not_writable"), ("A3", "animal_not_visible"),
    ]  # fmt: skip
    take(run, stranger, valid_rows_only=True)
    assert in_tables() == before
    assert "C57BL" not in str(list(models.ImportRow.objects.filter(run=run).values_list("problems", flat=True)))


def test_a_file_of_one_experiment_holds_rows_of_no_other(template, scientist, experiment):
    run = check(sheet(mouse(exp="POI-1"), mouse("m2")), template, scientist, experiment=experiment)
    assert problems(run) == [("B3", "other_experiment")]
    assert run.source_file.experiment == experiment and run.job.experiment == experiment


def test_a_template_with_faults_is_refused_with_all_of_them(db, scientist):
    with pytest.raises(ValidationError) as caught:
        imports.keep_template(name="x", kind="animals", mapping={"columns": {"animal": 3}, "colour": 1}, by=scientist)
    assert len(caught.value.message_dict["mapping"]) == 3


def test_two_take_one_wins(committed_db):
    scientist = works_elsewhere(User.objects.create_user("scientist", password="a-good-passphrase-1", is_staff=True))
    run = check(sheet(mouse()), kept_template(), scientist)
    start, outcomes = threading.Barrier(4), []

    def taker():
        start.wait()
        try:
            outcomes.append(imports.take_import(run=run, by=scientist, valid_rows_only=False))
        except ValidationError:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=taker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4 and sum(outcome is not None for outcome in outcomes) == 1
    run.refresh_from_db()
    assert done(run).state == "taken"
