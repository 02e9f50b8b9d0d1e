"""Words of the laboratory's lists, as people read them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin

from experiments.models.terms import words_of


def word(name: str, description: str = "") -> Callable[[Any], str]:
    """A column that tells the word in the field ``name``; the list is sorted by its key."""

    @admin.display(description=description or name.replace("_", " "), ordering=name, empty_value="–")
    def told(row: Any) -> str:
        return words_of(row, name)

    told.__name__ = name  # by which the theme names the column
    return told
