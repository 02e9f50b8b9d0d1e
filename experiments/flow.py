"""The flow of animals through an experiment, as ARRIVE asks for it: enrolled, allocated, left out, lost, analysed."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from experiments.models import Exclusion, Experiment

COUNTS = (
    "n_enrolled", "n_not_eligible", "n_allocated", "n_induction_failed", "n_excluded", "n_died", "n_humane_endpoint",
    "n_analysed",
)  # fmt: skip

# An animal counts once in each column; `excluded` are those left out of everything for another reason. Analysed is who
# is in an arm, not excluded, and has a value at a planned timepoint: of the primary endpoint where there is one.
QUERY = """
SELECT arm_id, grouping(arm_id) = 1 AS is_total, count(*) AS n_enrolled,
       count(*) FILTER (WHERE 'before_allocation' = ANY (stages)) AS n_not_eligible,
       count(*) FILTER (WHERE arm_id IS NOT NULL) AS n_allocated,
       count(*) FILTER (WHERE 'induction_failure' = ANY (stages)) AS n_induction_failed,
       count(*) FILTER (WHERE stages && ARRAY['after_allocation', 'during_follow_up', 'analysis']) AS n_excluded,
       count(*) FILTER (WHERE kind IN ('found_dead', 'died', 'accidental')) AS n_died,
       count(*) FILTER (WHERE kind = 'humane_endpoint') AS n_humane_endpoint,
       count(*) FILTER (WHERE arm_id IS NOT NULL AND stages = '{}' AND is_measured) AS n_analysed
  FROM (SELECT l.arm_id, d.kind,
               ARRAY(SELECT x.stage::text FROM experiments_exclusion x
                      WHERE x.enrolment_id = e.id AND x.revoked_at IS NULL
                        AND (x.endpoint_id IS NULL OR x.endpoint_id = s.primary_endpoint_id)) AS stages,
               EXISTS (SELECT FROM experiments_observation o
                        WHERE o.experiment_id = e.experiment_id AND o.animal_id = e.animal_id AND o.is_current
                          AND o.timepoint_id IS NOT NULL
                          AND (s.primary_endpoint_id IS NULL OR o.endpoint_id = s.primary_endpoint_id)) AS is_measured
          FROM experiments_enrolment e
          JOIN experiments_experiment s ON s.id = e.experiment_id
          LEFT JOIN experiments_allocation l ON l.enrolment_id = e.id
          LEFT JOIN experiments_disposition d ON d.enrolment_id = e.id
         WHERE e.experiment_id = %s) one
 GROUP BY GROUPING SETS ((arm_id), ())
"""


def flow(experiment: Experiment, *, with_arms: bool) -> dict[str, Any]:
    """``total`` and, where ``with_arms``, ``arms``: the counts of every arm in the arms' order; one query for both."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [experiment.pk])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    total = next(row for row in rows if row["is_total"])
    by_arm = {row["arm_id"]: row for row in rows if not row["is_total"]}
    arms = [
        {"arm": arm.pk, "label": arm.label, **_counts(by_arm.get(arm.pk))}
        for arm in (experiment.arms.all() if with_arms else ())
    ]
    return {"total": _counts(total), "arms": arms}


def _counts(row: dict[str, Any] | None) -> dict[str, int]:
    return {name: row[name] if row else 0 for name in COUNTS}


def excluded_by_endpoint(experiment: UUID) -> dict[UUID | None, int]:
    """How many animals of the experiment with this key are left out, by endpoint; None: of everything, which counts for
    every endpoint besides.
    """
    rows = Exclusion.objects.filter(enrolment__experiment=experiment, revoked_at=None)
    whole = rows.filter(endpoint=None)
    apart = rows.exclude(endpoint=None).exclude(enrolment__in=whole.values("enrolment"))
    counted = dict(apart.values_list("endpoint").annotate(Count("enrolment", distinct=True)).order_by())
    return {**counted, None: whole.values("enrolment").distinct().count()}


def n_excluded(counted: dict[UUID | None, int], endpoint: UUID) -> int:
    """Animals that the summary of ``endpoint`` leaves out."""
    return counted[None] + counted.get(endpoint, 0)
