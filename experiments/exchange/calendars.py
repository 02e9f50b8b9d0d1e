"""Planned procedures and open medications as the events of a calendar."""

from collections.abc import Iterator

from django.db.models import QuerySet

from experiments.exchange.ical import Event
from experiments.models.terms import words_of


def planned_events(rows: QuerySet) -> Iterator[Event]:
    """Planned procedures, on the day on which each is due, with its window."""
    related = rows.select_related("step", "enrolment__animal", "enrolment__experiment").order_by("due_on", "pk")
    for row in related.iterator(chunk_size=2000):
        window = f"{row.earliest_on} to {row.latest_on}" if row.earliest_on < row.latest_on else f"{row.due_on}"
        times = f" {row.repeat} of {row.step.repeats}" if row.step.repeats > 1 else ""
        told = f"{row.step.name}{times}: {row.enrolment.animal} ({row.enrolment.experiment})"
        yield Event(
            str(row.pk), row.due_on, told, "\n".join(filter(None, [f"Window: {window}", row.step.instructions]))
        )


def medication_events(rows: QuerySet) -> Iterator[Event]:
    """Medications, at the instant by which each has to be given."""
    related = rows.select_related("procedure__enrolment__animal", "procedure__experiment").order_by("due_at", "pk")
    for row in related.iterator(chunk_size=2000):
        animal = row.procedure.enrolment.animal
        told = f"{row.get_kind_display()}, {words_of(row, 'agent')}: {animal} ({row.procedure.experiment})"
        yield Event(str(row.pk), row.due_at, told, f"After {row.procedure.name}.")
