"""Who may see and do what: the two questions that every door asks, and the only place that answers them."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from labdb.base.roles import HELD_BY, UNMASKED, VERBS, WHILE_CLOSED, Duty

LAB_WIDE = ""
BLINDED = Q(masking="blinded")  # of an experiment
CLOSED = ("closed", "signed")  # states of an experiment


@dataclass(frozen=True)
class TokenScope:
    """What a token leaves of its owner's rights: ``user.token_scope``, absent or None where nothing is taken away.

    ``experiments`` are primary keys, or None for all of the owner's.
    """

    can_write: bool
    experiments: frozenset | None = None


class VisibleQuerySet(models.QuerySet):
    """Rows that know who may see them.

    A model says in ``experiment_path`` which of its relations leads to its experiment (``"self"`` for the experiment),
    or ``LAB_WIDE`` where every active member of the laboratory may read it. Several paths are alternatives: one that
    ends in ``__isnull`` is a condition (an animal that is in no experiment yet belongs to everyone), one that begins
    with ``@`` leads to a person, who sees the row where it is in no experiment, or in one that they see.

    ``hidden_while_masked``: the rows tell arm, dose or product, so of a blinded experiment only its unmasked members
    see them. ``shown_while_blinded``: the condition of the rows that anybody sees before an experiment is unblinded.
    ``concealed_by``: paths from a row of the whole laboratory to the experiments whose masked members do not see it,
    because it tells what their animals may have got.
    ``seen_with`` names relations that the row tells, so whoever sees it sees the related rows too (the cage of a housing).
    """

    def visible_to(self, user: Any) -> Self:
        if not getattr(user, "is_active", False):
            return self.none()
        return self.filter(visibility(self.model, user)).shown()

    def shown(self) -> Self:
        """Without the rows that a blinded experiment keeps from everybody."""
        condition = getattr(self.model, "shown_while_blinded", None)
        return self if condition is None else self.filter(condition | ~_at(_paths(self.model)[0], BLINDED))


def visibility(model: type[models.Model], user: Any) -> Q:
    """The condition under which a row of ``model`` is visible to ``user``."""
    concealed = [Q(**{f"{path}__in": masked_experiments(user)}) for path in _concealing(model)]
    shown = _visibility(model, user)
    for condition in concealed:
        shown &= ~Q(pk__in=model._base_manager.filter(condition).values("pk"))
    return shown


def _concealing(model: Any) -> tuple[str, ...]:
    path = getattr(model, "concealed_by", ())
    return (path,) if isinstance(path, str) else path


def _visibility(model: type[models.Model], user: Any) -> Q:
    paths = _paths(model)
    if paths == (LAB_WIDE,):
        return Q()
    if sees_all(user) and _bound_to(user) is None and not getattr(model, "hidden_while_masked", False):
        return Q()
    seen = Q.create([_reaches(model, each, user) for each in paths], connector=Q.OR)
    for name in getattr(model, "seen_with", ()):
        related: Any = model._meta.get_field(name).related_model
        seen &= Q(**{f"{name}__in": related._default_manager.visible_to(user)})
    return seen


def sees_all(user: Any) -> bool:
    """Managers and administrators see every experiment, masked."""
    return bool(user.is_superuser or getattr(user, "is_manager", False))


def seen_experiments(user: Any) -> QuerySet:
    """Primary keys of the experiments that ``user`` sees."""
    if not getattr(user, "is_active", False):
        return _experiments(user).none().values("pk")
    if sees_all(user):
        return _in_scope(user, _experiments(user), "pk").values("pk")
    return current_memberships(user).values("experiment")


def unmasked_experiments(user: Any) -> QuerySet:
    """Primary keys of the experiments in which ``user`` sees arms, doses and products: open-label ones, and those in
    which a role unmasks them."""
    if not getattr(user, "is_active", False):
        return _experiments(user).none().values("pk")
    unmasked = Q(role__in=UNMASKED)
    if sees_all(user):
        told = current_memberships(user).filter(unmasked).values("experiment")
        return _in_scope(user, _experiments(user), "pk").filter(~BLINDED | Q(pk__in=told)).values("pk")
    return current_memberships(user).filter(unmasked | ~_at("experiment", BLINDED)).values("experiment")


def masked_experiments(user: Any) -> QuerySet:
    """Primary keys of the blinded experiments that ``user`` is a member of and in which no role unmasks them.

    All of them, whatever a token leaves of the person's rights: a token takes away, it never shows more.
    """
    current = user.memberships.filter(ended_at=None)
    told = current.filter(role__in=UNMASKED).values("experiment")
    return current.filter(_at("experiment", BLINDED)).exclude(experiment__in=told).values("experiment")


def sees_experiment(user: Any, key: Any) -> bool:
    """Whether ``user`` sees the experiment with the primary key ``key``."""
    return _experiments(user).filter(pk__in=seen_experiments(user)).filter(pk=key).exists()


def sees_arms(user: Any, experiment: models.Model) -> bool:
    """Whether ``user`` may know which animal is in which arm of ``experiment``, and so its dose and product."""
    return _experiments(user).filter(pk__in=unmasked_experiments(user)).filter(pk=experiment.pk).exists()


def current_memberships(user: Any) -> QuerySet:
    """The person's memberships that have not ended, of the experiments that their token leaves them."""
    return _in_scope(user, user.memberships.filter(ended_at=None), "experiment")


