"""Every list page and the experiment's page ask the database as often for 200 rows as for 10."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.models import (
    Allocation,
    Animal,
    Cage,
    Disposition,
    Endpoint,
    Enrolment,
    Housing,
    Litter,
    Procedure,
    Report,
    ReportSchedule,
    SourceFile,
    Specimen,
)

pytestmark = pytest.mark.django_db

COMMITTED = Path(__file__).with_name("admin_query_counts.json")
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def fill(experiment, strain, person, first: int, last: int) -> None:
    """Rows ``first`` to ``last`` of everything that a list shows."""
    arms, weight = list(experiment.arms.all()), Endpoint.objects.get(key="body_weight")
    new = []
    for i in range(first, last):
        litter, cage = Litter(experiment=experiment, code=f"L{i}"), Cage(experiment=experiment, label=f"C{i}")
        litter.save(), cage.save()
        animal = Animal(lab_id=f"A{i:04}", strain=strain, sex="F", litter=litter)
        animal.save()
        enrolment = Enrolment(experiment=experiment, animal=animal, day_0=date(2026, 3, 2))
        enrolment.save()
        part = {"experiment": experiment, "enrolment": enrolment}
        rows = [
            Housing(animal=animal, cage=cage, started_on=date(2026, 2, 20)),
            Allocation(**part, arm=arms[i % 2]),
            Disposition(**part, kind="survived", occurred_on=date(2026, 4, 1)),
            Procedure(**part, name="induction", description="CTX"),
            Specimen(experiment=experiment, animal=animal, code=f"S{i}", collected_at=AT),
            SourceFile(experiment=experiment, sha256=f"{i:064x}", name=f"{i}.csv", size_bytes=1, uploaded_by=person),
            ReportSchedule(experiment=experiment, cadence="daily", at_time=AT.time()),
        ]
        for row in rows:
            row.save()
        job = jobs.request_job(kind="summarise", subject_id=animal.pk, by=person, experiment=experiment)
        Report(experiment=experiment, job=job).save()
        day_7 = experiment.timepoints.get(study_day=7)
        new.append(
            NewObservation(
                endpoint=weight.pk,
                animal=animal.pk,
                timepoint=day_7.pk,
                observed_at=AT + timedelta(1),
                number=Decimal(20 + i % 5),
            )
        )
    record_observations(experiment=experiment, observations=new, by=person)
    jobs.run(jobs.request_job(kind="summarise", subject_id=experiment.pk, by=person, experiment=experiment).pk)


def counts(client, experiment) -> dict[str, int]:
    urls = {"home": "/admin/", "experiment page": reverse("admin:experiments_experiment_page", args=[experiment.pk])}
    for model in admin.site._registry:
        if model._meta.app_label == "experiments":
            urls[model.__name__] = reverse(f"admin:experiments_{model._meta.model_name}_changelist")
    found = {}
    for name, url in sorted(urls.items()):
        client.get(url)  # what is remembered from the first time is not counted
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(url)
        if answer.status_code == 200:
            found[name] = len(queries)
    return found


def test_query_counts_do_not_grow_with_the_rows(experiment, animals, scientist, client):
    client.force_login(scientist)
    strain = animals[0].strain
    fill(experiment, strain, scientist, 0, 10)
    few = counts(client, experiment)
    fill(experiment, strain, scientist, 10, 200)
    many = counts(client, experiment)
    assert many == few
    assert few == json.loads(COMMITTED.read_text()), "if this is meant, write the counts above into the file"
