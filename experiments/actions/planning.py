"""The plan of an experiment: which step each animal goes through on which day, from its arm's protocols and its day 0."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F

from experiments.actions.plan_rules import Asked, plan_refusals
from experiments.actions.protocols import calendar_step
from experiments.models import ArmProtocol, Enrolment, Experiment, PlannedProcedure, Procedure
from experiments.rules import study_calendar
from labdb.base.access import may, require
from labdb.base.bulk import bulk_insert
from labdb.base.verbs import verb

Key = tuple[Any, Any, int]  # enrolment, step, repeat
State = PlannedProcedure.State
NAMES = ("enrolment", "step", "repeat", "due_on", "earliest_on", "latest_on", "state")
DATES = ("due_on", "earliest_on", "latest_on")


@dataclass(frozen=True, slots=True)
class Change:
    """A planned procedure that would be due on another day: another day 0, another arm, a dose on another day."""

    planned: PlannedProcedure
    was_due_on: date
    due_on: date
    earliest_on: date
    latest_on: date


@dataclass
class PlanOutcome:
    """What planning did, and what it left: ``changes`` and ``surplus`` are for ``replan_procedures``."""

    added: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    surplus: list[PlannedProcedure] = field(default_factory=list)  # no protocol of the arm asks for these any more
    without_day_0: int = 0
    unallocated: int = 0
    ended: int = 0


@verb
def plan_procedures(*, experiment: Experiment, by: Any, enrolments: Iterable[Enrolment] | None = None) -> PlanOutcome:
    """Plan what is missing of the protocols of each animal's arm, from its day 0; what stands on the plan stays.

    Doing it again adds nothing. Animals without day 0 or arm, and those whose part has ended, are counted only.

    Raises:
        ValidationError: a dose beyond its limit, a licence that has expired by then, more animals than it allows, no
            licence where the laboratory asks for one. Nothing is planned then.
        PermissionDenied: ``by`` may not plan in the experiment.
    """
    outcome, asked, wanted = _compared(experiment, enrolments, by, "add")
    refused = plan_refusals(experiment, asked)
    if refused:
        raise ValidationError(refused)
    _add(asked, wanted)
    return outcome


@verb
def replan_procedures(
    *, experiment: Experiment, reason: str, by: Any, enrolments: Iterable[Enrolment] | None = None
) -> PlanOutcome:
    """Bring the plan to what the protocols and days ask for now: move, cancel and add. What was done stays.

    Returns what it did. Doing it again changes nothing.

    Raises:
        ValidationError: no reason; what ``plan_procedures`` refuses.
        PermissionDenied: ``by`` may not plan in the experiment.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why the plan changes."})
    outcome, asked, wanted = _compared(experiment, enrolments, by, "change")
    moved = [Asked(change.planned.enrolment, change.planned.step, change.due_on) for change in outcome.changes]
    refused = plan_refusals(experiment, [*asked, *moved])
    if refused:
        raise ValidationError(refused)
    for change in outcome.changes:
        for name in DATES:
            setattr(change.planned, name, getattr(change, name))
    PlannedProcedure.objects.bulk_update([change.planned for change in outcome.changes], DATES, batch_size=1000)
    surplus = PlannedProcedure.objects.filter(pk__in=[row.pk for row in outcome.surplus], state=State.PLANNED)
    surplus.update(state=State.CANCELLED, cancel_reason=reason.strip()[:250])
    _add(asked, wanted)
    return outcome


@verb
def cancel_planned(*, planned: PlannedProcedure, reason: str, by: Any) -> PlannedProcedure:
    """Take ``planned`` from the plan, with a reason; the row stays.

    Raises:
        ValidationError: no reason; it was done or cancelled before.
        PermissionDenied: ``by`` may not plan in the experiment.
    """
    require(by, "change", planned)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is cancelled."})
    rows = PlannedProcedure.objects.filter(pk=planned.pk, state=State.PLANNED)
    if not rows.update(state=State.CANCELLED, cancel_reason=reason.strip()):
        planned.refresh_from_db()
        raise ValidationError(f"It is {planned.state} already.")
    planned.refresh_from_db()
    return planned


@verb
def assign_planned(*, planned: PlannedProcedure, person: Any, by: Any) -> PlannedProcedure:
    """Have ``person`` do ``planned``; None: nobody in particular.

    Raises:
        ValidationError: it is no longer to be done; ``person`` does not record procedures of the experiment.
        PermissionDenied: ``by`` may not plan in the experiment.
    """
    require(by, "change", planned)
    experiment = planned.enrolment.experiment
    if person is not None and not may(person, "add", Procedure(experiment=experiment)):
        raise ValidationError({"assigned_to": f"{person} does not record procedures of {experiment}."})
    rows = PlannedProcedure.objects.filter(pk=planned.pk, state=State.PLANNED)
    if not rows.update(assigned_to=person):
        planned.refresh_from_db()
        raise ValidationError(f"It is {planned.state} already.")
    planned.refresh_from_db()
    return planned


