"""Every address of the program."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("experiments.api.urls")),
    path("api/v1/", include("assays.api.urls")),
    # what lies in no app; it answers every other address under api/v1, so it stands last of them
    path("api/v1/", include("labdb.base.rest.urls")),
]
