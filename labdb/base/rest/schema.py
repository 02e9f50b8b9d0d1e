"""How the OpenAPI description is made."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiSchema(AutoSchema):
    """Operations stand under the noun of their address."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "labdb.base.rest.authentication.AccessTokens"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        told = "“Token ” and a token from /api/v1/tokens"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": told}
