"""Every list page and the experiment's page ask the database as often for 200 rows as for 10."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    Job,
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
    arms, numbers = list(experiment.arms.all()), range(first, last)
    litters = Litter.objects.bulk_create(Litter(experiment=experiment, code=f"L{i}") for i in numbers)
    cages = Cage.objects.bulk_create(Cage(experiment=experiment, label=f"C{i}") for i in numbers)
    pairs = zip(numbers, litters, strict=True)
    animals = Animal.objects.bulk_create(Animal(lab_id=f"A{i:04}", strain=strain, litter=one) for i, one in pairs)
    day_0 = date(2026, 3, 2)
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(experiment=experiment, animal=animal, day_0=day_0) for animal in animals
    )
    rows: list[Any] = []
    for i, animal, cage, enrolment in zip(numbers, animals, cages, enrolments, strict=True):
        part = {"experiment": experiment, "enrolment": enrolment}
        rows += [
            Housing(animal=animal, cage=cage, started_on=date(2026, 2, 20)),
            Allocation(**part, arm=arms[i % 2]),
            Disposition(**part, kind="survived", occurred_on=date(2026, 4, 1)),
            Procedure(**part, name="induction", description="CTX"),
            Specimen(experiment=experiment, animal=animal, code=f"S{i}", collected_at=AT),
            SourceFile(experiment=experiment, sha256=f"{i:064x}", name=f"{i}.csv", size_bytes=1, uploaded_by=person),
            ReportSchedule(experiment=experiment, cadence="daily", at_time=AT.time()),
            Job(kind="other", subject_id=animal.pk, experiment=experiment, requested_by=person),
            Report(experiment=experiment),
        ]
    for model in {type(row) for row in rows}:
        model.objects.bulk_create(row for row in rows if type(row) is model)
    _observe(experiment, animals, person)


def _observe(experiment, animals, person) -> None:
    weight, day_7 = Endpoint.objects.get(key="body_weight"), experiment.timepoints.get(study_day=7)
    new = [
        NewObservation(endpoint=weight.pk, animal=a.pk, timepoint=day_7.pk, observed_at=AT, number=Decimal(20 + i % 5))
        for i, a in enumerate(animals)
    ]
    record_observations(experiment=experiment, observations=new, by=person)
    jobs.run(jobs.request_job(kind="summarise", subject_id=experiment.pk, by=person, experiment=experiment).pk)


def counts(client, experiment) -> dict[str, int]:
    urls = {"home": "/admin/", "experiment page": reverse("admin:experiments_experiment_page", args=[experiment.pk])}
    for kind in ("weights", "stages"):
        place = reverse("admin:experiments_experiment_grid", args=[experiment.pk, kind])
        urls[f"grid of {kind}"] = f"{place}?day=2026-03-09"
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
