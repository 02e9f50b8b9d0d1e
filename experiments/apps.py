from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ExperimentsConfig(AppConfig):
    name = "experiments"

    def ready(self) -> None:
        from experiments import tasks  # noqa: F401  (the outbox nudges the broker through it)
        from experiments.actions.invitations import JOINING
        from experiments.endpoints import sync_endpoints
        from experiments.limits import write_limits
        from experiments.locks import install
        from experiments.shipped import write_templates
        from labdb.base.login.invitations import register_joining
        from labdb.base.triggers import register_installer

        register_installer(install)
        register_joining(JOINING)
        post_migrate.connect(sync_endpoints, sender=self)
        post_migrate.connect(write_templates, sender=self)
        post_migrate.connect(write_limits, sender=self)
