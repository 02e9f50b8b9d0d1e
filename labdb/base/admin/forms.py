"""Forms of the admin: what the database or a verb refuses is shown at its field, not as a server error."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest
from unfold.forms import PaginationInlineFormSet

from labdb.base.access import refusal
from labdb.base.errors import validation_error
from labdb.base.reasons import FIELD as REASON


@dataclass(frozen=True)
class Refused:
    """What was wrong with a row that the form had held to be valid (a race, or a rule that only the database knows)."""

    model: type[models.Model] | None
    messages: dict[str, list[str]]

    @classmethod
    def of(cls, error: ValidationError | IntegrityError) -> "Refused":
        """Raises the error itself where it is none of our rules."""
        told = validation_error(error) if isinstance(error, IntegrityError) else error
        model = getattr(error, "refused_model", None)
        messages: dict[str, list[str]] = {NON_FIELD_ERRORS: told.messages}
        if hasattr(told, "error_dict"):
            messages = told.message_dict
        return cls(model, messages)


def is_shown_again(request: HttpRequest | None) -> bool:
    """Whether a form is shown with what was entered, though nothing of it can be saved now."""
    return getattr(request, "is_shown_again", False)


class RefusalMixin:
    """For a ModelForm: asks ``may()`` for the row as it would be saved, and shows what was refused when it was tried."""

    request: Any = None
    instance: Any
    fields: Any
    errors: Any
    _meta: Any
    add_error: Any

    def _post_clean(self) -> None:
        if not is_shown_again(self.request):  # else the row's own rules would ask for what cannot be saved anyway
            super()._post_clean()  # type: ignore[misc]
            if not self.errors:
                self._ask_may()
        refused = getattr(self.request, "refused", None)
        if refused is not None and not isinstance(self, InlineDoorForm):
            self._show(refused)

    def _update_errors(self, errors: ValidationError) -> None:
        """Keeps the model's own words: the form's general ones (“Enter a number”) would hide what was expected."""
        self.add_error(None, errors)

    def _ask_may(self) -> None:
        is_new = self.instance._state.adding
        verb = "add" if is_new else "change"
        subject = type(self.instance) if is_new and self.instance.experiment_path == "self" else self.instance
        told = None if self.request is None else refusal(self.request.user, verb, subject)
        if told:
            self.add_error(None, told)

    def _show(self, refused: Refused) -> None:
        is_own = refused.model in (None, self._meta.model)
        for name, messages in refused.messages.items():
            if name == REASON:  # it stands at a field of its own, beside this form
                self.add_error(None, [])
            elif is_own and name in self.fields:
                self.add_error(name, messages)
            else:
                self.add_error(None, [self._labelled(refused.model, name, text) for text in messages])

    def _labelled(self, model: type[models.Model] | None, name: str, text: str) -> str:
        if name == NON_FIELD_ERRORS:
            return text
        model = model or self._meta.model
        try:
            label = str(getattr(model._meta.get_field(name), "verbose_name", name))
        except FieldDoesNotExist:  # told as it is
            label = name
        return f"{model._meta.verbose_name}, {label}: {text}".capitalize()


class DoorForm(RefusalMixin, forms.ModelForm):
    """The form of a row."""


class InlineDoorForm(DoorForm):
    """A row inside another row's form; what is refused is shown at the head of the page."""


class InlineDoorFormSet(PaginationInlineFormSet):
    """Rows inside another row's form."""
