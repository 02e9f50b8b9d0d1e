"""The admin's theme with this project's own site."""

from django.contrib import admin
from django.contrib.admin import sites
from unfold.apps import DefaultAppConfig


class ThemeConfig(DefaultAppConfig):
    """Puts the site in place before the apps register their pages with it."""

    default = False

    def ready(self) -> None:
        from labdb.base.site import LabSite

        admin.site = sites.site = LabSite()
