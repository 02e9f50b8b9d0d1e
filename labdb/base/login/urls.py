"""The addresses under ``/accounts/``. allauth's own list is not included: it has a sign-up and pages of e-mail addresses."""

from allauth.account import views
from django.urls import include, path, re_path

from labdb.base.login.views import AcceptInvitation, Overview

urlpatterns = [
    path("", Overview.as_view(), name="account_overview"),
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    path("password/reset/key/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("invitation/<str:token>/", AcceptInvitation.as_view(), name="account_invitation"),
    path("2fa/", include("allauth.mfa.urls")),
]
