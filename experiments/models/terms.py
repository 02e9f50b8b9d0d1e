"""Words of the laboratory's own in the lists that it may extend, and the field that takes a word of a list."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from experiments.vocabulary import BUILT_IN, label
from labdb.base.access import LAB_WIDE
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty


class Term(ValidatedModel):
    """A word that the laboratory adds to one of the lists. It stays; one that is retired is offered no more."""

    experiment_path = LAB_WIDE
    duty = Duty.DESIGN
    fixed_once_made = ("vocabulary", "key")

    vocabulary = models.CharField("list", max_length=30, choices=[(key, key.replace("_", " ")) for key in BUILT_IN])
    key = models.SlugField(
        max_length=40, help_text="As it is stored and given over REST: small letters, digits, _ and -."
    )
    name = models.CharField(max_length=120)
    code = models.CharField(max_length=40, blank=True, help_text="Ontology code, e.g. CL:0000134.")
    is_retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["vocabulary", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["vocabulary", "key"],
                name="term_once",
                violation_error_message="The list already has this word.",
            ),
            Check("term_key", Q(key__regex=r"^[a-z0-9_-]+$"), "A key has small letters, digits, _ and - only.", "key"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.key in BUILT_IN.get(self.vocabulary, {}):
            raise ValidationError({"key": "The list already has this word."})


class TermField(models.CharField):
    """A word of the list ``vocabulary``: one of the program's, or one that the laboratory added and has not retired.

    In migrations it is an ordinary CharField, so that a new word needs none.
    """

    def __init__(self, *args: Any, vocabulary: str, **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(*args, **{"max_length": 40, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def clone(self) -> "TermField":
        _, _, args, kwargs = super().deconstruct()
        return TermField(*args, vocabulary=self.vocabulary, **kwargs)

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        if value in (None, "") or value in BUILT_IN[self.vocabulary]:
            return
        if model_instance is not None and not model_instance._state.adding and self._is_stored(value, model_instance):
            return  # a word that was retired since stays where it stands
        if not Term.objects.filter(vocabulary=self.vocabulary, key=value, is_retired=False).exists():
            known = ", ".join(BUILT_IN[self.vocabulary])
            raise ValidationError(
                "“%(value)s” is not in the list %(list)s: %(known)s, or a word that the laboratory added to it.",
                code="invalid",
                params={"value": str(value)[:60], "list": self.vocabulary.replace("_", " "), "known": known},
            )

    def _is_stored(self, value: Any, row: Any) -> bool:
        return type(row)._base_manager.filter(pk=row.pk, **{self.attname: value}).exists()

    def formfield(self, **kwargs: Any) -> Any:
        from django import forms  # a form's field is made after every app is loaded

        kwargs.pop("widget", None)
        return forms.ChoiceField(
            choices=self._offered, required=not self.blank, label=self.verbose_name.capitalize(), help_text=self.help_text,
            initial=self.default if self.has_default() else None,
        )  # fmt: skip

    def _offered(self) -> list[tuple[str, str]]:
        own = Term.objects.filter(vocabulary=self.vocabulary).values_list("key", "name", "is_retired")
        words = list(BUILT_IN[self.vocabulary].items()) + [(key, name) for key, name, is_retired in own]
        return [("", "---------"), *sorted(words, key=lambda each: each[1].lower())]


def words_of(row: models.Model, name: str) -> str:
    """What people read for the word in the TermField ``name`` of ``row``."""
    field: Any = row._meta.get_field(name)
    return label(field.vocabulary, getattr(row, name) or "")
