"""Who may see and do what: the two questions that every door asks, and the only place that answers them."""

from typing import Any, Self

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.db.models import Q

LAB_WIDE = ""


class VisibleQuerySet(models.QuerySet):
    """Rows that know who may see them.

    A model says in ``experiment_path`` which of its relations leads to its experiment (``"self"`` for the experiment),
    or ``LAB_WIDE`` where every active member of the laboratory may read it. Several paths are alternatives; one that
    begins with ``@`` leads to a person instead (whoever uploaded a file sees it), one that ends in ``__isnull`` is a
    condition (an animal that is in no experiment yet belongs to everyone).
    """

    def visible_to(self, user: Any) -> Self:
        if not getattr(user, "is_active", False):
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(visibility(self.model, user))


def visibility(model: type[models.Model], user: Any) -> Q:
    """The condition under which a row of ``model`` is visible to ``user``."""
    path = getattr(model, "experiment_path", None)
    if path is None:
        raise ImproperlyConfigured(f"{model.__name__} does not say in experiment_path who may see it.")
    if path == LAB_WIDE:
        return Q()
    paths = (path,) if isinstance(path, str) else path
    return Q.create([_reaches(model, each, user) for each in paths], connector=Q.OR)


def _reaches(model: type[models.Model], path: str, user: Any) -> Q:
    if path.endswith("__isnull"):
        return _rows_where(model, path, Q(**{path: True}))
    if path.startswith("@"):
        return Q(**{path[1:]: user})
    target = "pk" if path == "self" else path
    return _rows_where(model, path, Q(**{f"{target}__in": user.memberships.values("experiment")}))


def _rows_where(model: type[models.Model], path: str, condition: Q) -> Q:
    """``condition``, which reaches over ``path``; a join to many would repeat the row once an experiment."""
    if _is_many(model, path):
        return Q(pk__in=model._base_manager.filter(condition).values("pk"))
    return condition


def _is_many(model: type[models.Model], path: str) -> bool:
    if path == "self":
        return False
    here: Any = model
    for step in path.removesuffix("__isnull").split("__"):
        field = here._meta.get_field(step)
        if field.one_to_many or field.many_to_many:
            return True
        here = field.related_model
    return False


WRITING_ROLES = frozenset({"scientist"})


def may(user: Any, verb: str, subject: Any) -> bool:
    """Whether ``user`` may do ``verb`` (``view``, ``add``, ``change``, ``delete`` or an action's name) to ``subject``.

    ``subject`` is a row, or a model class where no row exists yet.
    """
    if not getattr(user, "is_active", False):
        return False
    if user.is_superuser:
        return True
    if verb == "view":
        return _may_view(user, subject)
    return _may_write(user, subject)


def require(user: Any, verb: str, subject: Any) -> None:
    """Raises PermissionDenied where ``may`` says no."""
    if not may(user, verb, subject):
        name = subject._meta.verbose_name if hasattr(subject, "_meta") else subject
        raise PermissionDenied(f"You may not {verb.replace('_', ' ')} this {name}.")


def _may_view(user: Any, subject: Any) -> bool:
    if isinstance(subject, type):
        return True
    return type(subject)._default_manager.visible_to(user).filter(pk=subject.pk).exists()


def _may_write(user: Any, subject: Any) -> bool:
    if getattr(subject, "only_administrators_write", False):
        return False
    memberships = user.memberships.filter(role__in=WRITING_ROLES)
    experiments = set() if isinstance(subject, type) else experiments_of(subject)
    if not experiments:  # lab-wide rows and new rows: any scientist of the laboratory
        return user.is_staff or memberships.exists()
    return memberships.filter(experiment__in=experiments).values("experiment").distinct().count() == len(experiments)


def experiments_of(subject: Any) -> set:
    """Primary keys of the experiments that ``subject`` belongs to; empty for rows of the whole laboratory."""
    path = getattr(type(subject), "experiment_path", LAB_WIDE)
    paths = (path,) if isinstance(path, str) else path
    found: set = set()
    for each in paths:
        if each == "self":
            found.add(subject.pk)
        elif each and not each.endswith("__isnull") and not each.startswith("@"):
            found |= _follow(subject, each.split("__"))
    return found


def _follow(subject: Any, steps: list[str]) -> set:
    if subject is None:
        return set()
    if not steps:
        return {subject.pk}
    step: Any = getattr(subject, steps[0], None)
    if hasattr(step, "all"):
        return {pk for row in step.all() for pk in _follow(row, steps[1:])} if subject.pk else set()
    return _follow(step, steps[1:])
