"""Whose entries of the trail a person sees: those of rows that they may see.

Most entries name their experiment, so whether it is one of the person's decides (``hidden_while_masked``: one in which
they are unmasked), also for rows that are gone. The others are looked up in their table: ``visible_to`` of the row.
"""

from collections.abc import Iterator
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Cast

from labdb.base.access import LAB_WIDE, seen_experiments, unmasked_experiments
from labdb.base.trail.paths import NONE, experiment_expression

Model = type[models.Model]


def tables() -> dict[str, Model]:
    """Model by table, tables of many-to-many relations included."""
    found = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in found if not model._meta.proxy}


def _paths(model: Model) -> tuple[str, ...]:
    path = getattr(model, "experiment_path", None)
    return () if path is None else (path,) if isinstance(path, str) else path


def _is_masked(model: Model) -> bool:
    return bool(getattr(model, "hidden_while_masked", False))


def _tells_effects(model: Model) -> bool:
    return getattr(model, "shown_while_blinded", None) is not None


def _is_of_several(model: Model) -> bool:
    """Its rows may be of several experiments, so their entries name none."""
    return experiment_expression(model, ()) == NONE


def _may_name_none(model: Model) -> bool:
    return _is_of_several(model) or any(path.startswith("@") or path.endswith("__isnull") for path in _paths(model))


def _is_asked_row_by_row(model: Model) -> bool:
    """Also of an entry that names its experiment: a person may see the row, or it may tell arms."""
    return _tells_effects(model) or any(path.startswith("@") for path in _paths(model))


class TrailQuerySet(models.QuerySet):
    """Entries of the trail."""

    _of: Model | None = None  # all of them are of this model's rows

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]
        clone._of = self._of
        return clone

    def of_row(self, model: Model, pk: Any) -> Self:
        """The history of one row."""
        found = self.filter(table_name=model._meta.db_table, row_id=str(pk))
        found._of = model
        return found

    def of_experiment(self, experiment: models.Model) -> Self:
        """What happened in one experiment: to itself, and to every row that its model leads to it.

        Rows that may be of several experiments (animals) are found by where they are now.
        """
        related = Case(*_related(experiment.pk), default=Value(False), output_field=models.BooleanField())
        return self.filter(Q(experiment_id=experiment.pk) | Q(experiment_id=None) & Q(related))

    def visible_to(self, user: Any) -> Self:
        """Entries of rows that ``user`` may see; of deleted rows, those of experiments in which they might.

        Tables that belong to no experiment and are not said to be the whole laboratory's, and deleted rows of no
        experiment: administrators only.
        """
        if not getattr(user, "is_active", False):
            return self.none()
        known = tables() if self._of is None else {self._of._meta.db_table: self._of}
        masked = [table for table, model in known.items() if _is_masked(model)]
        blinded = [table for table, model in known.items() if _tells_effects(model)]
        one_by_one = [table for table, model in known.items() if _is_asked_row_by_row(model)]
        # Keys, not queries: so the planner knows how few they are and takes the index.
        seen, unmasked = (
            [key for row in of(user) for key in row.values()] for of in (seen_experiments, unmasked_experiments)
        )
        by_experiment = ~Q(table_name__in=[*masked, *blinded]) | Q(table_name__in=masked, experiment_id__in=unmasked)
        row = Q(
            Case(*_visible(known, user), default=Value(bool(user.is_superuser)), output_field=models.BooleanField())
        )
        in_experiment = Q(experiment_id__in=seen) & (by_experiment | Q(table_name__in=one_by_one) & row)
        return self.filter(in_experiment | Q(experiment_id=None) & row)


def _is_concealed(model: Model) -> bool:
    return bool(getattr(model, "concealed_by", ()))


def _is_looked_up(model: Model) -> bool:
    return _may_name_none(model) or _tells_effects(model) or _is_concealed(model)


def _row_of(model: Model) -> Any:
    key: Any = model._meta.pk
    return Cast(OuterRef("row_id"), key.target_field if key.is_relation else key)


def _visible(known: dict[str, Model], user: Any) -> Iterator[When]:
    """For each table that says who sees its rows: whether ``user`` sees the entry's row as it is now.

    Nobody sees a deleted row here, but administrators, where it was in no experiment and told no arms.
    """
    of_the_laboratory = [t for t, model in known.items() if _paths(model) == (LAB_WIDE,) and not _is_concealed(model)]
    yield When(table_name__in=of_the_laboratory, then=Value(True))
    for table, model in known.items():
        if table in of_the_laboratory or not _paths(model) or not _is_looked_up(model):
            continue
        rows: Any = model._default_manager
        visible: Any = Exists(rows.visible_to(user).filter(pk=_row_of(model)))
        if user.is_superuser and not _is_masked(model) and not _tells_effects(model):
            gone = ~Exists(model._base_manager.filter(pk=_row_of(model)))
            visible = Q(visible) | Q(gone) & Q(experiment_id=None)
        yield When(table_name=table, then=visible)


def _related(experiment: Any) -> Iterator[When]:
    """For each table whose rows may be of several experiments: whether the entry's row is of ``experiment``."""
    for table, model in tables().items():
        paths = [p for p in _paths(model) if "__" in p and not p.endswith("__isnull") and not p.startswith("@")]
        if paths and _is_of_several(model):
            reaching = Q.create([(path, experiment) for path in paths], connector=Q.OR)
            yield When(table_name=table, then=Exists(model._base_manager.filter(reaching, pk=_row_of(model))))
