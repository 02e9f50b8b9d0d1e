"""The base classes of the admin's pages. Every page and inline of the apps inherits from them."""

from labdb.base.admin import invitations  # noqa: F401  (its page has no app of its own)
from labdb.base.admin.forms import DoorForm
from labdb.base.admin.options import (
    DoorAdmin,
    DoorStackedInline,
    DoorTabularInline,
    VerbOwnedAdmin,
    VisibleFilter,
)
from labdb.base.admin.pages import PageMixin
from labdb.base.admin.verbs import Verb, show_errors

__all__ = [
    "DoorAdmin",
    "DoorForm",
    "DoorStackedInline",
    "DoorTabularInline",
    "PageMixin",
    "Verb",
    "VerbOwnedAdmin",
    "VisibleFilter",
    "show_errors",
]
