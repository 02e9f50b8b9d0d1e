"""The form that uploads a plate reader's file or a sheet of counts."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from assays.models.runs import kind_choices
from experiments.models import Endpoint, Experiment, Timepoint


class ParametersField(forms.CharField):
    """One ``name = value`` a line."""

    widget = UnfoldAdminTextareaWidget

    def clean(self, value: Any) -> Any:
        given: dict[str, str] = {}
        problems = []
        for number, line in enumerate(super().clean(value).splitlines(), start=1):
            name, sign, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not sign or not name or name in given:
                problems.append(f"Line {number}: “{line.strip()}” — expected name = value, each name once.")
            given[name] = text
        if problems:
            raise forms.ValidationError(problems)
        return given


def _known_parameters() -> str:
    from dataclasses import fields

    from assays.kinds import KINDS

    told = (f"{kind.LABEL}: {', '.join(field.name for field in fields(kind.Parameters))}." for kind in KINDS.values())
    return "One “name = value” a line; what is left out takes its default. " + " ".join(told)


def upload_form(request: HttpRequest) -> type[forms.Form]:
    """The form with the experiments and timepoints that this person may see."""
    experiments = Experiment.objects.visible_to(request.user)
    timepoints = Timepoint.objects.visible_to(request.user).select_related("experiment")

    class UploadForm(forms.Form):
        experiment = forms.ModelChoiceField(experiments, widget=UnfoldAdminSelectWidget)
        kind = forms.ChoiceField(choices=kind_choices, widget=UnfoldAdminSelectWidget, label="Assay kind")
        endpoint = forms.ModelChoiceField(
            Endpoint.objects.all(), required=False, widget=UnfoldAdminSelectWidget,
            help_text="What the plate measures; empty for follicle counts.",
        )  # fmt: skip
        file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="As the reader exported it.")
        layout = forms.FileField(
            required=False, widget=UnfoldAdminFileFieldWidget,
            help_text="Where the file carries none: a CSV with the columns well, role, sample, concentration, unit, "
            "dilution. Sample names are specimen codes.",
        )  # fmt: skip
        parameters = ParametersField(required=False, help_text=_known_parameters())
        timepoint = _OfExperiment(
            timepoints, required=False, widget=UnfoldAdminSelectWidget,
            help_text="For counts that name animals, not specimens.",
        )  # fmt: skip
        kit_name = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget, label="Kit")
        kit_lot = forms.CharField(max_length=60, required=False, widget=UnfoldAdminTextInputWidget)
        kit_lloq = forms.DecimalField(required=False, widget=UnfoldAdminDecimalFieldWidget, label="Kit LLOQ")
        kit_lloq_unit = forms.CharField(
            max_length=30, required=False, widget=UnfoldAdminTextInputWidget, label="Unit of the LLOQ"
        )

    return UploadForm


class _OfExperiment(forms.ModelChoiceField):
    def label_from_instance(self, row: Any) -> str:
        return f"{row.experiment}: {row}"


def given(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers as the verb's arguments."""
    arguments = dict(answers)
    file, layout = arguments.pop("file"), arguments.pop("layout")
    if layout is not None:
        arguments |= {"layout_csv": layout.read(), "layout_name": layout.name}
    return {**arguments, "data": file.read(), "name": file.name}
