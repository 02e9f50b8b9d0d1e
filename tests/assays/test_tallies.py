"""A sheet of follicle counts, from upload to observations."""

import pytest
from django.core.exceptions import ValidationError

from assays.actions import accept_run, publish_run, upload_plate_file
from experiments.actions import jobs
from experiments.models import Endpoint, Observation

pytestmark = pytest.mark.django_db
HEADER = "animal,side,section,class,count"


def sheet(*animals: str) -> str:
    lines = [HEADER]
    for animal in animals:
        for side in ("left", "right"):
            for section in (1, 2):
                lines += [f"{animal},{side},{section},primordial,3", f"{animal},{side},{section},corpora lutea,1"]
    return "\n".join(lines)


@pytest.fixture
def tally(experiment, animals, scientist):
    def uploaded(text, **given):
        wanted = {"parameters": {"every_nth": 5}, "timepoint": experiment.timepoints.get(study_day=14)}
        run = upload_plate_file(
            experiment=experiment, endpoint=None, kind="follicle_count", data=text.encode(), name="counts.csv",
            by=scientist, **(wanted | given),
        )  # fmt: skip
        jobs.run(run.job_id)
        run.refresh_from_db()
        return run

    return uploaded


def test_counts_become_an_estimate_an_animal_and_class(tally, scientist, animals):
    run = tally(sheet("M001", "M002", "M404"))
    assert run.state == "quantified", run.job.error
    assert run.tally_rows.count() == 24
    accept_run(run=run, by=scientist)
    assert publish_run(run=run, by=scientist) == 4
    rows = Observation.objects.filter(animal=animals[0])
    assert {(r.endpoint.key, int(r.value)) for r in rows} == {("follicles_primordial", 60), ("corpora_lutea", 20)}
    assert {r.timepoint.study_day for r in rows} == {14}
    assert rows[0].observed_at.date().isoformat() == "2026-03-16" and not rows[0].is_time_known
    assert "M404" in run.remarks.get(topic="specimen").text


def test_every_faulty_cell_is_named(tally):
    run = tally(f"{HEADER}\nM001,left,1,primordial,3\nM001,middle,1,primordial,3\nM001,left,x,primary,\n,left,1,egg,2")
    told = run.job.error
    assert run.state == "draft"
    assert all(word in told for word in ("B3", "middle", "row 4", "E4", "A5", "egg"))


def test_a_plate_endpoint_does_not_go_with_counts(experiment, scientist):
    with pytest.raises(ValidationError, match="names its endpoints itself"):
        upload_plate_file(
            experiment=experiment, endpoint=Endpoint.objects.get(key="e2"), kind="follicle_count", data=b"x",
            name="counts.csv", by=scientist,
        )  # fmt: skip
