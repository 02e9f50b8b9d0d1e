"""Triggers that are made by walking the models, so that a new model needs no line: installed after every migrate."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.db import connections, models

Installer = Callable[[Any, Sequence[type[models.Model]]], None]
_installers: list[Installer] = []


def register_installer(installer: Installer) -> Installer:
    """Have ``installer(connection, models)`` called once after every migrate, as the role that migrates.

    It runs before the apps write their own rows (endpoints, templates, permissions of all but the first app). It must
    be repeatable. ``models`` are all that have a table now, tables of many-to-many relations included. Installers run
    in the order of their registration, in one transaction of the caller's connection each.
    """
    if installer not in _installers:
        _installers.append(installer)
    return installer


def install_all(using: str = "default") -> None:
    """Run every installer on the database as it is now."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    with_table = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.db_table in present
    ]
    for installer in _installers:
        installer(connection, with_table)


def after_migrate(sender: Any, using: str = "default", **_: Any) -> None:
    """Receiver of ``post_migrate``, which is sent once an app: the first of them installs everything."""
    if sender == next(config for config in apps.get_app_configs() if config.models_module is not None):
        install_all(using)
