"""Nothing slips in while an experiment is being closed: what stands when the closing is committed stands for ever."""

import itertools
import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import psycopg
import pytest
from django.db import NotSupportedError, connection, transaction

from experiments.actions.closing import close_experiment
from experiments.models import Animal, Cage, Enrolment, Experiment, Membership, Strain
from labdb.base.models import User

WRITERS = 16
_numbers = itertools.count(1)

# Each writer keeps its transaction open for a moment after it wrote.
PAUSE = "SELECT pg_sleep(random() * 0.004)"
WRITES = (
    "INSERT INTO experiments_timepoint (id, label, study_day, window_before_days, window_after_days, experiment_id)"
    " VALUES (gen_random_uuid(), %(n)s::text, %(n)s, 0, 0, %(experiment)s)",
    "UPDATE experiments_animal SET litter_id = NULL, mark = %(n)s::text WHERE id = %(animal)s".replace(
        "mark", "lab_id"
    ),
    "INSERT INTO experiments_enrolment (id, experiment_id, animal_id)"
    " VALUES (gen_random_uuid(), %(experiment)s, %(animal)s)",
    "INSERT INTO experiments_housing (id, animal_id, cage_id, started_on, ended_on)"
    " VALUES (gen_random_uuid(), %(animal)s, %(cage)s, %(day)s, %(day)s::date + 1)",
)
# Everything that the closed experiment keeps.
RECORD = """
SELECT md5(coalesce(string_agg(t, '|' ORDER BY t), '')) FROM (
    SELECT p::text FROM experiments_timepoint p WHERE experiment_id = %(e)s
    UNION ALL SELECT n::text FROM experiments_enrolment n WHERE experiment_id = %(e)s
    UNION ALL SELECT a::text FROM experiments_animal a JOIN experiments_enrolment n ON n.animal_id = a.id
        WHERE n.experiment_id = %(e)s
    UNION ALL SELECT h::text FROM experiments_housing h JOIN experiments_enrolment n USING (animal_id)
        WHERE n.experiment_id = %(e)s) AS of_it(t)
"""


class Race:
    """Sixteen connections that write to one experiment after the other until it is closed, and a little longer."""

    def __init__(self, url: str) -> None:
        self.connections = [psycopg.connect(url) for _ in range(WRITERS)]
        self.reader = psycopg.connect(url, autocommit=True)
        self.pool = ThreadPoolExecutor(WRITERS)
        self.director = User.objects.create(username="director")
        self.cage, self.strain = Cage.objects.create(label="1"), Strain.objects.create(name="s")
        self.happened: Counter[str] = Counter()

    def round(self) -> bool:
        """Whether something slipped in."""
        number = next(_numbers)
        experiment = Experiment.objects.create(code=f"E{number}", title="raced")
        Membership.objects.create(experiment=experiment, user=self.director, role="director")
        names = [f"{number}-{n}" for n in range(8)]
        animals = Animal.objects.bulk_create(Animal(lab_id=name, strain=self.strain) for name in names)
        Enrolment.objects.bulk_create(Enrolment(experiment=experiment, animal=animal) for animal in animals[:2])
        is_over = threading.Event()
        writers = [self.pool.submit(self._write, c, experiment.pk, animals, is_over) for c in self.connections]
        time.sleep(random.uniform(0.005, 0.02))
        close_experiment(experiment=experiment, reason="raced", by=self.director)
        at_closing = self._record(experiment)
        time.sleep(0.01)
        is_over.set()
        for writer in writers:
            writer.result()
        return at_closing != self._record(experiment)

    def _write(self, writer: psycopg.Connection, experiment, animals, is_over: threading.Event) -> None:
        while not is_over.is_set():
            n = next(_numbers)
            given = {"experiment": experiment, "animal": random.choice(animals).pk, "cage": self.cage.pk}
            given |= {"n": n % 32000, "day": date(1900, 1, 1) + timedelta(n)}
            try:
                with writer.transaction():
                    writer.execute(random.choice(WRITES), given)
                    writer.execute(PAUSE)
                self.happened["written"] += 1
            except psycopg.errors.CheckViolation as refused:
                self.happened[str(refused.diag.constraint_name)] += 1
            except psycopg.errors.UniqueViolation:
                self.happened["twice"] += 1

    def _record(self, experiment: Experiment) -> str:
        return self.reader.execute(RECORD, {"e": experiment.pk}).fetchone()[0]

    def close(self) -> None:
        self.pool.shutdown()
        for each in (*self.connections, self.reader):
            each.close()


@pytest.fixture
def race(committed_db):
    made = Race(committed_db)
    yield made
    made.close()


@pytest.mark.parametrize("rounds", [50, pytest.param(1000, marks=pytest.mark.stress)])
def test_nothing_slips_in_while_sixteen_write_and_one_closes(race, rounds):
    slipped = sum(race.round() for _ in range(rounds))
    assert slipped == 0
    assert race.happened["written"] > 2 * rounds and race.happened["experiment_locked"] > rounds


def sabotage(functions: str, old: str, new: str) -> None:
    """Replace ``old`` in the functions of the database whose names match."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        found = owner.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname ~ %s", [functions]).fetchall()
        changed = [text.replace(old, new) for (text,) in found if old in text]
        assert changed
        for text in changed:
            owner.execute(text)


def test_without_its_lock_something_does_slip_in(race):
    sabotage("^experiments_refuse_closed$", "pg_advisory_xact_lock_shared(key)", "abs(key)")
    assert any(race.round() for _ in range(300))


ANIMAL = "UPDATE experiments_animal SET sex = 'F' WHERE id = %(animal)s"
HOUSING = WRITES[3]


def enrols_meanwhile(url: str, write: str) -> bool:
    """Whether an animal can be enrolled while another transaction that found it in no experiment has it half written.

    It could then be in one that is closed before that transaction ends.
    """
    animal = Animal.objects.create(lab_id="free", strain=Strain.objects.create(name="s"))
    experiment = Experiment.objects.create(code="E", title="e")
    given = {"animal": animal.pk, "cage": Cage.objects.create(label="1").pk, "day": date(2026, 1, 1)}
    with psycopg.connect(url) as writer, psycopg.connect(url) as other:
        writer.execute(write, given)
        other.execute("SET lock_timeout = '300ms'")
        try:
            other.execute(WRITES[2], given | {"experiment": experiment.pk})
        except psycopg.errors.LockNotAvailable:
            return False
        return True


@pytest.mark.parametrize("write", [ANIMAL, HOUSING])
def test_who_enrols_an_animal_waits_for_whoever_writes_it(committed_db, write):
    assert not enrols_meanwhile(committed_db, write)


@pytest.mark.parametrize(
    ("write", "functions", "old"),
    [
        (ANIMAL, "^experiments_enrolment_keep_closed_insert$", "FOR SHARE"),
        (HOUSING, "^experiments_housing_keep_closed_insert$", "FOR NO KEY UPDATE"),
    ],
)
def test_without_these_locks_they_do_not_wait(committed_db, write, functions, old):
    sabotage(functions, old, "")
    assert enrols_meanwhile(committed_db, write)


def test_a_transaction_with_an_old_snapshot_does_not_write(committed_db, scientist):
    Experiment.objects.create(code="E", title="e")
    with pytest.raises(NotSupportedError, match="READ COMMITTED"), transaction.atomic():
        connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        Experiment.objects.update(title="other")
