"""Buttons of release, rejection, recall and withdrawal."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from experiments.actions.reasons import LONGEST_REASON
from experiments.actions.releasing import lift_recall, recall, reject, release, withdraw_consent
from experiments.models import Consent, Recall
from labdb.base.admin import Verb


class StatementForm(forms.Form):
    statement = forms.CharField(
        max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="On what the decision rests."
    )


class WhyForm(forms.Form):
    reason = forms.CharField(
        max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="It is kept with the record."
    )


def _release(request: HttpRequest, subject: Any, answers: dict[str, Any]) -> str:
    return f"{release(subject=subject, statement=answers['statement'], by=request.user)}."


def _reject(request: HttpRequest, subject: Any, answers: dict[str, Any]) -> str:
    return f"{reject(subject=subject, statement=answers['statement'], by=request.user)}."


def _recall(request: HttpRequest, subject: Any, answers: dict[str, Any]) -> str:
    found = recall(subject=subject, reason=answers["reason"], by=request.user).reached
    others = f", and {found.n_others} of other experiments" if found.n_others else ""
    return f"Recalled. It reached {len(found.animals)} animals{others}: they stand below."


def _lift(request: HttpRequest, row: Recall, answers: dict[str, Any]) -> str:
    lift_recall(recall=row, reason=answers["reason"], by=request.user)
    return "The recall is lifted; that it stood stays recorded."


def _withdraw(request: HttpRequest, consent: Consent, answers: dict[str, Any]) -> str:
    withdraw_consent(consent=consent, reason=answers["reason"], by=request.user)
    return "The consent is withdrawn: nothing of the tissue is used any more."


def _is_recalled(subject: Any) -> bool:
    return subject.recalls.filter(lifted_at=None).exists()


DECISIONS = (
    Verb(
        "release",
        "Release",
        _release,
        icon="verified",
        asks="release",
        form=StatementForm,
        explanation="Tests that failed or are not decided yet stand against it. Where its maker releases it, it is told"
        " as self-released.",
        is_shown=lambda subject: not _is_recalled(subject),
    ),
    Verb(
        "reject",
        "Reject",
        _reject,
        icon="block",
        asks="reject",
        form=StatementForm,
        explanation="Nothing of it is given any more; what was given stays recorded.",
    ),
    Verb(
        "recall",
        "Recall",
        _recall,
        icon="campaign",
        asks="recall",
        form=WhyForm,
        explanation="Nothing of it, nor of anything made from it, is given any more. An alert is raised in every experiment"
        " with an animal that got something of it.",
        is_shown=lambda subject: not _is_recalled(subject),
    ),
)
RECALL_VERBS = (
    Verb(
        "lift",
        "Lift the recall",
        _lift,
        icon="undo",
        asks="lift",
        form=WhyForm,
        is_shown=lambda row: row.lifted_at is None,
    ),
)
CONSENT_VERBS = (
    Verb(
        "withdraw",
        "Withdraw",
        _withdraw,
        icon="person_off",
        form=WhyForm,
        explanation="For a donor who withdraws: every new use of the tissue is refused, what was done stays recorded.",
        is_shown=lambda consent: consent.withdrawn_at is None,
    ),
)
