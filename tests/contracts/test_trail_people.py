"""Who, why and through which door: always of the one who writes now, never left over from somebody before."""

import subprocess
import sys
import threading
import uuid
from contextlib import suppress

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from experiments.models import Job, Membership, Strain
from labdb.base.acting import acting, current
from labdb.base.models import User
from labdb.base.trail.models import TrailEntry
from tests.services import ROOT


@pytest.fixture
def ann(db):
    return User.objects.create_user("ann", is_staff=True, is_superuser=True)


@pytest.fixture
def ben(db):
    return User.objects.create_user("ben", is_staff=True)


def told(name):
    """(person, door, reason) of the first entry of the strain ``name``."""
    pk = Strain.objects.values_list("pk", flat=True).get(name=name)
    statement = TrailEntry.objects.of_row(Strain, pk).order_by("id").select_related("statement__person")[0].statement
    return statement.person and statement.person.username, statement.door, statement.reason


def write(name, way="raw"):
    values = [str(uuid.uuid4()), name, "mouse", "", ""]
    columns = "(id, name, species, mgi_id, rrid)"
    with connection.cursor() as cursor:
        if way == "raw":
            cursor.execute(f"INSERT INTO experiments_strain {columns} VALUES (%s, %s, %s, %s, %s)", values)
        elif way == "executemany":
            cursor.executemany(f"INSERT INTO experiments_strain {columns} VALUES (%s, %s, %s, %s, %s)", [values])
        elif way == "several":
            cursor.execute(f"SELECT 1; INSERT INTO experiments_strain {columns} VALUES (%s, %s, %s, %s, %s)", values)
        elif way == "do":
            texts = ", ".join(f"'{value}'" for value in values)
            cursor.execute(f"DO $$ BEGIN INSERT INTO experiments_strain {columns} VALUES ({texts}); END $$")
        else:
            with cursor.copy(f"COPY experiments_strain {columns} FROM STDIN") as copy:
                copy.write_row(values)


WAYS = ("raw", "executemany", "several", "do", "copy")


@pytest.mark.parametrize("way", WAYS)
def test_a_statement_outside_of_transactions_and_nothing_after_it(way, committed_db):
    ann = User.objects.create_user("ann")
    with acting(person=ann, door="shell", reason="because"):
        write("with", way)
    write("without", way)
    assert told("with") == ("ann", "shell", "because")
    assert told("without") == (None, "", "")


@pytest.mark.parametrize("way", WAYS)
def test_the_first_statement_of_a_transaction_and_nothing_in_the_next(way, committed_db):
    ann = User.objects.create_user("ann")
    with acting(person=ann, door="shell", reason="because"), transaction.atomic():
        write("with", way)
    with transaction.atomic():
        write("without", way)
    assert told("with") == ("ann", "shell", "because")
    assert told("without") == (None, "", "")


def test_after_a_rollback_the_next_transaction_knows_its_own(committed_db):
    ann, ben = (User.objects.create_user(name) for name in ("ann", "ben"))
    with suppress(RuntimeError), acting(person=ann, reason="first"), transaction.atomic():
        write("gone")
        raise RuntimeError
    with acting(person=ben, reason="second"):
        write("there")
    assert not Strain.objects.filter(name="gone").exists()
    assert not TrailEntry.objects.filter(new__name="gone").exists()
    assert told("there") == ("ben", "", "second")


def test_a_rollback_to_a_savepoint_takes_back_what_was_told(ann, ben):
    with acting(person=ann, door="outer", reason="one"):
        write("before")
        with suppress(RuntimeError), transaction.atomic(), acting(person=ben, door="inner", reason="two"):
            write("gone")
            raise RuntimeError
        write("after")
        with acting(person=ben, door="inner", reason="two"):
            with suppress(RuntimeError), transaction.atomic():
                write("gone too")
                raise RuntimeError
            write("inside")
    write("nobody")
    assert told("before") == told("after") == ("ann", "outer", "one")
    assert told("inside") == ("ben", "inner", "two")
    assert told("nobody") == (None, "", "")
    assert not TrailEntry.objects.filter(new__name__startswith="gone").exists()


def test_words_that_end_transactions_in_raw_sql(committed_db):
    ann, ben = (User.objects.create_user(name) for name in ("ann", "ben"))
    with connection.cursor() as cursor:
        with acting(person=ann):
            cursor.execute("BEGIN")
            write("first")
            cursor.execute("COMMIT")
            cursor.execute("BEGIN")
            write("second")
            cursor.execute("SAVEPOINT here")
        with acting(person=ben):
            write("third")
            cursor.execute("ROLLBACK TO SAVEPOINT here")
        with acting(person=ann):
            write("fourth")
        cursor.execute("COMMIT")
    assert {told(name)[0] for name in ("first", "second", "fourth")} == {"ann"}


def test_inner_values_where_given_and_reasons_of_verbs(ann, ben):
    with acting(person=ann, door="REST", reason="asked"):
        with acting(person=ben) as inner:
            assert inner.told() == (str(ben.pk), "REST", "asked")
        with acting(reason="better"):
            assert current().told() == (str(ann.pk), "REST", "better")
        with acting(reason="  "):
            assert current().reason == "asked"
    assert current().told() == ("", "", "")
    current().person = ann  # outside of every door nothing is kept
    assert current().person is None


