"""JSON in and out: exact numbers both ways, no text that PostgreSQL cannot hold."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class ExactJsonRenderer(BaseRenderer):
    """JSON. A ``numeric`` goes out as a JSON number with all of its digits, an instant in UTC with a Z."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)


class Download(BaseRenderer):
    """Lets a view that answers with a file accept every ``Accept``; its refusals are JSON (``StrictRequest``)."""

    media_type = "*/*"
    format = "file"


class Csv(Download):
    media_type = "text/csv"
    format = "csv"


class FormatFirst(DefaultContentNegotiation):
    """Where ``?format=`` says what is wanted, the Accept header does not matter."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if not asked:
            return super().select_renderer(request, renderers, format_suffix)
        chosen = self.filter_renderers(renderers, asked)[0]
        return chosen, chosen.media_type


def to_json(data: Any) -> bytes:
    try:
        return orjson.dumps(data, default=_other, option=OPTIONS)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, in a result say
        return json.dumps(data, default=_readable).encode()


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):  # a fragment keeps the digits; a float would not
        return orjson.Fragment(str(value))
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    return str(value)


def _readable(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


class ExactJsonParser(BaseParser):
    """An object or an array, its numbers with every digit. Refuses what the database could not hold, naming the place."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        data = read_json(stream.read())
        if not isinstance(data, (dict, list)):
            raise ParseError("A JSON object or array is expected.")
        return data


class JsonLinesParser(BaseParser):
    """One JSON object a line."""

    media_type = "application/x-ndjson"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        lines = stream.read().split(b"\n")
        return [read_json(line, f"line {number}: ") for number, line in enumerate(lines, 1) if line.strip()]


def read_json(body: bytes, place: str = "") -> Any:
    """Parse ``body``. Raises ParseError with ``place`` before its message."""
    try:
        data = json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ParseError(f"{place}JSON is nested too deeply.") from None
    except (ValueError, ArithmeticError) as error:
        raise ParseError(f"{place}JSON could not be read: {error}") from None
    if UNSTORABLE.search(body):
        for where, text in _texts(data):
            if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
                raise ParseError(f"{place}{where}: text may not hold a NUL or half of a surrogate pair.")
    return data


UNSTORABLE = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in ``data`` with its path, keys included; without recursion."""
    waiting = [("", data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path or "the document", value
        elif isinstance(value, dict):
            waiting += [(f"{path} key", key) for key in value]
            waiting += [(f"{path}.{key}".lstrip("."), each) for key, each in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", each) for index, each in enumerate(value)]
