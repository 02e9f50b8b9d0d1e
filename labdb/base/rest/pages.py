"""The OpenAPI description, its page (without an outside request), and the answer to every other address."""

from typing import Any

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound

from labdb.base.rest.views import StrictRequest, StrictView


class Schema(StrictRequest, SpectacularAPIView):
    query_parameters = {"get": ("format",)}


@method_decorator(csp_update({"img-src": ["data:"]}), name="dispatch")  # icons in its style sheet
class Docs(StrictRequest, SpectacularSwaggerSplitView):
    """The interactive page of the schema; with ``?script=1`` the script that starts it, which may not stand in the page."""

    query_parameters = {"get": ("script",)}
    template_name = "labdb/docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().get(request, *args, **kwargs)
        if "script_url" in response.data:
            response.data["script_url"] = f"{request.path}?script=1"
        return response


class NoSuchAddress(StrictView):
    """What lies at no address answers as JSON too."""

    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address.")
