"""How the OpenAPI description is made."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter

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
COUNT = {"type": "integer", "minimum": 0, "description": "How many rows refer to it, where that is why."}
CONFLICT = {**DETAIL, "properties": {"detail": TEXT, "referring": COUNT}}
CHANGE = {
    "type": "object",
    "description": "What happened to one field since the row was read.",
    "properties": {
        "field": TEXT,
        "yours": {"description": "What this request would have set.", "nullable": True},
        "now": {"nullable": True},
        "was": {"description": "When the row was read.", "nullable": True},
        "by": {"type": "string", "description": "User name; the database's role where no person did it."},
        "at": {"type": "string", "format": "date-time"},
        "reason": TEXT,
    },
    "required": ["field", "now", "was", "by", "at", "reason"],
    "additionalProperties": False,
}
STALE = {
    "type": "object",
    "properties": {
        "detail": TEXT,
        "version": {"type": "integer", "description": "That stands now."},
        "changed": {"type": "array", "items": CHANGE},
    },
    "required": ["detail", "version", "changed"],
    "additionalProperties": False,
}
# What labdb.base.rest answers with, by the name of its component.
BODIES: dict[str, dict[str, Any]] = {
    "Refusal": {"oneOf": [FIELDS, ROWS, DETAIL]},
    "Detail": DETAIL,
    "Conflict": CONFLICT,
    "Stale": STALE,
}
IF_MATCH = "The ETag that came with the row when you read it, or * for whatever stands."
IF_NONE_MATCH = "The ETag of the answer that you have: 304 where it still holds."
ETAG = "The row's version, for If-Match and If-None-Match."


CHANGING = ("partial_update", "destroy")


class ApiSchema(AutoSchema):
    """Operations stand under the noun of their address, and say how they refuse."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *self._conditions()]

    def _conditions(self) -> list[OpenApiParameter]:
        """Headers by which an operation on a row says which version of it is meant, and learns which it got."""
        if not hasattr(self.view, "match"):  # no rows
            return []
        header: Any = OpenApiParameter.HEADER
        action = getattr(self.view, "action", "")
        asked = []
        if action == "retrieve":
            asked = [OpenApiParameter("If-None-Match", str, header, description=IF_NONE_MATCH)]
        elif action in CHANGING or self._is_verb():
            asked = [OpenApiParameter("If-Match", str, header, required=action in CHANGING, description=IF_MATCH)]
        if action in ("retrieve", "create", "partial_update") or self._is_verb():
            asked.append(OpenApiParameter("ETag", str, header, description=ETAG, response=["200", "201", "202"]))
        return asked

    def _is_verb(self) -> bool:
        return self.method == "POST" and "{" in self.path

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        told = super()._get_response_bodies(direction)
        if getattr(self.view, "action", "") == "retrieve":
            told["304"] = {"description": "What you have still holds."}
        return {**{code: self._refusal(*body) for code, body in self._refusals().items()}, **told}

    def _refusals(self) -> dict[str, tuple[str, str]]:
        """Component and description of every refusal of the operation, by status code."""
        told = {"400": ("Refusal", "Something in the request is wrong."), "401": ("Detail", "Who asks is not known.")}
        if self.method != "GET":
            told["403"] = ("Detail", "Who asks may not do this.")
            told["409"] = ("Conflict", "The experiment is closed, or other rows are in the way.")
        if "{" in self.path:
            told["404"] = ("Detail", "There is no such row, or it is not yours to see.")
        if hasattr(self.view, "match") and (getattr(self.view, "action", "") in CHANGING or self._is_verb()):
            told["412"] = ("Stale", "The row changed since you read it; nothing was written.")
        if getattr(self.view, "action", "") in CHANGING:
            told["428"] = ("Detail", "If-Match is missing.")
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


class CalendarScheme(OpenApiAuthenticationExtension):
    target_class = "labdb.base.rest.authentication.CalendarTokens"
    name = "calendarToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "Any name, and as the password a token."}
