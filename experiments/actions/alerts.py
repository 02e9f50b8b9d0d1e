"""Alerts: raised in the transaction of what they tell, owned by somebody, mailed once, resolved with what was done."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.utils import timezone

from experiments.actions.closing import unfinished
from experiments.actions.jobs import Progress, request_job, work
from experiments.models import Alert, Experiment, Job, Membership
from labdb.base.access import may, require
from labdb.base.verbs import verb

MAIL_ALERTS = "mail_alerts"
LONGEST_MESSAGE: int = Alert._meta.get_field("message").max_length  # type: ignore[assignment]


def add_alerts(experiment: Experiment, alerts: Sequence[Alert]) -> int:
    """Write ``alerts`` of ``experiment`` in the caller's transaction, but none that is open already; how many are new.

    Who has none named gets them: the experiment's director. A job mails the owners.
    """
    if not alerts:
        return 0
    owner = director_of(experiment)
    for alert in alerts:
        alert.experiment, alert.owner_id = experiment, alert.owner_id or owner
        if len(alert.message) > LONGEST_MESSAGE:
            alert.message = alert.message[: LONGEST_MESSAGE - 1] + "…"
    # one that is open already is in the way of the same again (alert_open_once, alert_licence_once)
    Alert.objects.bulk_create(alerts, ignore_conflicts=True)
    written = Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).count()
    if written:
        request_job(kind=MAIL_ALERTS, subject_id=experiment.pk, experiment=experiment)
    return written


def director_of(experiment: Experiment) -> Any:
    """Primary key of who has directed the experiment for longest; None where nobody does."""
    current = Membership.objects.filter(experiment=experiment, role=Membership.Role.DIRECTOR, ended_at=None)
    return current.filter(user__is_active=True).order_by("started_at").values_list("user", flat=True).first()


@verb
def resolve_alert(*, alert: Alert, resolution: str, by: Any) -> Alert:
    """End ``alert`` with what was done.

    Raises:
        ValidationError: nothing is said of what was done; somebody resolved it before.
        PermissionDenied: ``by`` may not change alerts of the experiment.
    """
    require(by, "change", alert)
    if not resolution.strip():
        raise ValidationError({"resolution": "Say what was done."})
    row = Alert.objects.select_for_update(of=("self",), no_key=True).get(pk=alert.pk)
    if row.state == Alert.State.RESOLVED:
        raise ValidationError(f"{row.resolved_by} resolved this alert before: {row.resolution}")
    row.state, row.resolution = Alert.State.RESOLVED, resolution.strip()
    row.resolved_at, row.resolved_by = timezone.now(), by
    row.save()
    return row


@verb
def assign_alert(*, alert: Alert, owner: Any, by: Any) -> Alert:
    """Make ``owner`` look after ``alert``; they are mailed.

    Raises:
        ValidationError: the alert is resolved; ``owner`` does not see it, or could not resolve it.
        PermissionDenied: ``by`` may not change alerts of the experiment.
    """
    require(by, "change", alert)
    row = Alert.objects.select_for_update(of=("self",), no_key=True).get(pk=alert.pk)
    if row.state == Alert.State.RESOLVED:
        raise ValidationError("This alert is resolved; it needs no owner any more.")
    if not Alert.objects.visible_to(owner).filter(pk=row.pk).exists() or not may(owner, "change", row):
        raise ValidationError({"owner": f"{owner} does not look after animals of this experiment."})
    if row.owner_id != owner.pk:
        row.owner, row.mailed_at = owner, None
        row.save()
        request_job(kind=MAIL_ALERTS, subject_id=row.experiment_id, experiment=row.experiment)
    return row


@work(MAIL_ALERTS)
def mail_alerts(job: Job, progress: Progress) -> dict[str, Any]:
    """Mail every owner of open alerts of the experiment that were not mailed yet: one mail a person."""
    waiting = Alert.objects.filter(
        experiment=job.subject_id, state=Alert.State.OPEN, mailed_at=None, owner__isnull=False
    )
    of_owner: dict[Any, list[Alert]] = defaultdict(list)
    rows = waiting.select_related("owner", "experiment", "enrolment__animal").order_by("raised_at")
    for alert in rows.select_for_update(of=("self",), no_key=True, skip_locked=True):
        of_owner[alert.owner].append(alert)
    mailed = [alert for owner, alerts in of_owner.items() for alert in _mail(owner, alerts)]
    return {"alerts": len(mailed), "people": len({alert.owner_id for alert in mailed})}


def _mail(owner: Any, alerts: list[Alert]) -> list[Alert]:
    """Mail those of ``alerts`` that ``owner`` may see, and return them. A mail may be read by others than its owner:
    only what is seen on the animal stands in it, and nothing of doses and plans."""
    seen = set(Alert.objects.visible_to(owner).filter(pk__in=[a.pk for a in alerts]).values_list("pk", flat=True))
    told = [alert for alert in alerts if alert.pk in seen]
    if not told or not owner.email:
        return []
    Alert.objects.filter(pk__in=[alert.pk for alert in told]).update(mailed_at=timezone.now())
    lines = "\n".join(f"- {_line(alert)}" for alert in told)
    code = told[0].experiment.code
    subject = f"{code}: {len(told)} alerts wait for you" if len(told) > 1 else f"{code}: an alert waits for you"
    send_mail(subject, f"{lines}\n\nThey stand on your home page of labdb, where each is resolved with what was done.\n",
              None, [owner.email])  # fmt: skip
    return told


def _line(alert: Alert) -> str:
    if alert.kind in (Alert.Kind.WELFARE, Alert.Kind.LICENCE):
        return alert.message
    animal = f" about {alert.enrolment.animal}" if alert.enrolment else ""
    return f"{alert.get_kind_display()}{animal}, {timezone.localtime(alert.raised_at):%Y-%m-%d %H:%M}"


@unfinished
def open_alerts(experiment: Experiment) -> list[str]:
    """Alerts that nobody resolved."""
    rows = Alert.objects.filter(experiment=experiment, state=Alert.State.OPEN).select_related("owner")
    return [f"alert of {row.raised_at:%Y-%m-%d}: {row.message}" for row in rows]
