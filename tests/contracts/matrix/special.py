"""What does not follow from a model's own fields: values of rows, the states that verbs ask for, bodies of requests."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.utils import timezone

from assays.models import AssayRun, Plate, Publication, Result, Well
from experiments.actions.files import keep_bytes
from experiments.models import (
    Allocation,
    Animal,
    Endpoint,
    Enrolment,
    Experiment,
    ExperimentLock,
    Housing,
    ImportRow,
    ImportRun,
    ImportTemplate,
    Job,
    Membership,
    Observation,
    Report,
    SourceFile,
    Specimen,
    Strain,
)
from labdb.base.models import User

# Rows of the whole laboratory: nobody's experiment is named where one is added.
ELSEWHERE = (Strain, Endpoint, ImportTemplate, Animal, Experiment)
EMPTY = (Publication, ExperimentLock)  # rows that verbs alone make

PASSWORD = "a-better-passphrase-2"
SHEET = b"animal,weight\nM1,20.1\n"
Place = Any  # tests.contracts.matrix.world.Situation


def _kept(place: Place) -> dict[str, Any]:
    return {"sha256": keep_bytes(f"{place.word} {uuid.uuid4()}".encode()), "name": f"{place.word}.csv"}


# Values of every row of a model.
GIVEN: dict[type[models.Model], Callable[[Place], dict[str, Any]]] = {
    SourceFile: _kept,
    Housing: lambda place: {"started_on": date(2026, 2, 1), "ended_on": date(2026, 2, 8)},
    Observation: lambda place: {"cage": None, "litter": None, "supersedes": None, "specimen": None},
    Report: lambda place: {"schedule": None},
    AssayRun: lambda place: {"kind": "elisa", "layout_file": None},
    ImportTemplate: lambda place: {"kind": "animals", "mapping": ImportTemplate.objects.first().mapping},
    Result: lambda place: {"qualifier": "=", "value": 12, "unit": "mg", "endpoint": place.rows[Endpoint]},
}
# Values of a further row, as a client would send them.
NEW: dict[type[models.Model], Callable[[Place], dict[str, Any]]] = {
    Housing: lambda place: {
        "animal": place.rows[Animal], "started_on": date(2026, 2, 8), "ended_on": date(2026, 2, 9),
    },
    Observation: lambda place: {"animal": place.rows[Animal], "value": 20},
    Membership: lambda place: {
        "experiment": place.rows[Experiment], "user": place.rows[User], "role": "auditor",
    },
}  # fmt: skip


def _another(model: type[models.Model], place: Place, **given: Any) -> Any:
    from tests.contracts.matrix.world import values_of

    return model._base_manager.bulk_create([model(**values_of(model, place, all_shared=False) | given)])[0]


def _run(place: Place, state: str) -> AssayRun:
    run = _another(AssayRun, place)
    _another(Result, place, run=run, position=1, animal=place.rows[Animal], specimen=place.rows[Specimen])
    values: dict[str, Any] = {"state": "quantified", "quantified_at": timezone.now(), "reader": "gen5"}
    AssayRun.objects.filter(pk=run.pk).update(**values)
    if state == "accepted":
        values = {"state": "accepted", "decided_by": run.uploaded_by, "decided_at": timezone.now()}
        AssayRun.objects.filter(pk=run.pk).update(**values)
    run.refresh_from_db()
    return run


def _masked_well(place: Place) -> Well:
    who = {"is_masked": True, "masked_by": place.rows[AssayRun].uploaded_by, "masked_at": timezone.now()}
    return _another(Well, place, plate=place.rows[Plate], run=place.rows[AssayRun], masked_reason="spilt", **who)


def _checked_import(place: Place, is_valid: bool = True) -> ImportRun:
    run = _another(ImportRun, place, state="checked")
    _another(ImportRow, place, run=run, is_valid=True, row_number=1)
    if not is_valid:
        _another(ImportRow, place, run=run, is_valid=False, row_number=2)
    return run


def _rendered(place: Place) -> Report:
    return _another(Report, place, sha256=keep_bytes(f"{place.word} PDF".encode()), rendered_at=timezone.now())


# Rows in the state that a verb asks for; ``STATE_OF`` says which address takes which.
STATES: dict[str, Callable[[Place], models.Model]] = {
    "quantified run": lambda place: _run(place, "quantified"),
    "accepted run": lambda place: _run(place, "accepted"),
    "quantified result": lambda place: _run(place, "quantified").result_rows.get(),
    "masked well": _masked_well,
    "failed job": lambda place: _another(Job, place, state="failed", finished_at=timezone.now() - timedelta(days=1)),
    "checked import": _checked_import,
    "partly valid import": lambda place: _checked_import(place, is_valid=False),
    "rendered report": _rendered,
}
STATE_OF = {
    "assays_assayrun_do accept": "quantified run",
    "assays_assayrun_do publish": "accepted run",
    "assays_well_do unmask": "masked well",
    "experiments_job_do again": "failed job",
    "experiments_importrun_do take": "checked import",
    "experiments_importrun_do take-valid": "partly valid import",
    "experiments_importrun_do discard": "checked import",
    "experiments_report_download": "rendered report",
    "assay-runs-accept": "quantified run",
    "assay-runs-publish": "accepted run",
    "wells-unmask": "masked well",
    "results-exclude": "quantified result",
    "import-runs-take": "checked import",
    "import-runs-discard": "checked import",
    "reports-content": "rendered report",
}

# Members of a body, by the name of the address; files are made anew for every request.
BODIES: dict[str, Callable[[Place], dict[str, Any]]] = {
    "observations-list": lambda place: {
        "experiment": place.rows[Experiment].pk, "endpoint": place.rows[Endpoint].pk,
        "animal": place.rows[Animal].pk, "value": 21, "observed_at": "2026-03-09T09:30:00+01:00",
    },
    "observations-correct": lambda place: {"reason": "misread", "value": 22},
    "source-files-list": lambda place: {"experiment": place.rows[Experiment].pk, "file": _file("new.csv")},
    "import-runs-list": lambda place: {
        "experiment": place.rows[Experiment].pk, "template": place.rows[ImportTemplate].pk, "file": _file("new.csv"),
    },
    "assay-runs-list": lambda place: {
        "experiment": place.rows[Experiment].pk, "endpoint": place.rows[Endpoint].pk, "kind": "elisa",
        "file": _file("plate.txt"),
    },
    "experiments_importrun_add": lambda place: {
        "experiment": place.rows[Experiment].pk, "template": place.rows[ImportTemplate].pk, "file": _file("new.csv"),
    },
    "assays_assayrun_add": lambda place: {
        "experiment": place.rows[Experiment].pk, "endpoint": place.rows[Endpoint].pk, "kind": "elisa",
        "file": _file("plate.txt"),
    },
    "labdb_invitation_add": lambda place: {"name": "Ada Lovelace", "email": "ada@example.org"},
    "labdb_user_add": lambda place: {"username": "zqlab-new", "password1": PASSWORD, "password2": PASSWORD},
    "auth_user_password_change": lambda place: {"password1": PASSWORD, "password2": PASSWORD},
    "experiments_observation_do correct": lambda place: {"reason": "misread", "number": "22"},
}  # fmt: skip

# What a change changes, where it is not the first text, date or time.
CHANGES: dict[type[models.Model], dict[str, Any]] = {
    Allocation: {"method": "randomised"},
    Endpoint: {"name": "zqlab endpoint by another name"},  # its key stays once something is observed
    Enrolment: {"day_0": "2026-03-02"},
    Housing: {"ended_on": "2026-02-07"},
    ImportTemplate: {"name": "zqlab template by another name"},
    User: {"last_name": "by another name"},
}


def _file(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, SHEET)


def close(experiment: Experiment, by: Any) -> ExperimentLock:
    """Close the experiment in its director's name."""
    lock = ExperimentLock(experiment=experiment, closed_by=by, reason="the study is complete")
    lock.save()
    return lock
