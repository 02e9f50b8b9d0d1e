"""A recall that reaches 100,000 doses beside the same recursive SQL by hand, in the same run."""

import statistics
import time
import uuid
from collections.abc import Callable
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

    from experiments.models import Experiment, LotSource, Membership
    from labdb.base.models import User
    from tests.experiments.stock_world import make_stock

    mark = uuid.uuid4().hex[:8]
    person = User.objects.create(username=f"bench-{mark}", password="!")
    experiment = Experiment.objects.create(code=f"BENCH-{mark}", title="measured", masking="open_label")
    Membership(experiment=experiment, user=person, role="director").save()
    stock = make_stock(person, released=False)
    derived = stock.lot_of(stock.cells)
    LotSource(lot=derived, source_lot=stock.lot).save()
    given = {"n": count, "mark": mark, "experiment": experiment.pk, "person": person.pk, "product": stock.cells.pk}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in ROWS:
            cursor.execute(statement, given | {"lots": [stock.lot.pk, derived.pk]})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return stock.batch.pk, person


ROWS = (
    "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT n, gen_random_uuid() AS animal, gen_random_uuid() AS enrolment,"
    " gen_random_uuid() AS procedure, gen_random_uuid() AS dose FROM generate_series(1, %(n)s) n",
    "CREATE TEMP TABLE made_vials ON COMMIT DROP AS SELECT v, gen_random_uuid() AS id,"
    " (%(lots)s::uuid[])[1 + v %% 2] AS lot FROM generate_series(0, %(n)s / 10) v",
    "INSERT INTO experiments_strain (id, name, species, mgi_id, rrid) SELECT gen_random_uuid(), %(mark)s, 'mouse', '', ''",
    "INSERT INTO experiments_animal (id, lab_id, strain_id, sex) SELECT animal, %(mark)s || '-' || n,"
    " (SELECT id FROM experiments_strain WHERE name = %(mark)s), 'F' FROM made",
    "INSERT INTO experiments_enrolment (id, experiment_id, animal_id, actual_severity)"
    " SELECT enrolment, %(experiment)s, animal, '' FROM made",
    "INSERT INTO experiments_procedure (id, experiment_id, enrolment_id, kind, name, description, performed_on, deviation,"
    " deviation_reason) SELECT procedure, %(experiment)s, enrolment, 'transplantation', 'cells', '', '2026-03-09', '', ''"
    " FROM made",
    "INSERT INTO experiments_dose (id, procedure_id, product_id, amount, vehicle, route, site, needle, co_treatment)"
    " SELECT dose, procedure, %(product)s, 1, '', 'intravenous', '', '', '' FROM made",
    "INSERT INTO experiments_vial (id, lot_id, code, amount, amount_left, cryoprotectant, state)"
    " SELECT id, lot, %(mark)s || '-' || v, 10, 10, '', 'stored' FROM made_vials",
    "INSERT INTO experiments_stockmovement (id, vial_id, kind, amount, moved_at, moved_by_id, reason)"
    " SELECT gen_random_uuid(), id, 'made', 10, now(), %(person)s, '' FROM made_vials",
    "INSERT INTO experiments_dosevial (id, dose_id, vial_id, amount)"
    " SELECT gen_random_uuid(), dose, id, 1 FROM made JOIN made_vials ON v = n / 10",
)