def _in_scope(user: Any, rows: QuerySet, path: str) -> QuerySet:
    bound = _bound_to(user)
    return rows if bound is None else rows.filter(**{f"{path}__in": bound})


def _bound_to(user: Any) -> frozenset | None:
    scope = getattr(user, "token_scope", None)
    return scope.experiments if scope else None


def _experiments(user: Any) -> QuerySet:
    return user._meta.get_field("memberships").related_model._meta.get_field("experiment").related_model.objects.all()


def _paths(model: Any) -> tuple[str, ...]:
    path = getattr(model, "experiment_path", None)
    if path is None:
        raise ImproperlyConfigured(f"{model.__name__} does not say in experiment_path who may see it.")
    return (path,) if isinstance(path, str) else path


def _at(path: str, condition: Q) -> Q:
    """``condition`` on an experiment, asked of a row from which ``path`` leads to it."""
    if path == "self":
        return condition
    return Q(*((f"{path}__{name}", value) for name, value in condition.children))  # type: ignore[misc]


def _reaches(model: type[models.Model], path: str, user: Any) -> Q:
    if path.endswith("__isnull"):
        return _rows_where(model, path, Q(**{path: True})) if _bound_to(user) is None else Q(pk__in=())
    if path.startswith("@"):
        return Q(**{path[1:]: user}) & _without_or_seen(model, user)
    experiments = unmasked_experiments if getattr(model, "hidden_while_masked", False) else seen_experiments
    target = "pk" if path == "self" else path
    return _rows_where(model, path, Q(**{f"{target}__in": experiments(user)}))


def _without_or_seen(model: type[models.Model], user: Any) -> Q:
    path = next((each for each in _paths(model) if not _is_elsewhere(each)), None)
    if path is None:
        return Q()
    seen = Q(**{f"{path}__in": seen_experiments(user)})
    return seen if _bound_to(user) is not None else seen | Q(**{f"{path}__isnull": True})


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


class ExperimentClosed(PermissionDenied):
    """The person's role would let them, but the experiment is closed."""


class OfClosed(str):
    """A refusal for that reason alone."""


def may(user: Any, verb: str, subject: Any) -> bool:
    """Whether ``user`` may do ``verb`` (``view``, ``add``, ``change``, ``delete`` or an action's name) to ``subject``.

    ``subject`` is a row, or a model class where no row exists yet: then whether they may anywhere.
    """
    return refusal(user, verb, subject) is None


def require(user: Any, verb: str, subject: Any) -> None:
    """Raises PermissionDenied, which says why, where ``may`` says no."""
    told = refusal(user, verb, subject)
    if told is not None:
        raise ExperimentClosed(told) if isinstance(told, OfClosed) else PermissionDenied(told)


def refusal(user: Any, verb: str, subject: Any) -> str | None:
    """Why ``user`` may not do ``verb`` to ``subject``; None where they may."""
    model: Any = subject if isinstance(subject, type) else type(subject)
    told = f"You may not {verb.replace('_', ' ')} this {model._meta.verbose_name}."
    if not getattr(user, "is_active", False):
        return told
    if verb == "view":
        return None if _sees(user, subject) else told
    scope = getattr(user, "token_scope", None)
    if scope and not scope.can_write:
        return "This token may read only."
    if getattr(model, "only_administrators_write", False):
        return None if user.is_superuser and _bound_to(user) is None else told
    if isinstance(subject, type):
        return None if _anywhere(user, verb, model) else told
    return _refusal_of(user, verb, model, experiments_of(subject), told)


