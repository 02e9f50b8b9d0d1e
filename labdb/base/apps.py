from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BaseConfig(AppConfig):
    name = "labdb.base"
    label = "labdb"
    verbose_name = "Laboratory"

    def ready(self) -> None:
        from labdb.base import checks, triggers
        from labdb.base.trail import install  # noqa: F401  (registers the first installer)

        checks.register_all()
        post_migrate.connect(triggers.after_migrate)
