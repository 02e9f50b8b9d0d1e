"""The field “Reason for change” of change forms, deletions and verbs' dialogs. When it is asked: ``labdb.base.reasons``."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from labdb.base.reasons import FIELD, LONGEST

ASKED = {
    "recorded": "Asked where a recorded value changes or a row is deleted, not where something empty is filled in.",
    "always": "Asked for every change.",
}


class ReasonForm(forms.Form):
    """The one field beside a row's form. It is never required here: the row's own rule says whether it is."""

    reason_for_change = forms.CharField(
        required=False, max_length=LONGEST, label="Reason for change", widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request.POST if request.method == "POST" else None, *args, **kwargs)
        self.fields[FIELD].help_text = help_text()
        refused = getattr(request, "refused", None)
        if self.is_bound and self.is_valid() and refused is not None:
            self.add_error(FIELD, refused.messages.get(FIELD, []))
        if self.errors:  # it stands at the form's end, out of sight
            self.fields[FIELD].widget.attrs["autofocus"] = True


def help_text() -> str:
    grace = settings.LABDB_REASON_GRACE_MINUTES
    excepted = f" What you entered yourself in the last {grace} minutes you change without one." if grace else ""
    return ASKED.get(settings.LABDB_REASON_POLICY, "") + excepted


def is_asked_of(model: type[models.Model]) -> bool:
    """Whether a form of ``model``'s rows shows the field at all."""
    return settings.LABDB_REASON_POLICY != "off" and getattr(model, "asks_reason", False)


def given_reason(request: HttpRequest) -> str | None:
    """The reason that was sent, cut to what the trail holds: the form itself refuses a longer one."""
    return request.POST.get(FIELD, "").replace("\x00", "").strip()[:LONGEST] or None


def is_reason_missing(error: Exception) -> bool:
    """Whether ``error`` is the rule's refusal."""
    return isinstance(error, ValidationError) and FIELD in getattr(error, "error_dict", {})