def test_one_request_after_another_on_one_connection(db, experiment, animals, ann, ben):
    """Admin and REST, each with its own person and reason; what is unknown stays unknown."""
    from django.test import Client

    for name in ("ann", "ben"):
        Membership(experiment=experiment, user=User.objects.get(username=name), role="director").save()
    rest, admin = APIClient(), Client()
    rest.force_authenticate(ben)
    admin.force_login(ann)
    assert rest.post("/api/v1/strains", {"name": "by REST"}).status_code == 201
    form = {"name": "by admin", "species": "mouse", "mgi_id": "", "rrid": "", "reason_for_change": ""}
    answer = admin.post("/admin/experiments/strain/add/", form)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert rest.post("/api/v1/strains", {"name": "by REST again"}).status_code == 201
    write("by nobody")
    assert told("by REST") == told("by REST again") == ("ben", "REST", "")
    assert told("by admin") == ("ann", "admin", "")
    assert told("by nobody") == (None, "", "")


def test_finding_out_who_it_is_may_write_itself(committed_db):
    """A session that its person's new password has outdated is deleted while the person is looked up."""
    from django.test import Client

    ann = User.objects.create_user("ann", password="a-good-passphrase-1", is_staff=True)
    client = Client()
    client.force_login(ann)
    ann.set_password("a-better-passphrase-2")
    ann.save()
    assert client.get("/admin/").status_code == 302


def test_the_person_of_another_thread_is_not_mine(committed_db):
    ann = User.objects.create_user("ann")

    def in_thread():
        try:
            write("thread")
        finally:
            connection.close()

    with acting(person=ann, door="job"):
        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
    assert told("thread") == (None, "", "")


def test_a_job_acts_for_whoever_asked_for_it(db, experiment, animals, scientist):
    from experiments.actions import jobs
    from experiments.actions.reports import request_report

    report = request_report(experiment=experiment, by=scientist)
    jobs.run(report.job_id)
    assert Job.objects.get(pk=report.job_id).state == Job.State.DONE
    entries = TrailEntry.objects.of_row(type(report), report.pk).order_by("id").select_related("statement__person")
    assert [(e.statement.action, e.statement.person, e.statement.door) for e in entries] == [
        ("I", scientist, ""),
        ("U", scientist, "job"),
    ]
    of_job = TrailEntry.objects.of_row(Job, report.job_id).order_by("id").select_related("statement")
    assert [(e.new.get("state"), e.statement.door) for e in of_job] == [
        ("queued", ""),
        ("running", "job"),
        ("done", "job"),
    ]


def test_a_heartbeat_is_no_change(db, experiment, animals, scientist):
    from experiments.actions.reports import request_report

    job = request_report(experiment=experiment, by=scientist).job
    before = TrailEntry.objects.of_row(Job, job.pk).count()
    Job.objects.filter(pk=job.pk).update(progress_done=3, progress_note="third", lease=uuid.uuid4())
    assert TrailEntry.objects.of_row(Job, job.pk).count() == before
    Job.objects.filter(pk=job.pk).update(progress_done=4, attempts=1)
    last = TrailEntry.objects.of_row(Job, job.pk).first()
    assert (last.old, last.new) == ({"attempts": 0}, {"attempts": 1})


def test_a_shell_names_its_command_and_the_database_role(committed_db):
    code = "from experiments.models import Strain; Strain(name='by shell').save()"
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], cwd=ROOT, check=True, capture_output=True)
    assert told("by shell") == (None, "command shell", "")
    role = TrailEntry.objects.get(new__name="by shell").statement.db_role
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert role == cursor.fetchone()[0]


def test_reading_costs_nothing(db, experiment, animals, ann):
    """No telling before a SELECT, also FOR UPDATE; PostgreSQL itself is asked what it knows."""
    with acting(person=ann, door="REST"), transaction.atomic():
        list(Strain.objects.all())
        list(Strain.objects.select_for_update())
        assert _known() == ""
        write("one")
        assert _known() == str(ann.pk)


def _known():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('labdb.person', true), '')")
        return cursor.fetchone()[0]


def test_values_are_exact(ann):
    """Every digit, the zone of an instant, and a change of digits that changes no value."""
    from decimal import Decimal

    from experiments.models import Endpoint

    made = Endpoint(
        key="exact", name="Exact", plausible_low=Decimal("0.10"), plausible_high=Decimal("123456789012345678901.10")
    )
    made.save()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Asia/Kathmandu'; SET LOCAL extra_float_digits = -10")
        cursor.execute("UPDATE experiments_endpoint SET plausible_low = 0.100 WHERE id = %s", [made.pk])
        cursor.execute("UPDATE labdb_user SET last_login = '2026-03-29 02:30:00.123456+01' WHERE id = %s", [ann.pk])
    last, first = TrailEntry.objects.of_row(Endpoint, made.pk)
    assert [str(first.new[name]) for name in ("plausible_low", "plausible_high")] == [
        "0.10",
        "123456789012345678901.10",
    ]
    assert (str(last.old["plausible_low"]), str(last.new["plausible_low"])) == ("0.10", "0.100")
    assert TrailEntry.objects.of_row(User, ann.pk).first().new == {"last_login": "2026-03-29T01:30:00.123456+00:00"}


def test_a_secret_is_told_to_have_changed_and_no_more(ann):
    ann.set_password("a-good-passphrase-1")
    ann.save()
    entry = TrailEntry.objects.of_row(User, ann.pk).first()
    assert (entry.old, entry.new) == ({"password": "(withheld)"}, {"password": "(withheld)"})
