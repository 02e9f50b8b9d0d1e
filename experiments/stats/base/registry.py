"""Finds the statistics: every module of a package that is not a package itself."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from .vocabulary import Estimate, Method

PACKAGE = "experiments.stats"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A method with its `compute`, whose arguments follow from the kind:

    per_arm            compute(sample, *, scale, level)
    across_arms        compute(samples, *, scale, level)
    versus_reference   compute(sample, reference, *, scale, level)

    Each gives a tuple of `Estimate`s or raises Refusal, which the runner turns into one refused estimate per quantity.
    """

    method: Method
    compute: Callable[..., tuple[Estimate, ...]]


class RegistryError(Exception):
    """A module that is no statistic, or two that bear one key or give one quantity."""


@cache
def statistics(package: str = PACKAGE) -> tuple[Statistic, ...]:
    """All statistics of a package, by key. Raises RegistryError naming every faulty module at once."""
    root = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules(root.__path__) if not info.ispkg)
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    if faults := [*_not_statistics(modules), *_clashes(modules)]:
        raise RegistryError("; ".join(faults))
    found = [Statistic(module.METHOD, module.compute) for module in modules]
    return tuple(sorted(found, key=lambda statistic: statistic.method.key))


def _is_statistic(module: ModuleType) -> bool:
    return isinstance(getattr(module, "METHOD", None), Method) and callable(getattr(module, "compute", None))


def _not_statistics(modules: list[ModuleType]) -> list[str]:
    return [
        f"{m.__name__}: expected METHOD and compute, as every statistic has" for m in modules if not _is_statistic(m)
    ]


def _clashes(modules: list[ModuleType]) -> list[str]:
    owners: dict[str, list[str]] = {}
    for module in filter(_is_statistic, modules):
        for name in (f"key {module.METHOD.key!r}", *(f"quantity {q!r}" for q in module.METHOD.quantities)):
            owners.setdefault(name, []).append(module.__name__)
    return [f"{name} is declared by {' and '.join(who)}" for name, who in owners.items() if len(who) > 1]
