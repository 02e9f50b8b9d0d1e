"""The forms of the verbs on plans, procedures and alerts."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from experiments.actions.proposals import Proposal, details_of, propose
from experiments.models import Membership, PlannedProcedure
from experiments.rules.quantities import plain
from experiments.vocabulary import label
from labdb.base.models import User
from labdb.base.roles import HELD_BY, Duty


def text(help_text: str, longest: int = 250, required: bool = True, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        max_length=longest, required=required, widget=UnfoldAdminTextInputWidget, help_text=help_text, **kwargs
    )


def number(name: str, help_text: str = "", initial: Any = None) -> forms.DecimalField:
    return forms.DecimalField(
        label=name,
        required=False,
        help_text=help_text,
        initial=None if initial is None else Decimal(plain(initial)),
        widget=UnfoldAdminDecimalFieldWidget,
    )


class WhyForm(forms.Form):
    reason = text("It is kept with the record.")


class ChangeNoteForm(forms.Form):
    change_note = text("What is different from the version before.", 500)


class ResolutionForm(forms.Form):
    resolution = text("What was done.", 500)


def person_form(name: str, experiment: Any, required: bool) -> type[forms.Form]:
    """A form that asks for somebody who records what is done in ``experiment``."""
    members = Membership.objects.filter(experiment=experiment, ended_at=None, role__in=HELD_BY[Duty.RECORD])
    people = User.objects.filter(pk__in=members.values("user"), is_active=True)
    field = forms.ModelChoiceField(people, required=required, widget=UnfoldAdminSelectWidget)
    return type("PersonForm", (forms.Form,), {name: field})


def recording_form(request: HttpRequest, planned: PlannedProcedure) -> type[forms.Form]:
    """What was done, with what is proposed for the animal today filled in."""
    today = timezone.localdate()
    told = propose(planned, on=today)
    fields: dict[str, forms.Field] = {
        "performed_on": forms.DateField(
            label="Done on", initial=today, widget=UnfoldAdminSingleDateWidget, help_text=_proposed(planned, told)
        ),
        "at": forms.TimeField(
            label="Time",
            required=False,
            widget=UnfoldAdminSingleTimeWidget,
            help_text="Where it is known: deadlines count from it.",
        ),
    }
    details = details_of(planned.step, told)
    fields |= _of_product(details, told) if "product" in details else _of_drug(details) if details else {}
    step = planned.step
    if step.anaesthesia or step.analgesia:
        fields["medications_given"] = forms.BooleanField(
            label="Anaesthesia and analgesia were given in time", required=False, widget=UnfoldBooleanSwitchWidget,
            help_text="Otherwise each gets its deadline.",
        )  # fmt: skip
    fields["description"] = text("", 500, required=False)
    fields["deviation_reason"] = text(
        "Where it differs from the plan or a limit: why.", 500, required=False, label="Reason"
    )
    return type("RecordingForm", (forms.Form,), fields)


def _of_drug(details: dict[str, Any]) -> dict[str, forms.Field]:
    unit = details["amount_unit"]
    return {
        "weight_g": number("Weight, g", initial=details["weight_g"]),
        "amount": number(f"Dose, {unit}", initial=details["amount"]),
        "given_ml": number("Given, mL", initial=details["planned_ml"]),
        "agent_lot": text("", 60, required=False, label="Lot of the drug"),
    }


def _of_product(details: dict[str, Any], told: Proposal) -> dict[str, forms.Field]:
    return {
        "weight_g": number("Weight, g", initial=details["weight_g"]),
        "amount": number(f"Amount, {told.amount_unit}", initial=details["amount"]),
        "volume_ul": number("Volume, µL", initial=details["volume_ul"]),
        "viability_percent": number("Viability at use, %", initial=details["viability_percent"]),
    }


def _proposed(planned: PlannedProcedure, told: Proposal) -> str:
    """The proposal in a sentence or two."""
    window = f"{planned.earliest_on} to {planned.latest_on}"
    lines = [f"Due on {planned.due_on}" + (f" ({window})" if planned.earliest_on < planned.latest_on else "") + "."]
    if told.mg is not None and told.amount is not None and told.weight_g is not None:
        drug = label("agent", told.agent).capitalize()
        lines.append(
            f"{drug} {plain(told.amount)} mg/kg for {plain(told.weight_g)} g: {_short(told.mg)} mg"
            + _volume(told)
            + "."
        )
    elif told.amount is not None:
        lines.append(
            f"{plain(told.amount)} {told.amount_unit}" + (f" in {_short(told.ml)} mL" if told.ml else "") + "."
        )
    return " ".join([*lines, *told.warnings, *told.problems])


def _volume(told: Proposal) -> str:
    if told.ml is None or told.concentration_mg_per_ml is None:
        return ""
    return f", {_short(told.ml)} mL of {plain(told.concentration_mg_per_ml)} mg/mL"


def _short(number: Decimal) -> str:
    return plain(round(number, 4))
