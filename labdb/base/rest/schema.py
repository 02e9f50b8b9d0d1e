"""How the OpenAPI description is made."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.utils import Direction

TEXT = {"type": "string"}
ROW = {
    "type": "object",
    "properties": {
        "row": {"type": "integer", "minimum": 1},
        "field": TEXT,
        "value": {"description": "As it was sent.", "nullable": True},
        "message": TEXT,
    },
    "required": ["row", "field", "value", "message"],
}
DETAIL = {"type": "object", "properties": {"detail": TEXT}, "required": ["detail"], "additionalProperties": False}
ROWS = {
    "type": "object",
    "properties": {"detail": TEXT, "rows": {"type": "array", "items": ROW}},
    "required": ["detail", "rows"],
}
FIELDS = {
    "type": "object",
    "description": "What is wrong, by field or parameter; non_field_errors where no single one is to blame.",
    "additionalProperties": {"type": "array", "items": TEXT},
}
# What labdb.base.rest.errors answers with, by the name of its component.
BODIES: dict[str, dict[str, Any]] = {"Refusal": {"oneOf": [FIELDS, ROWS, DETAIL]}, "Detail": DETAIL}


class ApiSchema(AutoSchema):
    """Operations stand under the noun of their address, and say how they refuse."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        told = super()._get_response_bodies(direction)
        return {**{code: self._refusal(*body) for code, body in self._refusals().items()}, **told}

    def _refusals(self) -> dict[str, tuple[str, str]]:
        """Component and description of every refusal of the operation, by status code."""
        told = {"400": ("Refusal", "Something in the request is wrong."), "401": ("Detail", "Who asks is not known.")}
        if self.method != "GET":
            told["403"] = ("Detail", "Who asks may not do this.")
        if "{" in self.path:
            told["404"] = ("Detail", "There is no such row, or it is not yours to see.")
        return told

    def _refusal(self, name: str, description: str) -> dict[str, Any]:
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, BODIES[name], ComponentIdentity(name))
        self.registry.register_on_missing(component)
        return {"description": description, "content": {"application/json": {"schema": component.ref}}}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "labdb.base.rest.authentication.AccessTokens"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        told = "“Token ” and a token from /api/v1/tokens"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": told}
