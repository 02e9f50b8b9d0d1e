from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "labdb.base"
    label = "labdb"
    verbose_name = "Laboratory"