def refusal_in(user: Any, verb: str, model: type[models.Model], experiments: Iterable) -> str | None:
    """``refusal`` for rows of ``model`` that belong to ``experiments`` (primary keys; none: to the laboratory)."""
    told = refusal(user, verb, model)
    if told is not None:
        return told
    return _refusal_of(user, verb, model, set(experiments), f"You may not {verb} this {model._meta.verbose_name}.")


def _refusal_of(user: Any, verb: str, model: Any, experiments: set, told: str) -> str | None:
    if not experiments:
        return None if _lab_wide(user, _duty(verb, model, is_lab_wide=True)) else told
    return _refusal_in(user, verb, model, experiments, told)


def _sees(user: Any, subject: Any) -> bool:
    if isinstance(subject, type):
        return True
    return type(subject)._default_manager.visible_to(user).filter(pk=subject.pk).exists()


def _duty(verb: str, model: Any, is_lab_wide: bool = False) -> Duty:
    """Drafts of an experiment are deleted by its director; a row of nobody's by whoever may change it."""
    if verb == "delete" and is_lab_wide:
        return model.duty
    return VERBS.get(verb) or model.duty


class Held(NamedTuple):
    """A current membership: the experiment with its code and status, and the role in it."""

    experiment: Any
    role: str
    code: str
    status: str


_remembered: ContextVar[dict[Any, list[Held]] | None] = ContextVar("remembered memberships", default=None)


def remember_while_reading(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: a page asks ``may`` dozens of times; while nothing is written, memberships are read once."""

    def answer(request: HttpRequest) -> Any:
        token = _remembered.set({} if request.method in ("GET", "HEAD") else None)
        try:
            return get_response(request)
        finally:
            _remembered.reset(token)

    return answer


def _held(user: Any) -> list[Held]:
    known = _remembered.get()
    key = (user.pk, _bound_to(user))
    if known is not None and key in known:
        return known[key]
    rows = current_memberships(user).values_list("experiment", "role", "experiment__code", "experiment__status")
    found = [Held(*row) for row in rows.order_by()]
    if known is not None:
        known[key] = found
    return found


def _holds(user: Any, duty: Duty) -> list[Held]:
    return [held for held in _held(user) if held.role in HELD_BY[duty]]


def _lab_wide(user: Any, duty: Duty) -> bool:
    """Rows of the whole laboratory: managers, and who has the duty in any experiment. A token that is bound to
    experiments writes in these alone."""
    return _bound_to(user) is None and (sees_all(user) or bool(_holds(user, duty)))


def _anywhere(user: Any, verb: str, model: Any) -> bool:
    paths = _paths(model)
    if paths == (LAB_WIDE,) or (paths == ("self",) and verb == "add"):  # a new experiment is in none yet
        return _lab_wide(user, model.duty)
    if _manages(user, model):
        return True
    if _bound_to(user) is None and sees_all(user) and any(_is_elsewhere(path) for path in paths):
        return True
    return bool(_holds(user, _duty(verb, model)))


def _is_elsewhere(path: str) -> bool:
    """Whether by ``path`` a row is in no experiment."""
    return path == LAB_WIDE or path.endswith("__isnull") or path.startswith("@")


def _manages(user: Any, model: Any) -> bool:
    return bool(getattr(model, "managers_write", False)) and sees_all(user)


def _refusal_in(user: Any, verb: str, model: Any, experiments: set, told: str) -> str | None:
    if _manages(user, model):
        bound = _bound_to(user)
        return None if bound is None or experiments <= bound else told
    held = [each for each in _holds(user, _duty(verb, model)) if each.experiment in experiments]
    if {each.experiment for each in held} < experiments:
        return told
    stays_open = getattr(model, "stays_open", False) or verb in WHILE_CLOSED
    closed = sorted(each.code for each in held if each.status in CLOSED)
    if closed and not stays_open:
        return OfClosed(f"The experiment {closed[0]} is closed; a director can reopen it.")
    return None


def experiments_of(subject: Any) -> set:
    """Primary keys of the experiments that ``subject`` belongs to; empty for rows of the whole laboratory."""
    found: set = set()
    for each in _paths(type(subject)):
        if each == "self":
            found.add(subject.pk)
        elif not _is_elsewhere(each):
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
