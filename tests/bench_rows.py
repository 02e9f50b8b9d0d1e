"""Rows for the measurements, made in the database that DATABASE_URL names."""

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

ANIMALS = 100


def observations_of_one_experiment(count: int) -> tuple[Any, Any]:
    """A new open-label experiment of a new person with ``count`` body weights of 100 animals in two arms."""
    from experiments.actions.observations import NewObservation, record_observations
    from experiments.models import Endpoint, Experiment, Membership, Timepoint
    from labdb.base.models import User

    mark = uuid.uuid4().hex[:8]
    person = User(username=f"bench-{mark}", password="!")
    person.save()
    experiment = Experiment(code=f"BENCH-{mark}", title="measured", masking="open_label", is_simulated=True)
    experiment.save()
    Membership(experiment=experiment, user=person, role=Membership.Role.SCIENTIST).save()
    days = [Timepoint(experiment=experiment, label=f"day {day}", study_day=day) for day in range(count // ANIMALS)]
    Timepoint.objects.bulk_create(days)
    animals = _animals(experiment, mark)
    weight, morning = Endpoint.objects.get(key="body_weight"), datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("UTC"))
    record_observations(
        experiment=experiment,
        by=person,
        observations=[
            NewObservation(
                endpoint=weight.pk,
                animal=animal,
                timepoint=day.pk,
                observed_at=morning + timedelta(days=day.study_day),
                number=Decimal(200 + (number * 7 + day.study_day) % 90) / 10,
            )
            for day in days
            for number, animal in enumerate(animals)
        ],
    )
    return experiment, person


def _animals(experiment: Any, mark: str) -> list[uuid.UUID]:
    from experiments.models import Allocation, Animal, Arm, Cage, Enrolment, Housing, Strain

    strain, _ = Strain.objects.get_or_create(name="C57BL/6J", species="mouse")
    arms = Arm.objects.bulk_create([Arm(experiment=experiment, label=label) for label in ("PBS", "MSC")])
    cages = Cage.objects.bulk_create([Cage(experiment=experiment, label=f"C{n}") for n in range(20)])
    animals = Animal.objects.bulk_create(
        [Animal(lab_id=f"{mark}-{n:03}", strain=strain, sex="F") for n in range(ANIMALS)]
    )
    day_0 = date(2026, 3, 2)
    enrolled = Enrolment.objects.bulk_create([Enrolment(experiment=experiment, animal=a, day_0=day_0) for a in animals])
    Allocation.objects.bulk_create(
        [Allocation(experiment=experiment, enrolment=e, arm=arms[n % 2]) for n, e in enumerate(enrolled)]
    )
    Housing.objects.bulk_create(
        [Housing(animal=a, cage=cages[n % 20], started_on=day_0) for n, a in enumerate(animals)]
    )
    return [animal.pk for animal in animals]