def _compared(
    experiment: Experiment, enrolments: Iterable[Enrolment] | None, by: Any, what: str
) -> tuple[PlanOutcome, list[Asked], dict[Key, study_calendar.Planned]]:
    """What the plan holds against what it should; who plans the same experiment at once waits."""
    require(by, what, PlannedProcedure(enrolment=Enrolment(experiment=experiment)))
    experiment = Experiment.objects.select_for_update(of=("self",), no_key=True).get(pk=experiment.pk)
    outcome = PlanOutcome()
    rows = Enrolment.objects.filter(experiment=experiment).select_related("animal__strain", "allocation", "disposition")
    if enrolments is not None:
        rows = rows.filter(pk__in=[row.pk for row in enrolments])
    found = list(rows)
    ready = [row for row in found if _is_ready(row, outcome)]
    steps, wanted = _wanted(experiment, ready)
    present = _present(row.pk for row in found)
    _compare(wanted, present, {row.pk for row in ready}, outcome)
    of = {row.pk: row for row in ready}
    asked = [Asked(of[key[0]], steps[key[1]], one.on) for key, one in wanted.items() if key not in present]
    outcome.added = len(asked)
    return outcome, asked, {key: one for key, one in wanted.items() if key not in present}


def _is_ready(row: Enrolment, outcome: PlanOutcome) -> bool:
    if hasattr(row, "disposition"):
        outcome.ended += 1
    elif not hasattr(row, "allocation"):
        outcome.unallocated += 1
    elif row.day_0 is None:
        outcome.without_day_0 += 1
    else:
        return True
    return False


def _wanted(experiment: Experiment, enrolments: Sequence[Enrolment]) -> tuple[dict, dict[Key, study_calendar.Planned]]:
    """The steps by key, and every occurrence that the protocols ask for. Raises ValidationError for a draft."""
    protocols: dict[Any, list[ArmProtocol]] = defaultdict(list)
    of_arms = ArmProtocol.objects.filter(arm__experiment=experiment).select_related("version__protocol", "arm")
    for each in of_arms.prefetch_related("version__steps"):
        protocols[each.arm_id].append(each)
    drafts = sorted({str(each.version) for some in protocols.values() for each in some if not each.version.issued_at})
    if drafts:
        raise ValidationError([f"{draft} is not issued; its steps may still change." for draft in drafts])
    steps = {step.pk: step for some in protocols.values() for each in some for step in each.version.steps.all()}
    done = _done(row.pk for row in enrolments)
    by_text = {str(key): key for key in steps}
    wanted = {
        (row.pk, by_text[one.step], one.ordinal): one
        for row in enrolments
        for one in _occurrences(protocols[row.allocation.arm_id], row, done[row.pk])
    }
    return steps, wanted


def _occurrences(protocols: list[ArmProtocol], row: Enrolment, done: dict) -> Iterator[study_calendar.Planned]:
    assert row.day_0 is not None
    for each in protocols:
        steps = [calendar_step(step, each.shift_days) for step in each.version.steps.all()]
        yield from study_calendar.plan(steps, row.day_0, done)


def _done(enrolments: Iterable[Any]) -> dict[Any, dict[tuple[str, int], date]]:
    """On which days the steps were done, by enrolment: what follows a step counts from there."""
    found: dict[Any, dict[tuple[str, int], date]] = defaultdict(dict)
    rows = Procedure.objects.filter(planned__enrolment__in=list(enrolments), performed_on__isnull=False)
    names = ("planned__enrolment", "planned__step", "planned__repeat", "performed_on")
    for enrolment, step, repeat, day in rows.values_list(*names):
        assert day is not None
        found[enrolment][str(step), repeat] = day
    return found


def _present(enrolments: Iterable[Any]) -> dict[Key, PlannedProcedure]:
    rows = PlannedProcedure.objects.filter(enrolment__in=list(enrolments))
    rows = rows.select_related("enrolment__animal__strain", "enrolment__experiment", "step").order_by(F("due_on"), "pk")
    return {(row.enrolment_id, row.step_id, row.repeat): row for row in rows}


def _compare(wanted: dict, present: dict[Key, PlannedProcedure], ready: set, outcome: PlanOutcome) -> None:
    for key, row in present.items():
        one = wanted.get(key)
        if row.state != State.PLANNED or key[0] not in ready:
            outcome.unchanged += 1
        elif one is None:
            outcome.surplus.append(row)
        elif (one.on, one.window_from, one.window_to) == (row.due_on, row.earliest_on, row.latest_on):
            outcome.unchanged += 1
        else:
            outcome.changes.append(Change(row, row.due_on, one.on, one.window_from, one.window_to))


def _add(asked: list[Asked], wanted: dict[Key, study_calendar.Planned]) -> None:
    rows = [
        (enrolment, step, repeat, one.on, one.window_from, one.window_to, State.PLANNED)
        for (enrolment, step, repeat), one in wanted.items()
    ]
    bulk_insert(PlannedProcedure, NAMES, rows)
