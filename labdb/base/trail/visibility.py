"""Whose entries of the trail a person sees: those of rows that they may see."""

from collections.abc import Iterator
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Cast

from labdb.base.access import LAB_WIDE, seen_experiments, unmasked_experiments


def tables() -> dict[str, type[models.Model]]:
    """Model by table, tables of many-to-many relations included."""
    found = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in found if not model._meta.proxy}


def _paths(model: type[models.Model]) -> tuple[str, ...]:
    path = getattr(model, "experiment_path", None)
    return () if path is None else (path,) if isinstance(path, str) else path


class TrailQuerySet(models.QuerySet):
    """Entries of the trail."""

    def of_row(self, model: type[models.Model], pk: Any) -> Self:
        """The history of one row."""
        return self.filter(table_name=model._meta.db_table, row_id=str(pk))

    def of_experiment(self, experiment: models.Model) -> Self:
        """What happened in one experiment: to itself, and to every row that its model leads to it."""
        related = Case(*_related(experiment.pk), default=Value(False))
        return self.filter(Q(experiment_id=experiment.pk) | Q(experiment_id=None) & Q(related))

    def visible_to(self, user: Any) -> Self:
        """Entries of rows that ``user`` may see; of deleted rows, those of experiments in which they might.

        Tables that belong to no experiment and are not said to be the whole laboratory's: administrators only.
        """
        if not getattr(user, "is_active", False):
            return self.none()
        masked = [table for table, model in tables().items() if getattr(model, "hidden_while_masked", False)]
        in_experiment = Q(experiment_id__in=seen_experiments(user)) & ~Q(table_name__in=masked)
        in_unmasked = Q(experiment_id__in=unmasked_experiments(user)) & Q(table_name__in=masked)
        elsewhere = Case(*_visible(user), default=Value(bool(user.is_superuser)))
        return self.filter(in_experiment | in_unmasked | Q(elsewhere))


def _row_of(model: type[models.Model]) -> Any:
    key: Any = model._meta.pk
    return Cast(OuterRef("row_id"), key.target_field if key.is_relation else key)


def _visible(user: Any) -> Iterator[When]:
    """For each table that says who sees its rows: whether ``user`` sees the entry's row as it is now."""
    for table, model in tables().items():
        if _paths(model) == (LAB_WIDE,):
            yield When(table_name=table, then=Value(True))
        elif _paths(model):
            rows: Any = model._default_manager
            yield When(table_name=table, then=Exists(rows.visible_to(user).filter(pk=_row_of(model))))


def _related(experiment: Any) -> Iterator[When]:
    """For each table whose rows reach their experiment over others: whether the entry's row is of ``experiment``."""
    for table, model in tables().items():
        reaching = Q()
        for path in _paths(model):
            if "__" in path and not path.endswith("__isnull") and not path.startswith("@"):
                reaching |= Q(**{path: experiment})
        if reaching:
            yield When(table_name=table, then=Exists(model._base_manager.filter(reaching, pk=_row_of(model))))
