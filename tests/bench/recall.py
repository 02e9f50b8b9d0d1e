"""A recall that reaches 100,000 doses beside the same recursive SQL by hand, in the same run."""

import statistics
import time
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

DOSES = 100_000
ROUNDS = 7
BY_HAND = """
WITH RECURSIVE passages(id) AS (
    SELECT id FROM experiments_passage WHERE batch_id = %(batch)s
), lots(id) AS (
    SELECT o.id FROM experiments_lot o JOIN passages p ON p.id = o.passage_id
    UNION
    SELECT s.lot_id FROM lots l JOIN experiments_lotsource s ON s.source_lot_id = l.id
)
SELECT p.experiment_id, x.code, p.enrolment_id, a.id, a.lab_id, count(DISTINCT d.id), max(p.performed_on)
  FROM lots l JOIN experiments_vial v ON v.lot_id = l.id JOIN experiments_dosevial g ON g.vial_id = v.id
  JOIN experiments_dose d ON d.id = g.dose_id JOIN experiments_procedure p ON p.id = d.procedure_id
  JOIN experiments_experiment x ON x.id = p.experiment_id JOIN experiments_enrolment e ON e.id = p.enrolment_id
  JOIN experiments_animal a ON a.id = e.animal_id
 GROUP BY p.experiment_id, x.code, p.enrolment_id, a.id, a.lab_id
"""


def run() -> list[dict[str, Any]]:
    """Milliseconds (median) of both, and their ratio. Rows are made in DATABASE_URL and stay there."""
    from experiments.lineage import reached

    batch, person = doses_of_one_batch(DOSES)
    by_hand = _querying(batch)
    found, same = reached(person, batches=[batch]).animals, by_hand()
    assert len(found) == len(same) == DOSES
    times: dict[str, list[float]] = {"recall": [], "by hand": []}
    for _ in range(ROUNDS):  # by turns, so that a busy machine is busy for both
        times["recall"].append(_timed(lambda: reached(person, batches=[batch])))
        times["by hand"].append(_timed(by_hand))
    recall_ms, by_hand_ms = (1000 * statistics.median(times[name]) for name in ("recall", "by hand"))
    return [
        {
            "what": f"animals reached by a recall over {DOSES:,} doses",
            "ratio": recall_ms / by_hand_ms,
            "against": "the same recursive SQL by hand",
            "aim": 3,
            "detail": f"{recall_ms:.0f} ms, {by_hand_ms:.0f} ms (medians of {ROUNDS})",
        }
    ]


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _querying(batch: Any) -> Callable[[], list]:
    from django.db import connection

    def query() -> list:
        with connection.cursor() as cursor:
            cursor.execute(BY_HAND, {"batch": batch})
            return cursor.fetchall()

    return query


def doses_of_one_batch(count: int) -> tuple[uuid.UUID, Any]:
    """A batch of whose cells, and of vesicles made of them, ``count`` animals got a dose; ten doses a vial."""
    from django.db import connection, transaction

    from experiments.models import (
        Animal,
        Dose,
        DoseVial,
        Enrolment,
        Experiment,
        LotSource,
        Membership,
        Procedure,
        StockMovement,
        Strain,
        Vial,
    )
    from labdb.base.models import User
    from tests.experiments.stock_world import make_stock

    mark = uuid.uuid4().hex[:8]
    person = User.objects.create(username=f"bench-{mark}", password="!")
    experiment = Experiment.objects.create(code=f"BENCH-{mark}", title="measured", masking="open_label")
    Membership(experiment=experiment, user=person, role="director").save()
    stock = make_stock(person, released=False)
    derived = stock.lot_of(stock.cells)
    LotSource(lot=derived, source_lot=stock.lot).save()
    with transaction.atomic():
        vials = [
            Vial(lot=(stock.lot, derived)[n % 2], code=f"{mark}-{n}", amount=10, amount_left=10)
            for n in range(count // 10)
        ]
        _write(vials)
        _write([StockMovement(vial=vial, kind="made", amount=10, moved_by=person) for vial in vials])
        strain = Strain.objects.create(name=mark, species="mouse")
        animals = _write([Animal(lab_id=f"{mark}-{n}", strain=strain, sex="F") for n in range(count)])
        enrolled = _write([Enrolment(experiment=experiment, animal=animal) for animal in animals])
        day = date(2026, 3, 9)
        done = _write([Procedure(experiment=experiment, enrolment=e, name="cells", performed_on=day) for e in enrolled])
        doses = _write([Dose(procedure=each, product=stock.cells, amount=1, route="intravenous") for each in done])
        _write([DoseVial(dose=dose, vial=vials[n // 10], amount=1) for n, dose in enumerate(doses)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return stock.batch.pk, person


def _write(rows: list[Any]) -> list[Any]:
    return type(rows[0])._base_manager.bulk_create(rows, batch_size=5000)
