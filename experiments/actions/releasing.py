"""Whether a batch or a lot may be given: release, rejection, recall, and a donor's consent that is withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.actions.reasons import given_reason
from experiments.actions.stock.rules import WHILE_RELEASING, Objection, last_tests, objections, refuse
from experiments.actions.stock.vials import past
from experiments.lineage import Behind, Reached, reached
from experiments.models import Alert, Consent, IsolationBatch, Lot, Membership, Recall, Release, SafetyTest
from labdb.base.access import require
from labdb.base.trail import changes_since
from labdb.base.verbs import verb

Subject = IsolationBatch | Lot


@dataclass(frozen=True)
class Recalled:
    """The recall, and every animal that it reaches as far as its asker may know of them."""

    recall: Recall
    reached: Reached


@verb
def release(*, subject: Subject, statement: str, by: Any) -> Release:
    """Decide that a batch or a lot may be given.

    Whoever made it releases it only where the laboratory asks for no second person; it is told as self-released then.

    Raises:
        ValidationError: no statement; a test failed, is pending or missing (by the laboratory's policy); it or what it was
            made from was recalled, failed or expired, or a consent was withdrawn; its maker releases it against the policy.
        PermissionDenied: ``by`` may not decide.
    """
    require(by, "release", subject)
    told = given_reason(statement, "Say on what the decision rests.", "statement")
    held = _hold(subject)
    is_own = _made(held, by)
    if is_own and settings.LABDB_RELEASE_NEEDS_SECOND_PERSON:
        raise ValidationError("Somebody else than its maker releases it: the laboratory asks for a second person.")
    refuse(_against(held, by), WHILE_RELEASING)
    _check_tests(held)
    return _decide(held, Release.Decision.RELEASED, told, by, is_self_released=is_own)


@verb
def reject(*, subject: Subject, statement: str, by: Any) -> Release:
    """Decide that a batch or a lot may not be given; what was given of it stays recorded.

    Raises:
        ValidationError: no statement.
        PermissionDenied: ``by`` may not decide.
    """
    require(by, "reject", subject)
    told = given_reason(statement, "Say on what the decision rests.", "statement")
    return _decide(_hold(subject), Release.Decision.REJECTED, told, by)


@verb
def recall(*, subject: Subject, reason: str, by: Any) -> Recalled:
    """Have nothing of a batch or a lot, nor of anything made from it, given any more.

    Answers with every animal that got something of it over whatever steps; an alert is raised in each experiment.

    Raises:
        ValidationError: no reason; it is recalled already.
        PermissionDenied: ``by`` may not decide.
    """
    require(by, "recall", subject)
    told = given_reason(reason, "Say why it is recalled.")
    held = _hold(subject)
    made = Recall(**_of(held), reason=told, recalled_by=by)
    made.save()
    found = reached_by(made, by)
    _alert(made, found)
    return Recalled(made, found)


def reached_by(recall: Recall, user: Any) -> Reached:
    """Every animal that got something of what ``recall`` is about, as far as ``user`` may know of them."""
    batches, lots = ([key] if key else [] for key in (recall.batch_id, recall.lot_id))
    return reached(user, batches=batches, lots=lots)


@verb
def lift_recall(*, recall: Recall, reason: str, by: Any) -> Recall:
    """End a recall; that it stood stays recorded.

    Raises:
        ValidationError: no reason; it is lifted already.
        PermissionDenied: ``by`` may not decide.
    """
    require(by, "lift", recall)
    told = given_reason(reason, "Say why it may be given again.")
    standing = Recall.objects.filter(pk=recall.pk, lifted_at=None)
    if not standing.update(lifted_at=timezone.now(), lifted_by=by, lift_reason=told):
        raise ValidationError("This recall is lifted already.")
    recall.refresh_from_db()
    return recall


@verb
def withdraw_consent(*, consent: Consent, reason: str, by: Any, withdrawn_at: datetime | None = None) -> Consent:
    """Record that a donor withdrew the consent: nothing of its tissue is used any more, what was done stays recorded.

    Raises:
        ValidationError: no reason; it was withdrawn already.
        PermissionDenied: ``by`` may not record.
    """
    require(by, "change", consent)
    note = given_reason(reason, "Say how the withdrawal was told.")[:250]
    standing = Consent.objects.filter(pk=consent.pk, withdrawn_at=None)
    if not standing.update(withdrawn_at=past(withdrawn_at, "withdrawn_at"), withdrawal_note=note):
        consent.refresh_from_db()
        raise ValidationError(f"This consent was withdrawn on {consent.withdrawn_at:%Y-%m-%d} already.")
    consent.refresh_from_db()
    return consent


def _hold(subject: Subject) -> Any:
    """Whoever is giving something of it ends first."""
    return type(subject).objects.select_for_update(of=("self",), no_key=True).get(pk=subject.pk)


def _of(subject: Subject) -> dict[str, Any]:
    return {"batch": subject} if isinstance(subject, IsolationBatch) else {"lot": subject}


def _made(subject: Subject, person: Any) -> bool:
    """Whether ``person`` made it; where nobody is named, whoever recorded it counts as its maker."""
    maker = subject.operator_id if isinstance(subject, IsolationBatch) else subject.made_by_id
    if maker is None:
        entries = changes_since(type(subject), subject.pk, 0).order_by("id")
        maker = entries.values_list("statement__person_id", flat=True).first()
    return maker is None or maker == person.pk


def _against(subject: Subject, by: Any) -> list[Objection]:
    today = timezone.localdate()
    if isinstance(subject, Lot):
        return objections([subject], today, by)
    return objections([], today, by, Behind([], [subject.pk], [subject.tissue_sample_id]))


def _check_tests(subject: Subject) -> None:
    tests = SafetyTest.objects.filter(**_of(subject))
    known = dict(SafetyTest.Kind.choices)
    pending = [row.get_kind_display() for row in tests.filter(outcome=SafetyTest.Outcome.PENDING)]
    if pending and not settings.LABDB_RELEASE_WHILE_PENDING:
        raise ValidationError(f"Not decided yet: {', '.join(pending)}.")
    passed = {row.kind for row in last_tests(tests) if row.outcome == SafetyTest.Outcome.PASSED}
    missing = [known.get(kind, kind) for kind in settings.LABDB_RELEASE_NEEDS_TESTS if kind not in passed]
    if missing:
        raise ValidationError(f"The laboratory asks for these tests before a release: {', '.join(missing)}.")


def _decide(subject: Subject, decision: str, told: str, by: Any, is_self_released: bool = False) -> Release:
    made = Release(**_of(subject), decision=decision, statement=told, decided_by=by, is_self_released=is_self_released)
    made.save()
    return made


def _alert(made: Recall, found: Reached) -> None:
    """One in each experiment, for its director."""
    directors = Membership.objects.filter(experiment__in=found.concerned, role=Membership.Role.DIRECTOR, ended_at=None)
    owners = dict(directors.order_by("-started_at").values_list("experiment_id", "user_id"))  # the first one stands
    what = f"{'Batch' if made.batch_id else 'Lot'} {made.batch or made.lot}"
    for experiment, count in sorted(found.concerned.items()):
        animals = "1 animal got" if count == 1 else f"{count} animals got"
        message = f"{what} was recalled, {animals} something of it: {made.reason}"
        Alert(
            experiment_id=experiment,
            kind=Alert.Kind.RECALL,
            message=message if len(message) <= 500 else f"{message[:499]}…",
            owner_id=owners.get(experiment),
        ).save()
