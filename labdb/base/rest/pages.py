"""The OpenAPI description, its page (without an outside request), and the answer to every other address."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import NotFound

from labdb.base.rest.views import StrictRequest, StrictView


class Schema(StrictRequest, SpectacularAPIView):
    query_parameters = {"get": ("format",)}


class Docs(StrictRequest, SpectacularSwaggerView):
    """The interactive page of the schema."""


class NoSuchAddress(StrictView):
    """What lies at no address answers as JSON too."""

    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address.")
