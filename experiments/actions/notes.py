"""Notes on the record, the people whom they call on, and the mail that tells them so."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import send_mail
from django.utils import timezone

from experiments.actions.jobs import Progress, request_job, work
from experiments.models import Enrolment, Job, Note, NoteMention
from labdb.base.access import require
from labdb.base.verbs import verb

MAIL = "mail_mentions"


@verb
def write_note(*, text: str, by: Any, mentions: Sequence[Any] = (), **subject: Any) -> Note:
    """Write a note on ``subject`` (experiment, animal, procedure, batch, lot) that calls on the people ``mentions``.

    Who is called on sees the note on the home page and gets a mail that tells that there is one, not what it says.

    Raises:
        ValidationError: no words, no subject, an animal or procedure of another experiment, or someone is called on who
            may not see the subject; each of them is named.
        PermissionDenied: ``by`` may not see the subject, or not write in its experiment.
    """
    note = Note(text=text.strip(), author=by, **subject)
    require(by, "add", note)
    for row in filter(None, subject.values()):
        require(by, "view", row)
    _refuse_strange(note)
    note.save()
    people = {person.pk: person for person in mentions}
    blind = [str(person) for person in people.values() if not _sees(person, note)]
    if blind:
        raise ValidationError({"mentions": f"They may not see what the note is on: {', '.join(sorted(blind))}."})
    for person in people.values():
        NoteMention(note=note, person=person).save()
    if people:
        request_job(kind=MAIL, subject_id=note.pk, by=by, experiment=note.experiment)
    return note


@verb
def mark_seen(*, mention: NoteMention, by: Any) -> NoteMention:
    """Record that the person whom the note calls on has seen it; the first time counts.

    Raises PermissionDenied for somebody else, and for a token that may only read.
    """
    scope = getattr(by, "token_scope", None)
    if mention.person_id != by.pk or not by.is_active or (scope and not scope.can_write):
        raise PermissionDenied("Only who is called on says that they have seen a note.")
    NoteMention.objects.filter(pk=mention.pk, seen_at=None).update(seen_at=timezone.now())
    mention.refresh_from_db()
    return mention


def _refuse_strange(note: Note) -> None:
    """Raises ValidationError for an animal or procedure that is not of the note's experiment."""
    if note.animal_id and not Enrolment.objects.filter(experiment=note.experiment_id, animal=note.animal_id).exists():
        raise ValidationError({"animal": f"{note.animal} is not enrolled in this experiment."})
    if note.procedure and note.procedure.enrolment.experiment_id != note.experiment_id:
        raise ValidationError({"procedure": f"{note.procedure} belongs to another experiment."})


def _sees(person: Any, note: Note) -> bool:
    """Whether ``person`` sees the note itself, which is hidden from who is masked, and what it is on."""
    subjects = (note, note.experiment, note.animal, note.procedure, note.batch, note.lot)
    return all(type(row)._default_manager.visible_to(person).filter(pk=row.pk).exists() for row in subjects if row)


@work(MAIL)
def mail_mentions(job: Job, progress: Progress) -> dict[str, Any]:
    """Mail each person whom the note calls on, once. The mail may be read by others, so it tells only where the note is."""
    rows = NoteMention.objects.select_for_update(of=("self",), no_key=True).select_related("person", "note__author")
    mailed = 0
    for mention in rows.filter(note=job.subject_id, mailed_at=None, person__is_active=True).exclude(person__email=""):
        NoteMention.objects.filter(pk=mention.pk).update(mailed_at=timezone.now())
        told = f"{mention.note.author} calls on you in a note. It stands on your home page of labdb:\n{_address()}\n"
        send_mail("A note calls on you", told, None, [mention.person.email])
        mailed += 1
    return {"mailed": mailed}


def _address() -> str:
    """Where the home page is reached, as far as the installation tells it."""
    return next(iter(settings.CSRF_TRUSTED_ORIGINS), "") + "/"
