"""Pages by limit and offset that always say how many rows there are."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination

LARGEST = 2**62


class Pages(LimitOffsetPagination):
    """``?limit=`` (1 to 1000, 100 unless told) and ``?offset=``; anything else is a 400 that names it."""

    default_limit = 100
    max_limit = 1000

    def get_limit(self, request: Any) -> int:
        return _whole_number(request, "limit", self.default_limit, 1, self.max_limit)

    def get_offset(self, request: Any) -> int:
        return _whole_number(request, "offset", 0, 0, LARGEST)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        bounds = {"limit": {"minimum": 1, "maximum": self.max_limit, "default": self.default_limit}}
        bounds["offset"] = {"minimum": 0, "default": 0}
        return [
            {"name": name, "in": "query", "required": False, "schema": {"type": "integer", **bound}}
            for name, bound in bounds.items()
        ]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        told = super().get_paginated_response_schema(schema)
        return {**told, "required": ["count", "next", "previous", "results"]}


def _whole_number(request: Any, name: str, default: int, smallest: int, largest: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or not smallest <= int(text) <= largest:
        expected = f"a whole number from {smallest} to {largest}"
        raise ValidationError({name: [f"“{text[:40]}” is not {expected}."]})
    return int(text)
