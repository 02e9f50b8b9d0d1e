"""A small sheet of mice for the tests of imports, its template, and its way through the verbs."""

import datetime as dt
from typing import Any

from experiments import models
from experiments.actions import imports, jobs
from tests.science.sheet_builders import xlsx

HEADERS = ["id", "exp", "cage", "strain", "arm", "sex", "born", "litter", "day 0", "d0", "d7", "d14", "given", "note"]
BORN, DAY_0 = dt.datetime(2026, 1, 5), dt.datetime(2026, 3, 2)  # noqa: DTZ001 - a spreadsheet's dates have no zone
MAPPING: dict[str, Any] = {
    "name": "small",
    "columns": {
        "animal": "id", "experiment": "exp", "cage": "cage", "strain": "strain", "arm": "arm", "sex": "sex",
        "born_on": "born", "litter": "litter", "day_0": "day 0", "arm_description": "note",
    },
    "weighings": {"patterns": ["d{day}"]},
    "treatments": [{"name": "treatment", "text": "given"}],
    "dispositions": {"dead": "died"},
    "unknown_cage": ["no data"],
    "arms": {"MSC": {"kind": "product", "reference": "PBS", "position": 2}, "PBS": {"kind": "vehicle", "position": 1}},
}  # fmt: skip
ELSEWHERE = "ELSEWHERE"
TABLES = (
    "Experiment", "Membership", "Strain", "Cage", "Litter", "Arm", "Animal", "Enrolment", "Allocation", "Housing",
    "Timepoint", "Disposition", "Procedure", "Observation",
)  # fmt: skip


def mouse(name: str = "m1", **changes: object) -> list[object]:
    """A faultless mouse, but for the changes; underscores stand for blanks in headers."""
    good: dict[str, object] = {
        "id": name, "exp": "E1", "cage": "A", "strain": "C57BL/6J", "arm": "MSC", "sex": "F", "born": BORN,
        "litter": "L1", "day 0": DAY_0, "d0": 20, "d7": 19.5, "d14": 21, "given": "cells", "note": None,
    }  # fmt: skip
    return list((good | {key.replace("_", " "): value for key, value in changes.items()}).values())


def sheet(*rows: list[object]) -> bytes:
    return xlsx([HEADERS, *rows])


def kept_template(**changes: Any) -> models.ImportTemplate:
    made = models.ImportTemplate(name="small", mapping=MAPPING | changes)
    made.save()
    return made


def check(data: bytes, template: models.ImportTemplate, by: Any, **more: Any) -> models.ImportRun:
    run = imports.check_sheet(data=data, name="mice.xlsx", template=template, by=by, **more)
    return done(run)


def take(run: models.ImportRun, by: Any, valid_rows_only: bool = False) -> models.ImportRun:
    imports.take_import(run=run, by=by, valid_rows_only=valid_rows_only)
    return done(run)


def done(run: models.ImportRun) -> models.ImportRun:
    jobs.run(run.job_id)
    run.refresh_from_db()
    return run


def problems(run: models.ImportRun) -> list[tuple[str, str]]:
    """(cell, rule) of every problem of every row."""
    rows = models.ImportRow.objects.filter(run=run).order_by("row_number")
    return [(f"{p['column']}{p['row']}", p["rule"]) for row in rows for p in row.problems]


def works_elsewhere(person: Any) -> Any:
    """``person`` as scientist of an experiment that no sheet names: so they may open experiments."""
    experiment, _ = models.Experiment.objects.get_or_create(code=ELSEWHERE, defaults={"title": ELSEWHERE})
    models.Membership(experiment=experiment, user=person, role=models.Membership.Role.SCIENTIST).save()
    return person


def in_tables() -> dict[str, int]:
    """Rows of each table, but for those of ``works_elsewhere``."""
    of = {"Experiment": "code", "Membership": "experiment__code"}
    counts = {
        n: getattr(models, n).objects.exclude(**{of[n]: ELSEWHERE} if n in of else {"pk": None}).count() for n in TABLES
    }
    return {name: count for name, count in counts.items() if count}
