"""Buttons of protocols, plans, medications and alerts; each leads to one verb."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from experiments.actions.alerts import assign_alert, resolve_alert
from experiments.actions.medications import give_medication, omit_medication
from experiments.actions.planning import PlanOutcome, assign_planned, cancel_planned, plan_procedures, replan_procedures
from experiments.actions.procedures import record_procedure
from experiments.actions.protocols import issue_version, new_version
from experiments.admin.links import page_url
from experiments.admin.plan_forms import ChangeNoteForm, ResolutionForm, WhyForm, person_form, recording_form
from experiments.models import Alert, Experiment, Medication, PlannedProcedure, ProtocolVersion
from labdb.base.access import CLOSED
from labdb.base.admin import Verb

DETAILS = ("weight_g", "amount", "given_ml", "agent_lot", "volume_ul", "viability_percent")


def _issue(request: HttpRequest, version: ProtocolVersion, answers: dict[str, Any]) -> str:
    return f"{issue_version(version=version, by=request.user)} is issued: its steps stay as they are."


def _new_version(request: HttpRequest, version: ProtocolVersion, answers: dict[str, Any]) -> HttpResponse:
    made = new_version(version=version, by=request.user, **answers)
    messages.success(request, f"{made} has the same steps, to be changed and issued.")
    return HttpResponseRedirect(page_url(made))


VERSION_VERBS = (
    Verb(
        "issue",
        "Issue",
        _issue,
        icon="verified",
        explanation="From then on arms are planned by this version, and its steps stay as they are.",
        is_shown=lambda version: version.issued_at is None,
        is_primary=True,
    ),
    Verb("new-version", "Make the next version", _new_version, icon="content_copy", form=ChangeNoteForm),
)


def _record(request: HttpRequest, planned: PlannedProcedure, answers: dict[str, Any]) -> str:
    details = {name: answers.pop(name) for name in DETAILS if answers.get(name) not in (None, "")}
    at = answers.pop("at")
    for name in DETAILS:
        answers.pop(name, None)
    if at is not None:
        answers["performed_at"] = datetime.combine(answers["performed_on"], at, tzinfo=ZoneInfo(settings.TIME_ZONE))
    kind = "induction" if planned.step.kind == "induction" else "dose"
    given: dict[str, Any] = {kind: details} if details else {}
    made = record_procedure(planned=planned, by=request.user, **given, **answers)
    return f"{made.name} of {made.enrolment.animal} is recorded." + (
        " An alert tells what differs." if made.deviation else ""
    )


def _cancel(request: HttpRequest, planned: PlannedProcedure, answers: dict[str, Any]) -> str:
    cancel_planned(planned=planned, by=request.user, **answers)
    return "It is off the plan."


def _assign(request: HttpRequest, planned: PlannedProcedure, answers: dict[str, Any]) -> str:
    row = assign_planned(planned=planned, by=request.user, **answers)
    return f"{row.assigned_to or 'Nobody in particular'} is to do it."


def _is_planned(row: PlannedProcedure) -> bool:
    return row.state == PlannedProcedure.State.PLANNED


PLANNED_VERBS = (
    Verb(
        "record",
        "Record it",
        _record,
        icon="vaccines",
        asks="record",
        form=recording_form,
        is_shown=_is_planned,
        is_primary=True,
    ),
    Verb(
        "assign",
        "Assign",
        _assign,
        icon="person",
        form=lambda request, row: person_form("person", row.enrolment.experiment, required=False),
        is_shown=_is_planned,
    ),
    Verb("cancel", "Cancel", _cancel, icon="event_busy", form=WhyForm, is_shown=_is_planned),
)


def _give(request: HttpRequest, row: Medication, answers: dict[str, Any]) -> str:
    give_medication(medication=row, by=request.user)
    return f"{row} was given now."


def _omit(request: HttpRequest, row: Medication, answers: dict[str, Any]) -> str:
    omit_medication(medication=row, by=request.user, **answers)
    return f"{row} is left out; an alert tells the director."


def _is_open(row: Medication) -> bool:
    return row.given_at is None and not row.omitted_reason


MEDICATION_VERBS = (
    Verb("give", "Given now", _give, icon="medication", is_shown=_is_open, is_primary=True),
    Verb("omit", "Leave out", _omit, icon="block", form=WhyForm, is_shown=_is_open),
)


def _resolve(request: HttpRequest, alert: Alert, answers: dict[str, Any]) -> str:
    resolve_alert(alert=alert, by=request.user, **answers)
    return "The alert is resolved."


def _own(request: HttpRequest, alert: Alert, answers: dict[str, Any]) -> str:
    return f"{assign_alert(alert=alert, by=request.user, **answers).owner} looks after it."


def _is_unresolved(alert: Alert) -> bool:
    return alert.state == Alert.State.OPEN


ALERT_VERBS = (
    Verb(
        "resolve", "Resolve", _resolve, icon="task_alt", form=ResolutionForm, is_shown=_is_unresolved, is_primary=True
    ),
    Verb(
        "assign",
        "Give to somebody",
        _own,
        icon="person",
        form=lambda request, row: person_form("owner", row.experiment, required=True),
        is_shown=_is_unresolved,
    ),
)


def _plan(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    return _told(plan_procedures(experiment=experiment, by=request.user), "would change")


def _replan(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    return _told(replan_procedures(experiment=experiment, by=request.user, **answers), "changed")


def _told(outcome: PlanOutcome, changed: str) -> str:
    lines = [f"{outcome.added} planned, {outcome.unchanged} stood already."]
    moved = len(outcome.changes) + len(outcome.surplus)
    if moved:
        lines.append(f"{moved} {changed}: other days, or no longer asked for.")
        lines += ["“Replan” changes them."] if changed == "would change" else []
    left = [("without day 0", outcome.without_day_0), ("in no arm", outcome.unallocated), ("gone", outcome.ended)]
    lines += [f"{n} animals {what}." for what, n in left if n]
    return " ".join(lines)


def _has_protocols(experiment: Experiment) -> bool:
    return experiment.status not in CLOSED


PLAN_VERBS = (
    Verb(
        "plan-procedures",
        "Plan procedures",
        _plan,
        icon="event_upcoming",
        explanation="Plans what is missing of the protocols of the animals' arms.",
        is_shown=_has_protocols,
    ),
    Verb(
        "replan",
        "Replan",
        _replan,
        icon="event_repeat",
        form=WhyForm,
        explanation="Brings the plan to what protocols, arms and days ask for now. What was done stays.",
        is_shown=_has_protocols,
    ),
)
