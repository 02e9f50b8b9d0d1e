"""Rows of an experiment that the person who asks is no member of; every text in them begins with ``HIDDEN``."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from experiments.models import (
    Allocation,
    Animal,
    Arm,
    Cage,
    Disposition,
    Endpoint,
    Enrolment,
    Estimate,
    Experiment,
    Housing,
    Job,
    Litter,
    Membership,
    Observation,
    OutcomeSummary,
    Procedure,
    Report,
    ReportSchedule,
    SourceFile,
    Specimen,
    Strain,
    Timepoint,
)

WORD = "HIDDEN"
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def saved(row: models.Model) -> Any:
    row.save()
    return row


def make_hidden() -> dict[type[models.Model], Any]:
    """One row of every model that belongs to the hidden experiment, by model."""
    owner = get_user_model().objects.create_user("owner", is_staff=True, last_name=f"{WORD}-owner")
    strain = Strain.objects.first() or saved(Strain(name="C57BL/6J"))
    experiment = saved(Experiment(code=f"{WORD}-B", title=f"{WORD} title", masking="open_label"))
    saved(Membership(experiment=experiment, user=owner, role=Membership.Role.DIRECTOR))
    arm = saved(Arm(experiment=experiment, label=f"{WORD} arm"))
    timepoint = saved(Timepoint(experiment=experiment, label=f"{WORD} day 7", study_day=7))
    litter = saved(Litter(experiment=experiment, code=f"{WORD}-L"))
    cage = saved(Cage(experiment=experiment, label=f"{WORD}-C"))
    animal = saved(Animal(lab_id=f"{WORD}-001", strain=strain, sex="F", litter=litter))
    enrolment = saved(Enrolment(experiment=experiment, animal=animal, day_0=date(2026, 3, 2)))
    part = {"experiment": experiment, "enrolment": enrolment}
    job = saved(Job(kind=f"{WORD}_work", subject_id=experiment.pk, experiment=experiment, state="failed", error=WORD))
    endpoint = Endpoint.objects.get(key="body_weight")
    summary = saved(
        OutcomeSummary(
            experiment=experiment, endpoint=endpoint, scale="identity", inputs_sha256="0" * 64, methods={"a": "1"},
            computed_at=AT, job=job,
        )
    )  # fmt: skip
    rows = [
        experiment, arm, timepoint, litter, cage, animal, enrolment, job, summary,
        saved(Housing(animal=animal, cage=cage, started_on=date(2026, 2, 20))),
        saved(Allocation(**part, arm=arm)),
        saved(Disposition(**part, kind="found_dead", occurred_on=date(2026, 3, 9), note=WORD)),
        saved(Procedure(**part, name=f"{WORD} induction", description=WORD)),
        saved(Specimen(experiment=experiment, animal=animal, code=f"{WORD}-S", collected_at=AT)),
        saved(SourceFile(experiment=experiment, sha256="a" * 64, name=f"{WORD}.csv", size_bytes=1, uploaded_by=owner)),
        saved(ReportSchedule(experiment=experiment, cadence="daily", at_time=time(7))),
        saved(Report(experiment=experiment, job=job)),
        saved(
            Observation(
                experiment=experiment, animal=animal, endpoint=endpoint, timepoint=timepoint, observed_at=AT,
                category=WORD, recorded_by=owner, recorded_at=AT,
            )
        ),
    ]  # fmt: skip
    estimate = Estimate(
        summary=summary, timepoint=timepoint, arm=arm, quantity=f"{WORD}_mean", scale="identity", estimate=1.0,
        method_key=WORD, method_version="1", method=WORD,
    )  # fmt: skip
    rows += Estimate.objects.bulk_create([estimate])  # as the verb writes it
    return {type(row): row for row in rows}
