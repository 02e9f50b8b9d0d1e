"""The tidy table of an experiment: a row an observation, streamed by PostgreSQL's COPY as CSV or JSON.

Columns, in this order. ``value`` and ``limit`` stand in ``unit``. ``qualifier`` is ``<`` or ``>`` beyond a quantification
limit (then ``limit`` is given) and empty for a value as measured. ``study_day`` is the local date of the observation less
the animal's day 0, in whole days; ``planned_study_day`` that of the timepoint. ``cage`` is where the animal lived on that
day. ``arm`` is a column for whoever may know the arms (``labdb.base.access.sees_arms``).
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection

from experiments.models import Experiment

# The first characters that make a spreadsheet run a cell: = + - @ TAB CR, and LF, which some skip.
FORMULA = "(61, 43, 45, 64, 9, 13, 10)"

QUERY = """
WITH animals AS MATERIALIZED (
    SELECT a.id, {a.lab_id} AS animal, a.sex, {s.name} AS strain, {r.label} AS arm, {i.code} AS litter, e.day_0
      FROM experiments_enrolment e
      JOIN experiments_animal a ON a.id = e.animal_id
      JOIN experiments_strain s ON s.id = a.strain_id
      LEFT JOIN experiments_litter i ON i.id = a.litter_id
      LEFT JOIN experiments_allocation l ON l.enrolment_id = e.id
      LEFT JOIN experiments_arm r ON r.id = l.arm_id
     WHERE e.experiment_id = %(experiment)s
), stays AS MATERIALIZED (
    SELECT h.animal_id, h.started_on, coalesce(h.ended_on, 'infinity') AS ended_on, {g.label} AS cage
      FROM experiments_housing h JOIN experiments_cage g ON g.id = h.cage_id
     WHERE h.animal_id IN (SELECT id FROM animals)
), events AS (
    SELECT o.*, (o.observed_at AT TIME ZONE %(zone)s)::date AS local_day
      FROM experiments_observation o WHERE o.experiment_id = %(experiment)s AND o.is_current
)
SELECT {x.code} AS experiment, a.animal, a.sex, a.strain, {arm}
       coalesce(h.cage, {c.label}) AS cage, coalesce(a.litter, {j.code}) AS litter,
       {p.key} AS endpoint, {t.label} AS timepoint, t.study_day AS planned_study_day,
       o.local_day - a.day_0 AS study_day,
       to_char(o.observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS observed_at,
       o.value, {o.unit} AS unit, CASE WHEN o.qualifier <> '=' THEN o.qualifier END AS qualifier, o."limit",
       {o.category} AS category, o.side, {o.reader} AS reader, o.ordinal, {m.code} AS specimen, o.id AS observation
  FROM events o
  JOIN experiments_experiment x ON x.id = o.experiment_id
  JOIN experiments_endpoint p ON p.id = o.endpoint_id
  LEFT JOIN animals a ON a.id = o.animal_id
  LEFT JOIN stays h ON h.animal_id = o.animal_id AND h.started_on <= o.local_day AND o.local_day < h.ended_on
  LEFT JOIN experiments_cage c ON c.id = o.cage_id
  LEFT JOIN experiments_litter j ON j.id = o.litter_id
  LEFT JOIN experiments_timepoint t ON t.id = o.timepoint_id
  LEFT JOIN experiments_specimen m ON m.id = o.specimen_id
 ORDER BY p.key, a.animal, o.observed_at, o.id
"""
TEXTS = ("a.lab_id", "s.name", "r.label", "i.code", "g.label", "x.code", "c.label", "j.code", "p.key", "t.label") + (
    "o.unit", "o.category", "o.reader", "m.code",
)  # fmt: skip

# With quotes and delimiters that JSON never holds, COPY's CSV is one untouched JSON document a line.
AS_JSON = "COPY (SELECT row_to_json(d) FROM ({query}) d) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
AS_CSV = "COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"


class _Texts(dict):
    """``{t.label}`` in a template: the column itself, or the column made harmless for a spreadsheet."""

    def __init__(self, alias: str, template: str) -> None:
        super().__init__()
        self.alias, self.template = alias, template

    def __getattr__(self, column: str) -> str:
        return self.template.format(f"{self.alias}.{column}")


def query(*, escaped: bool, with_arm: bool) -> str:
    """The SELECT of the table; ``escaped`` puts an apostrophe before text that a spreadsheet would run."""
    template = f"CASE WHEN ascii({{0}}) IN {FORMULA} THEN '''' || {{0}} ELSE {{0}} END" if escaped else "{0}"
    texts: dict[str, Any] = {alias: _Texts(alias, template) for alias in {text.split(".")[0] for text in TEXTS}}
    return QUERY.format(**texts, arm="a.arm," if with_arm else "")


def stream_csv(experiment: Experiment, with_arm: bool) -> Iterator[bytes]:
    """RFC 4180 with a header; numbers stay numbers, text that would start a formula gets an apostrophe."""
    return _copy(AS_CSV.format(query=query(escaped=True, with_arm=with_arm)), experiment)


def stream_json(experiment: Experiment, with_arm: bool) -> Iterator[bytes]:
    """An array of objects, one a line."""
    start = b"[\n"
    for block in _copy(AS_JSON.format(query=query(escaped=False, with_arm=with_arm)), experiment):
        lines = block.rstrip(b"\n").replace(b"\n", b",\n")
        yield start + lines
        start = b",\n"
    yield b"\n]\n" if start == b",\n" else b"[]\n"


def _copy(statement: str, experiment: Experiment) -> Iterator[bytes]:
    """Whole lines of ``statement``'s output, in blocks."""
    block: list[bytes] = []
    size = 0
    with connection.cursor() as cursor:
        parameters = {"experiment": experiment.pk, "zone": settings.TIME_ZONE}
        with cursor.copy(statement, parameters) as copy:
            for line in copy:
                block.append(bytes(line))
                size += len(block[-1])
                if size > 65536:
                    yield b"".join(block)
                    block, size = [], 0
    if block:
        yield b"".join(block)
