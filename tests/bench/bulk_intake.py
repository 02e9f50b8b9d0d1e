"""100,000 observations through ``record_observations`` against binary COPY of the same rows into the same table."""

import time
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection, transaction

ROWS, TIMEPOINTS = 100_000, 50


def run() -> list[dict]:
    """The ratio of the best of three runs each, in turn, every run rolled back."""
    experiment, user, animals = make_experiment(ROWS // TIMEPOINTS)
    verb, copy = [], []
    for _ in range(3):
        rows = new_observations(experiment, animals)
        verb.append(_timed(lambda rows=rows: _record(experiment, rows, user)))
        values = _stored_form(experiment, user, rows)
        copy.append(_timed(lambda values=values: _copy(values)))
    ratio = min(verb) / min(copy)
    detail = f"{ROWS:,} rows: {min(verb):.2f} s against {min(copy):.2f} s"
    return [{"what": "bulk intake", "ratio": ratio, "aim": 4, "against": "binary COPY", "detail": detail}]


def make_experiment(n_animals: int):
    """An experiment with ``n_animals`` in two arms and TIMEPOINTS planned days."""
    from experiments.models import Allocation, Animal, Arm, Enrolment, Experiment, Membership, Strain, Timepoint
    from labdb.base.models import User

    user = User.objects.create_user("bench")
    experiment = Experiment.objects.create(code="BENCH", title="Bench", masking="open_label")
    Membership.objects.create(experiment=experiment, user=user, role=Membership.Role.SCIENTIST)
    control = Arm.objects.create(experiment=experiment, label="control", position=1)
    treated = Arm.objects.create(experiment=experiment, label="treated", position=2, reference=control)
    Timepoint.objects.bulk_create(
        Timepoint(experiment=experiment, label=f"d{d}", study_day=d) for d in range(TIMEPOINTS)
    )
    strain = Strain.objects.create(name="C57BL/6J")
    animals = Animal.objects.bulk_create(Animal(lab_id=f"B{n:06}", strain=strain) for n in range(n_animals))
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(experiment=experiment, animal=animal, day_0=date(2026, 1, 1)) for animal in animals
    )
    Allocation.objects.bulk_create(
        Allocation(experiment=experiment, enrolment=e, arm=(control, treated)[n % 2]) for n, e in enumerate(enrolments)
    )
    return experiment, user, animals


def new_observations(experiment, animals):
    from experiments.actions.observations import NewObservation
    from experiments.models import Endpoint

    weight = Endpoint.objects.get(key="body_weight").pk
    start = datetime(2026, 1, 1, 9, tzinfo=ZoneInfo("UTC"))
    points = [(t.pk, start + timedelta(t.study_day)) for t in experiment.timepoints.all()]
    return [
        NewObservation(
            endpoint=weight,
            animal=animal.pk,
            timepoint=point,
            observed_at=at,
            number=Decimal(f"{18 + n % 700 / 100:.2f}"),
        )
        for n, animal in enumerate(animals)
        for point, at in points
    ]


def _record(experiment, rows, user) -> None:
    from experiments.actions.observations import record_observations

    record_observations(experiment=experiment, observations=rows, by=user)


def _stored_form(experiment, user, rows) -> list[tuple]:
    from experiments.actions.observations import _rows

    return [(uuid.uuid4(), *row[1:], "") for row in _rows(experiment, rows, user)]


def _copy(values: list[tuple]) -> None:
    from experiments.actions.observations import NAMES
    from experiments.models import Observation
    from labdb.base.bulk import _copy as copy_binary

    fields = [Observation._meta.get_field(name) for name in (*NAMES, "reason")]
    copy_binary(Observation._meta.db_table, fields, values)


def _timed(work) -> float:
    with transaction.atomic():
        start = time.perf_counter()
        work()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        taken = time.perf_counter() - start
        transaction.set_rollback(True)
    return taken
