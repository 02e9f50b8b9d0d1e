"""Notes: the button and the panel on pages, and on the home page those that call on the person."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from experiments.actions.notes import mark_seen, write_note
from experiments.admin.links import list_url, page_url
from experiments.models import Animal, Experiment, Note, NoteMention
from labdb.base.admin import Verb
from labdb.base.models import User
from labdb.base.panels import HOME, Panel, register_panel

SHOWN = 12


def note_form(request: HttpRequest, row: Any) -> type[forms.Form]:
    """Words and people; on an animal also the experiment that the note is about."""

    class NoteForm(forms.Form):
        text = forms.CharField(widget=UnfoldAdminTextareaWidget, label="Note")
        mentions = forms.ModelMultipleChoiceField(
            User.objects.filter(is_active=True), required=False, widget=UnfoldAdminSelectMultipleWidget,
            label="Calls on", help_text="They find it on their home page and get a mail that says so.",
        )  # fmt: skip
        if isinstance(row, Animal):
            experiment = forms.ModelChoiceField(
                Experiment.objects.visible_to(request.user).filter(enrolments__animal=row),
                widget=UnfoldAdminSelectWidget,
            )

    return NoteForm


def note_verb(name: str) -> Verb:
    """The button that writes a note on a row, which is the ``name`` of its subject."""

    def write(request: HttpRequest, row: Any, answers: dict[str, Any]) -> str:
        write_note(by=request.user, **{name: row, **answers})
        return "The note is written."

    return Verb("note", "Note", write, icon="sticky_note_2", asks="note", form=note_form)


def _seen(request: HttpRequest, note: Note, answers: dict[str, Any]) -> str:
    person: Any = request.user
    mention = NoteMention.objects.visible_to(person).filter(note=note, person=person).first()
    if mention is None:
        raise ValidationError("This note does not call on you.")
    mark_seen(mention=mention, by=person)
    return "Marked as seen."


SEEN = Verb(
    "seen", "Seen", _seen, icon="visibility", asks="view",
    is_shown=lambda note: note.mentions.filter(seen_at=None).exists(),
)  # fmt: skip


def calls(request: HttpRequest, subject: Any) -> dict[str, Any] | None:
    """Notes that call on the person and that they have not seen yet; nothing where there is none."""
    person: Any = request.user
    waiting = NoteMention.objects.visible_to(person).filter(person=person, seen_at=None)
    notes = Note.objects.visible_to(person).filter(mentions__in=waiting)
    shown = list(notes.select_related("author", "experiment", "animal", "batch", "lot")[: SHOWN + 1])
    if not shown:
        return None
    told = [
        {"note": note, "url": page_url(note), "seen_url": reverse("admin:experiments_note_do", args=[note.pk, "seen"])}
        for note in shown[:SHOWN]
    ]
    return {"notes": told, "has_more": len(shown) > SHOWN, "all_url": list_url("note")}


def notes_on(name: str) -> Callable[[HttpRequest, Any], dict[str, Any]]:
    """The panel of the notes on a row, which is the ``name`` of their subject."""

    def context(request: HttpRequest, row: Any) -> dict[str, Any]:
        rows = Note.objects.visible_to(request.user).filter(**{name: row})
        shown = list(rows.select_related("author", "animal").prefetch_related("mentions__person")[: SHOWN + 1])
        told = [{"note": note, "url": page_url(note)} for note in shown[:SHOWN]]
        return {"notes": told, "has_more": len(shown) > SHOWN, "all_url": list_url("note")}

    return context


register_panel(Panel(HOME, "notes", "Notes that call on you", "experiments/home_notes.html", calls, 5))
for page, name in (("experiment", "experiment"), ("animal", "animal"), ("batch", "batch"), ("lot", "lot")):
    register_panel(Panel(page, "notes", "Notes", "experiments/notes.html", notes_on(name), 90, False))
