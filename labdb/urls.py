"""Every address of the program."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("accounts/", include("labdb.base.login.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("experiments.api.urls")),
    path("api/v1/", include("assays.api.urls")),
    # what lies in no app; it answers every other address under api/v1, so it stands last of them
    path("api/v1/", include("labdb.base.rest.urls")),
]
