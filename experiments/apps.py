from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ExperimentsConfig(AppConfig):
    name = "experiments"

    def ready(self) -> None:
        from experiments import tasks  # noqa: F401  (the outbox nudges the broker through it)
        from experiments.endpoints import sync_endpoints

        post_migrate.connect(sync_endpoints, sender=self)
