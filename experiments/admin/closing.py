"""Closing and reopening at the experiment's page, and what every page of a closed experiment says at its head."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments.actions.closing import close_experiment, reopen_experiment
from experiments.actions.reasons import LONGEST_REASON
from experiments.models import Experiment, ExperimentLock
from labdb.base.access import CLOSED, LAB_WIDE, experiments_of
from labdb.base.admin import Verb
from labdb.base.panels import register_notice


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="Every page of the experiment tells it."
    )


def _close(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    close_experiment(experiment=experiment, by=request.user, reason=answers["reason"])
    return "The experiment is closed: its record stays as it is."


def _reopen(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    reopen_experiment(experiment=experiment, by=request.user, reason=answers["reason"])
    return "The experiment is open again."


def _is_closed(experiment: Experiment) -> bool:
    return experiment.status in CLOSED


VERBS = (
    Verb(
        "close",
        "Close",
        _close,
        icon="lock",
        asks="close",
        form=ReasonForm,
        explanation="From then on nothing of the experiment is written, changed or deleted, by whatever way, until a"
        " director opens it again. Summaries and reports can still be made.",
        is_shown=lambda experiment: not _is_closed(experiment),
    ),
    Verb(
        "reopen",
        "Reopen",
        _reopen,
        icon="lock_open",
        asks="reopen",
        form=ReasonForm,
        explanation="The record can be changed again. Who closed it, when and why stays recorded, and so does this.",
        is_shown=_is_closed,
    ),
)


@register_notice
def closings(request: HttpRequest, row: Any) -> list[str]:
    """Who closed the experiment of ``row``, when and why."""
    if (isinstance(row, Experiment) and not _is_closed(row)) or getattr(row, "experiment_path", None) in (
        None,
        LAB_WIDE,
    ):
        return []
    locks = ExperimentLock.objects.visible_to(request.user).filter(reopened_at=None, experiment__in=experiments_of(row))
    return [_told(lock) for lock in locks.select_related("experiment", "closed_by")]


def _told(lock: ExperimentLock) -> str:
    at = timezone.localtime(lock.closed_at)
    by = f" by {lock.closed_by}" if lock.closed_by else ""
    return f"Experiment {lock.experiment} was closed{by} on {at:%Y-%m-%d at %H:%M}: {lock.reason}"
