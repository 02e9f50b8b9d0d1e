"""Protocols: versions that are issued stay, by whatever path; the next is made from them."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction

from experiments.actions.protocols import issue_version, new_version
from experiments.models import ProtocolStep, ProtocolVersion
from labdb.base.acting import acting
from tests.experiments.protocol_rows import draft, issued

pytestmark = pytest.mark.django_db
STAY = "This version is issued, its steps stay as they are; make a new version."


def test_an_issued_version_keeps_its_steps(experiment, scientist):
    version = issued(scientist)
    assert (version.issued_by, version.issued_at is not None) == (scientist, True)
    step = version.steps.first()
    step.relative_day = 3
    with pytest.raises(ValidationError, match=STAY):
        step.save()
    with pytest.raises(ValidationError, match=STAY):
        ProtocolStep(version=version, name="more", kind="other").save()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE experiments_protocolstep SET relative_day = 5",
        "DELETE FROM experiments_protocolstep WHERE name = 'cells'",
        "INSERT INTO experiments_protocolstep SELECT (jsonb_populate_record(s, jsonb_build_object("
        "'id', gen_random_uuid(), 'name', 'copy'))).* FROM experiments_protocolstep s WHERE name = 'cells'",
        "UPDATE experiments_protocolversion SET issued_at = NULL",
    ],
)
def test_no_statement_changes_the_steps_of_an_issued_version(experiment, scientist, statement):
    issued(scientist)
    with pytest.raises(IntegrityError, match="issued"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_steps_of_a_draft_change_as_the_same_statements_say(experiment, scientist):
    version = draft()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE experiments_protocolstep SET relative_day = 5")
    assert {step.relative_day for step in version.steps.all()} == {5}


def test_a_version_is_issued_once_and_with_steps(experiment, scientist):
    version = issued(scientist)
    with pytest.raises(ValidationError, match=r"CTX, then cells v1 is issued already; make a new version."):
        issue_version(version=version, by=scientist)
    empty = ProtocolVersion(protocol=version.protocol, number=2)
    empty.save()
    with pytest.raises(ValidationError, match=r"CTX, then cells v2 has no steps."):
        issue_version(version=empty, by=scientist)


def test_steps_that_wait_for_each_other_are_not_issued(experiment, scientist):
    version = draft()
    first, last = version.steps.order_by("position")
    ProtocolStep.objects.filter(pk=first.pk).update(after=last)  # past clean()
    with pytest.raises(ValidationError, match="in a circle"):
        issue_version(version=version, by=scientist)


def test_a_new_version_copies_the_steps_and_what_they_follow(experiment, scientist):
    version = issued(scientist)
    with pytest.raises(ValidationError, match="Say what is different"):
        new_version(version=version, change_note=" ", by=scientist)
    made = new_version(version=version, change_note="cells a day later", by=scientist)
    assert (made.number, made.issued_at, made.change_note) == (2, None, "cells a day later")
    first, last = made.steps.order_by("position")
    assert (last.after, last.after.version, last.product) == (first, made, version.steps.get(name="cells").product)
    last.relative_day = 8
    with acting(person=scientist, reason="a day later"):
        last.save()
    assert version.steps.get(name="cells").relative_day == 7


def test_who_does_not_design_issues_nothing(experiment, member):
    with pytest.raises(PermissionDenied):
        issue_version(version=draft(), by=member("technician", experiment))
