"""Finds the modules of a package that register themselves by a key: adding a variant is adding one file."""

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType


class RegistryError(RuntimeError):
    """A registered module lacks a required name, or two of them claim one key."""


def discover(package: ModuleType, required: Sequence[str]) -> dict[str, ModuleType]:
    """Import every module of `package` whose name has no leading underscore and return them by their `KEY`.

    Raises RegistryError when a module lacks `KEY` or another name of `required`, or when a key is taken twice.
    """
    found: dict[str, ModuleType] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if not info.name.startswith("_"):
            register(found, importlib.import_module(f"{package.__name__}.{info.name}"), required)
    return found


def register(found: dict[str, ModuleType], module: ModuleType, required: Sequence[str]) -> None:
    """Add `module` to `found` under its `KEY`, or raise RegistryError."""
    missing = [name for name in ("KEY", *required) if not hasattr(module, name)]
    if missing:
        raise RegistryError(f"{module.__name__} must define {', '.join(missing)} (or start with an underscore)")
    other = found.get(module.KEY)
    if other is not None:
        raise RegistryError(f"key {module.KEY!r} is claimed by both {other.__name__} and {module.__name__}")
    found[module.KEY] = module
