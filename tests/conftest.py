"""Databases of the tests: one clone of the template a worker, and a clone of its own for what must really commit."""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tests.services import ROOT, administer, with_database


@contextmanager
def cloned_database() -> Iterator[str]:
    """The name of a fresh copy of the migrated template, to which Django's connection points meanwhile."""
    name = f"labdb_test_{uuid.uuid4().hex[:12]}"
    administer(f"CREATE DATABASE {name} TEMPLATE {os.environ['LABDB_TEST_TEMPLATE']} OWNER {_owner()}")
    connection = connections["default"]
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield name
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _owner() -> str:
    from urllib.parse import urlsplit

    return f'"{urlsplit(os.environ["DATABASE_OWNER_URL"]).username}"'


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The application's role runs the tests; the owner's made the template. Nothing is migrated or flushed here."""
    with django_db_blocker.unblock(), cloned_database():
        yield


@pytest.fixture(autouse=True)
def quick_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["tests.hashers.QuickHasher"]


@pytest.fixture
def committed_db(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch, settings
) -> Iterator[str]:
    """A database of this test's own where everything really commits; its URL, also in DATABASE_URL for processes.

    Its jobs go through a queue of its own, so that no other test's worker takes them.
    """
    with django_db_blocker.unblock(), cloned_database() as name:
        settings.LABDB_QUEUE = name
        monkeypatch.setenv("LABDB_QUEUE", name)
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            monkeypatch.setenv(variable, with_database(os.environ[variable], name))
        yield os.environ["DATABASE_URL"]


class Worker:
    """A real Celery worker with its beat, in processes of their own, over the test's database and queue."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "labdb.celery",
            "worker",
            "-B",
            "--pool=solo",
            "--loglevel=INFO",
        ]
        command += ["--without-gossip", "--without-mingle", f"--schedule={self.log}.schedule"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)

    def stop(self, how: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        self.process.wait(timeout=30)


@pytest.fixture
def worker(committed_db: str, tmp_path: Path) -> Iterator[Worker]:
    running = Worker(tmp_path / "worker.log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files that LABDB_REAL_DATA names."""
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA names no folder of real files")
    return Path(folder).resolve()


@pytest.fixture
def scientist(request: pytest.FixtureRequest):
    """A person who may log in to the admin, without any membership yet."""
    from labdb.base.models import User

    return User.objects.create_user("scientist", "scientist@example.org", "a-good-passphrase-1", is_staff=True)


@pytest.fixture
def experiment(scientist):
    """An open-label experiment, directed by ``scientist``, with two arms (PBS is the reference of MSC) and three timepoints."""
    from experiments.models import Arm, Experiment, Membership, Timepoint

    made = Experiment(code="POI-1", title="MSC in POI mice", masking="open_label")
    made.save()
    Membership(experiment=made, user=scientist, role=Membership.Role.DIRECTOR).save()
    control = Arm(experiment=made, label="POI + PBS", kind="vehicle", position=1)
    control.save()
    Arm(experiment=made, label="POI + MSC", kind="product", position=2, reference=control).save()
    for day in (0, 7, 14):
        Timepoint(experiment=made, label=f"day {day}", study_day=day).save()
    return made


@pytest.fixture
def member():
    """Makes a person who may log in to the admin and holds ``role`` in ``experiment``."""
    from experiments.models import Membership
    from labdb.base.models import User

    def made(role: str, experiment, name: str = "") -> User:
        person = User.objects.create_user(name or f"{role}-{uuid.uuid4().hex[:8]}", password="a-good-passphrase-1")
        person.is_staff = True
        person.save()
        Membership(experiment=experiment, user=person, role=role).save()
        return person

    return made


@pytest.fixture
def animals(experiment):
    """Six enrolled animals, three an arm, day 0 on 2026-03-02."""
    from datetime import date

    from experiments.models import Allocation, Animal, Enrolment, Strain

    strain = Strain(name="C57BL/6J", species="mouse", mgi_id="MGI:3028467")
    strain.save()
    arms = list(experiment.arms.all())
    made = []
    for number in range(6):
        animal = Animal(lab_id=f"M{number + 1:03}", strain=strain, sex="F", born_on=date(2026, 1, 5))
        animal.save()
        enrolment = Enrolment(experiment=experiment, animal=animal, day_0=date(2026, 3, 2))
        enrolment.save()
        Allocation(experiment=experiment, enrolment=enrolment, arm=arms[number % 2]).save()
        made.append(animal)
    return made


def set_masking(experiment, masking: str) -> None:
    """Past the rule that masking is chosen once, as the verb of unblinding will."""
    type(experiment).objects.filter(pk=experiment.pk).update(masking=masking)
    experiment.refresh_from_db()
