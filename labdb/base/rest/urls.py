"""The last addresses under ``/api/v1``: log-in, the trail, the schema and its page, and the answer to every other address."""

from django.urls import path, re_path

from labdb.base.rest.pages import Docs, NoSuchAddress, Schema
from labdb.base.rest.tokens import Token, Tokens
from labdb.base.rest.trail import Trail

urlpatterns = [
    path("tokens", Tokens.as_view(), name="api-tokens"),
    path("tokens/<uuid:pk>", Token.as_view(), name="api-token"),
    path("trail", Trail.as_view({"get": "list"}), name="api-trail"),
    path("schema", Schema.as_view(), name="api-schema"),
    path("docs", Docs.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^.*$", NoSuchAddress.as_view()),
]
