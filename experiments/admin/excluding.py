"""Leaving an animal out of the analysis, as a button of its enrolment."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from experiments.actions.exclusions import exclude
from experiments.models import Endpoint, Enrolment, Exclusion
from labdb.base.admin import Verb


def excluding_form(request: HttpRequest, enrolment: Enrolment) -> type[forms.Form]:
    """Stage, reason, and of what."""
    endpoints = Endpoint.objects.visible_to(request.user)

    class ExcludingForm(forms.Form):
        stage = forms.ChoiceField(choices=Exclusion.Stage.choices, widget=UnfoldAdminSelectWidget)
        endpoint = forms.ModelChoiceField(
            endpoints, required=False, widget=UnfoldAdminSelectWidget, empty_label="everything"
        )
        is_prespecified = forms.BooleanField(
            label="pre-specified", required=False, widget=UnfoldBooleanSwitchWidget, help_text="The plan says so."
        )
        reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget)

    return ExcludingForm


def _exclude(request: HttpRequest, enrolment: Enrolment, answers: dict[str, Any]) -> str:
    made = exclude(enrolment=enrolment, by=request.user, **answers)
    return f"{enrolment.animal} is left out of {made.endpoint or 'everything'}; it and its values stay."


EXCLUDE = Verb(
    "exclude",
    "Exclude",
    _exclude,
    icon="person_remove",
    asks="exclude",
    form=excluding_form,
    explanation="The animal and its values stay; summaries leave it out and count it apart. Whether you could know its"
    " arm is recorded by the program.",
)
