"""Weights and scores that reach a rule raise an alert, by whatever way they are recorded; alerts are mailed and resolved."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.actions import jobs
from experiments.actions.alerts import assign_alert, resolve_alert
from experiments.actions.licences import warn_of_licences
from experiments.actions.observations import NewObservation, correct_observation, noon, record_observations
from experiments.actions.planning import plan_procedures
from experiments.models import Alert, Disposition, Endpoint, Enrolment, Job, WelfareRule
from tests.experiments.protocol_rows import DAY_0, followed, issued, licence, weigh

pytestmark = pytest.mark.django_db


def test_a_loss_of_20_percent_raises_one_alert_for_the_director(experiment, animals, scientist, member):
    technician = member("technician", experiment)
    weigh(animals[0], experiment, "20.0", 2, technician)
    weigh(animals[0], experiment, "16.1", 5, technician)
    assert not Alert.objects.exists()
    reached = weigh(animals[0], experiment, "16.0", 6, technician)
    alert = Alert.objects.get()
    assert (alert.kind, alert.owner, alert.observation, alert.rule.is_humane_endpoint) == (
        "welfare",
        scientist,
        reached,
        True,
    )
    assert alert.message == (
        "M001: Day 4: 16 g is 20.00 % below the reference of 20.00 g (day 0): a loss of 20 % or more. Humane endpoint:"
        " examine the animal today and decide with the study director."
    )
    weigh(animals[0], experiment, "15.0", 7, technician)
    assert Alert.objects.count() == 1  # it is open already
    resolve_alert(alert=alert, resolution="fed by hand", by=technician)
    weigh(animals[0], experiment, "14.9", 8, technician)
    assert Alert.objects.filter(state="open").count() == 1


def test_a_correction_is_looked_at_too_also_of_the_reference(experiment, animals, scientist):
    day_0 = weigh(animals[0], experiment, "18.0", 2, scientist)
    later = weigh(animals[0], experiment, "17.0", 5, scientist)
    correct_observation(observation=day_0, number=Decimal("21.5"), reason="misread", by=scientist)
    assert Alert.objects.get().observation == later
    weigh(animals[1], experiment, "20.0", 2, scientist)
    fine = weigh(animals[1], experiment, "19.0", 5, scientist)
    newer = correct_observation(observation=fine, number=Decimal("15.0"), reason="typed wrong", by=scientist)
    assert Alert.objects.filter(enrolment__animal=animals[1]).get().observation == newer


@pytest.mark.parametrize(
    ("reference", "weights", "is_raised"),
    [
        ("peak", {2: "20", 5: "25", 7: "20.1"}, False),
        ("peak", {2: "20", 5: "25", 7: "20.0"}, True),
        ("baseline", {1: "20", 2: "30", 7: "16.1"}, False),
        ("baseline", {1: "20", 2: "30", 7: "16.0"}, True),
        ("before_induction", {1: "20", 7: "16.1"}, False),
        ("before_induction", {1: "20", 7: "16.0"}, True),
    ],
)
def test_each_reference(experiment, animals, scientist, reference, weights, is_raised):
    WelfareRule.objects.all().update(is_active=False)
    rule = WelfareRule(
        experiment=experiment, kind="weight_loss_percent", reference=reference, threshold=20, action="Look."
    )
    rule.save()
    for day, grams in weights.items():
        weigh(animals[0], experiment, grams, day, scientist)
    found = Alert.objects.filter(rule=rule)
    assert (found.exists(), found.exclude(observation__value=Decimal(weights[7])).exists()) == (is_raised, False)


def test_a_rule_holds_in_its_period_and_experiment(experiment, animals, scientist):
    WelfareRule.objects.all().update(is_active=False)
    fields = {"kind": "welfare_score", "threshold": Decimal(3), "action": "Call the vet."}
    WelfareRule(experiment=experiment, from_day=7, **fields).save()
    weigh(animals[0], experiment, "3", 5, scientist, endpoint="welfare_score")
    assert not Alert.objects.exists()
    weigh(animals[0], experiment, "2", 9, scientist, endpoint="welfare_score")
    assert not Alert.objects.exists()
    weigh(animals[0], experiment, "4", 10, scientist, endpoint="welfare_score")
    assert Alert.objects.get().message == "M001: A welfare score of 4 on 2026-03-10. Call the vet."


def test_no_alert_about_an_animal_whose_part_has_ended(experiment, animals, scientist):
    enrolment = Enrolment.objects.get(animal=animals[0])
    Disposition(experiment=experiment, enrolment=enrolment, kind="humane_endpoint", occurred_on=date(2026, 3, 8)).save()
    weigh(animals[0], experiment, "20", 2, scientist)
    weigh(animals[0], experiment, "15", 7, scientist)
    assert not Alert.objects.exists()


def _weights(endpoint, animals, day, grams):
    at = noon(DAY_0 + timedelta(day))
    return [NewObservation(endpoint=endpoint, animal=a.pk, observed_at=at, number=Decimal(grams)) for a in animals]


def test_the_number_of_queries_does_not_grow_with_the_rows(experiment, animals, scientist):
    endpoint = Endpoint.objects.get(key="body_weight").pk
    record_observations(experiment=experiment, observations=_weights(endpoint, animals, 0, 20), by=scientist)
    asked = []
    for count, day in ((1, 3), (5, 4)):
        Alert.objects.all().delete()
        Job.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            record_observations(
                experiment=experiment, observations=_weights(endpoint, animals[:count], day, 15), by=scientist
            )
        assert Alert.objects.count() == count
        asked.append(len(queries))
    assert asked[0] == asked[1]


def mailed():
    """Do the open jobs, and return how many mails that made."""
    before = len(mail.outbox)
    for job in Job.objects.filter(state="queued", kind="mail_alerts"):
        jobs.run(job.pk)
    return mail.outbox[before:]


def test_the_owner_is_mailed_once(experiment, animals, scientist, django_capture_on_commit_callbacks):
    weigh(animals[0], experiment, "20", 2, scientist)
    weigh(animals[0], experiment, "15", 7, scientist)
    (sent,) = mailed()
    assert (sent.to, sent.subject) == (["scientist@example.org"], "POI-1: an alert waits for you")
    assert "M001: Day 5: 15 g is 25.00 % below" in sent.body
    assert Alert.objects.get().mailed_at
    jobs.request_job(kind="mail_alerts", subject_id=experiment.pk, experiment=experiment)
    assert mailed() == []


def test_a_mail_tells_nothing_of_doses(experiment, animals, scientist):
    from experiments.actions.procedures import record_procedure

    followed(issued(scientist), experiment)
    plan_procedures(experiment=experiment, by=scientist)
    planned = experiment.enrolments.first().planned_procedures.first()
    record_procedure(planned=planned, performed_on=DAY_0 + timedelta(3), deviation_reason="late", by=scientist)
    (sent,) = mailed()
    assert "deviation about animal M0" in sent.body.lower() or "Deviation about" in sent.body
    assert "induction" not in sent.body
    assert "cyclophosphamide" not in sent.body


def test_an_alert_is_given_to_somebody_who_sees_it_and_resolved_once(experiment, animals, scientist, member):
    weigh(animals[0], experiment, "20", 2, scientist)
    weigh(animals[0], experiment, "15", 7, scientist)
    alert, technician, analyst = (
        Alert.objects.get(),
        member("technician", experiment),
        member("analyst", experiment, "ann"),
    )
    with pytest.raises(ValidationError, match=r"ann does not look after animals of this experiment."):
        assign_alert(alert=alert, owner=analyst, by=scientist)
    assert assign_alert(alert=alert, owner=technician, by=scientist).mailed_at is None
    with pytest.raises(ValidationError, match=r"Say what was done."):
        resolve_alert(alert=alert, resolution=" ", by=technician)
    resolve_alert(alert=alert, resolution="euthanised", by=technician)
    with pytest.raises(ValidationError, match=f"{technician} resolved this alert before: euthanised"):
        resolve_alert(alert=alert, resolution="again", by=scientist)


def test_an_experiment_with_an_open_alert_is_not_closed(experiment, animals, scientist):
    from experiments.actions.closing import close_experiment

    weigh(animals[0], experiment, "20", 2, scientist)
    weigh(animals[0], experiment, "15", 7, scientist)
    mailed()
    with pytest.raises(ValidationError, match="M001: Day 5"):
        close_experiment(experiment=experiment, reason="done", by=scientist)


def test_a_licence_that_ends_soon_is_told_once(experiment, scientist):
    permit = licence(experiment, expires_on=date(2026, 4, 1))
    assert warn_of_licences(today=date(2026, 3, 1)) == 0
    assert warn_of_licences(today=date(2026, 3, 2)) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.message, alert.owner) == ("licence", "The licence L-1 expires on 2026-04-01.", scientist)
    resolve_alert(alert=alert, resolution="applied for another year", by=scientist)
    assert warn_of_licences(today=date(2026, 3, 3)) == 0
    type(permit).objects.filter(pk=permit.pk).update(expires_on=date(2026, 4, 2))
    assert warn_of_licences(today=date(2026, 3, 3)) == 1
