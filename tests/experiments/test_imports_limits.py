"""What an import must not tell, not write and not leave out; and the ways out of an import that failed."""

import datetime as dt
import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from experiments import models
from experiments.actions import imports, jobs
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

SECRET = "SECRET TREATMENT"


@pytest.fixture
def template(db):
    return kept_template()


@pytest.fixture
def stranger(db):
    return works_elsewhere(User.objects.create_user("stranger", password="a-good-passphrase-2", is_staff=True))


def messages(run: models.ImportRun) -> str:
    rows = models.ImportRow.objects.filter(run=run).values_list("problems", flat=True)
    return "\n".join(problem["message"] for told in [run.problems, *rows] for problem in told)


def test_the_record_of_an_experiment_that_is_not_theirs_is_not_told(template, scientist, stranger):
    first = sheet(mouse(note=SECRET, litter="L1"), mouse("m2", arm="SECRET ARM"))
    take(check(first, template, scientist, masking="open_label"), scientist)
    changed = {"note": "buffer", "litter": "L1", "born": dt.datetime(2026, 1, 7)}  # noqa: DTZ001
    probe = sheet(mouse("x1", **changed))
    owner = check(probe, template, scientist)
    assert SECRET in messages(owner) and ("G2", "recorded_born_on") in problems(owner)
    run = check(probe, template, stranger)
    assert problems(run) == [("B2", "experiment_not_writable")] and run.problems == []
    assert "this code is in use by an experiment in which you may not write" in messages(run)


@pytest.mark.parametrize("masking", ["blinded", "open_label"])
def test_only_an_open_label_experiment_has_its_arms_told(template, scientist, masking):
    first = sheet(mouse(arm="MSC", note=SECRET), mouse("m2", arm="PBS", note="buffer"))
    take(check(first, template, scientist, masking=masking), scientist)
    run = check(sheet(mouse(arm="PBS", note="water"), mouse("m3", note="cells")), template, scientist)
    found = [p for row in models.ImportRow.objects.filter(run=run) for p in row.problems] + run.problems
    told = [problem["message"] for problem in found if problem["rule"] == "recorded_arm"]
    quoted = [message for message in told if SECRET in message or "expected MSC" in message]
    assert len(told) == 3 and len(quoted) == (2 if masking == "open_label" else 0)
    assert all(("differs from the record" in message) == (masking == "blinded") for message in told)


def enrolled_elsewhere(code: str, by: User) -> None:
    """The animal m1 also in an experiment of ``by``."""
    foreign = models.Experiment(code=code, title=code)
    foreign.save()
    models.Membership(experiment=foreign, user=by, role="scientist").save()
    models.Enrolment(experiment=foreign, animal=models.Animal.objects.get(lab_id="m1")).save()


def test_the_housing_of_an_animal_in_a_foreign_experiment_is_not_written(template, scientist, stranger):
    take(check(sheet(mouse(d14=None)), template, scientist), scientist)
    enrolled_elsewhere("F1", stranger)
    assert problems(check(sheet(mouse()), template, scientist)) == []  # where it lives already
    ending = check(sheet(mouse(d14="dead")), template, scientist)
    assert [rule for _, rule in problems(ending)] == ["housing_not_writable"]
    assert "m1 is also in an experiment in which you may not write" in messages(ending)
    models.Housing.objects.update(ended_on=dt.date(2026, 3, 3))
    later = {"day_0": dt.datetime(2026, 4, 1), "cage": "Z", "exp": "E9"}  # noqa: DTZ001
    moving = check(sheet(mouse(**later)), template, stranger)
    assert [rule for _, rule in problems(moving)] == ["housing_not_writable"]
    before = in_tables()
    take(moving, stranger, valid_rows_only=True)
    assert in_tables() == before


def test_a_row_that_was_valid_when_it_was_checked_is_not_left_out(template, scientist):
    run = check(sheet(mouse(), mouse("m2", d7=250), mouse("m3")), template, scientist)
    take(check(sheet(mouse(d7=18)), template, scientist), scientist)
    before = in_tables()
    run = take(run, scientist, valid_rows_only=True)
    assert run.job.state == "failed" and in_tables() == before
    assert "valid when the sheet was checked have errors by now: 2." in run.job.error
    assert "Mice!K2" in run.job.error and "Mice!K3" not in run.job.error
    assert imports.discard_import(run=run, by=scientist).state == "discarded"


def test_an_import_whose_check_failed_is_discarded(template, scientist):
    run = imports.check_sheet(data=sheet(mouse()), name="mice.xlsx", template=template, by=scientist)
    with pytest.raises(ValidationError, match="checking; expected checked"):
        imports.discard_import(run=run, by=scientist)
    models.Job.objects.filter(pk=run.job_id).update(requested_by=None)  # whoever asked is gone: the check fails
    run = done(run)
    assert (run.state, run.job.state) == ("checking", "failed")
    assert imports.discard_import(run=run, by=scientist).state == "discarded"


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_of_two_jobs_of_one_run_the_later_sees_what_the_earlier_did(committed_db):
    scientist = works_elsewhere(User.objects.create_user("scientist", password="a-good-passphrase-1", is_staff=True))
    run = check(sheet(mouse()), kept_template(), scientist)
    imports.take_import(run=run, by=scientist, valid_rows_only=False)

    def work() -> None:
        try:
            jobs.run(run.job_id)
        finally:
            connection.close()

    later = threading.Thread(target=work)
    with transaction.atomic():
        models.ImportRun.objects.filter(pk=run.pk).update(state="taken")  # as the earlier job does at its end
        later.start()
        limit = time.monotonic() + 30
        while not waits_for_a_lock():
            assert later.is_alive() and time.monotonic() < limit
            time.sleep(0.05)
    later.join()
    run.refresh_from_db()
    assert (run.job.state, run.job.error) == ("failed", "The import is taken; expected taking.")
    assert in_tables() == {}
