from django.apps import AppConfig


class AssaysConfig(AppConfig):
    name = "assays"

    def ready(self) -> None:
        from assays import tasks  # noqa: F401  (registers the work of the workers)
