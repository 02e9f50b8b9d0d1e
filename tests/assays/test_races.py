"""Two people at once: one wins, the other is told."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from assays.actions import accept_run, publish_run, reject_run
from assays.models import AssayRun, Publication
from experiments.models import Observation


@pytest.fixture
def made_run(committed_db, request):
    return request.getfixturevalue("quantified")


def at_once(*verbs):
    """Run the verbs in threads that start together; what each returned or raised."""
    barrier, outcomes = threading.Barrier(len(verbs)), []

    def attempt(verb):
        try:
            barrier.wait()
            outcomes.append(verb())
        except ValidationError as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_two_publications_one_wins(made_run, scientist):
    accept_run(run=made_run, by=scientist)
    outcomes = at_once(*[lambda: publish_run(run=AssayRun.objects.get(pk=made_run.pk), by=scientist)] * 4)
    assert sorted(str(type(o).__name__) for o in outcomes) == ["ValidationError"] * 3 + ["int"]
    told = {message for outcome in outcomes if isinstance(outcome, ValidationError) for message in outcome.messages}
    assert told == {"The run is published; only an accepted run is published, once."}
    assert Observation.objects.count() == Publication.objects.count() == 4


def test_of_acceptance_and_rejection_one_is_recorded_first(made_run, scientist):
    at_once(
        lambda: accept_run(run=AssayRun.objects.get(pk=made_run.pk), by=scientist),
        lambda: reject_run(run=AssayRun.objects.get(pk=made_run.pk), reason="scratched", by=scientist),
    )
    made_run.refresh_from_db()
    assert made_run.state == "rejected" and made_run.decision_reason == "scratched"
