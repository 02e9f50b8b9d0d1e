"""Uploading a cell counter's file on the page of a passage."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from assays.actions.counts import upload_cell_counts
from experiments.admin.cells import PassageAdmin
from experiments.models import Passage
from labdb.base.admin import Verb


class CounterFileForm(forms.Form):
    file = forms.FileField(widget=UnfoldAdminFileFieldWidget, help_text="As the counter exported it.")
    samples = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Names or places, parted by semicolons, or “all”. Leave empty to be told which samples there are.",
    )  # fmt: skip
    volume_ml = forms.DecimalField(
        required=False, widget=UnfoldAdminDecimalFieldWidget, label="Volume, mL",
        help_text="Of the suspension that was counted: gives the cells in all.",
    )  # fmt: skip

    def clean_samples(self) -> list[str]:
        return [word.strip() for word in self.cleaned_data["samples"].split(";") if word.strip()]


def _upload(request: HttpRequest, passage: Passage, answers: dict[str, Any]) -> str:
    file = answers.pop("file")
    done = upload_cell_counts(passage=passage, data=file.read(), name=file.name, by=request.user, **answers)
    looked_at = "".join(f" {problem}." for problem in done.problems[:5])
    return f"{len(done.counts)} counts are recorded.{looked_at}"


UPLOAD = Verb(
    "counts", "Upload counter file", _upload, icon="upload_file", asks="change", form=CounterFileForm,
    explanation="Viability and cells are filled in where the passage tells none yet.",
)  # fmt: skip
PassageAdmin.verbs = (*PassageAdmin.verbs, UPLOAD)
