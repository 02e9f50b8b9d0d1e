"""Reasons for changes: when one must be given. The one rule, which every door leads to.

A recorded value is one that a field held: filling in what was empty asks for nothing, changing or clearing it and
deleting the row do. Who made the row is excepted for a few minutes, as long as nobody else changed it; the trail keeps
both values all the same. ``LABDB_REASON_POLICY`` says what asks: ``recorded`` values, ``always``, or ``off``.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from labdb.base.acting import current

FIELD = "reason_for_change"
LONGEST = 500
NOTHING = (None, "")


def needed(row: Any, changed: Collection[str] | None, person: Any) -> bool:
    """Whether ``person`` must give a reason before the fields named ``changed`` of ``row`` change.

    ``changed`` is None where the row is to be deleted. ``row`` may carry the new values already: what is stored decides.
    """
    if not _is_asked_of(row):
        return False
    if changed is not None and not _recorded(row, changed):
        return False
    return not _is_fresh(row, person)


def ask_before_saving(row: Any, update_fields: Collection[str] | None = None) -> None:
    """Raises ValidationError where ``row`` would change recorded values and nobody said why."""
    if row._state.adding or _is_given() or not _is_asked_of(row):
        return
    changed = _recorded(row, update_fields, is_different=True)
    if changed and not _is_fresh(row, current().person):
        told = ", ".join(str(row._meta.get_field(name).verbose_name) for name in changed)
        raise ValidationError({FIELD: f"Say why this changes: {told}."})


def ask_before_deleting(row: Any) -> None:
    """Raises ValidationError where ``row`` would be deleted and nobody said why."""
    if not _is_given() and needed(row, None, current().person):
        raise ValidationError({FIELD: f"Say why this {row._meta.verbose_name} is deleted."})


def _is_given() -> bool:
    return bool((current().reason or "").strip())


def _is_asked_of(row: Any) -> bool:
    return settings.LABDB_REASON_POLICY != "off" and getattr(row, "asks_reason", False)


def _recorded(row: Any, names: Collection[str] | None, *, is_different: bool = False) -> list[str]:
    """Those of ``names`` (None: all) whose stored value is a recorded one, and another than the row's if asked."""
    fields = {f.name: f.attname for f in row._meta.local_concrete_fields if not f.primary_key}
    left_out = row.get_deferred_fields()
    asked = {
        name: attribute
        for name, attribute in fields.items()
        if (names is None or name in names or attribute in names)
        and name not in row.reasonless
        and attribute not in left_out
    }
    stored = type(row)._base_manager.filter(pk=row.pk).values(*asked.values()).first() if asked else None
    if stored is None:
        return []
    every = settings.LABDB_REASON_POLICY == "always"
    return [
        name
        for name, attribute in asked.items()
        if (every or stored[attribute] not in NOTHING)
        and not (is_different and stored[attribute] == getattr(row, attribute))
    ]


def _is_fresh(row: Any, person: Any) -> bool:
    """``person`` made the row within the minutes of grace, and nobody else changed it since."""
    from labdb.base.trail import changes_since

    grace = timedelta(minutes=settings.LABDB_REASON_GRACE_MINUTES)
    if not grace:
        return False
    entries = changes_since(type(row), row.pk, 0).order_by("id")
    made = entries.values_list("statement__action", "statement__person_id", "statement__at").first()
    who = getattr(person, "pk", None)
    if made is None or made[:2] != ("I", who) or made[2] < timezone.now() - grace:
        return False
    others = entries.exclude(statement__person_id=who) if who else entries.filter(statement__person_id__isnull=False)
    return not others.exists()
