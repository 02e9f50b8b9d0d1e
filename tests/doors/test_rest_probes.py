"""What no client should send, sent to every operation that the schema lists: the answer is never a server error.

The operations, their fields and their parameters are read from the schema and the views, so a new resource is probed
without being listed here. Whatever is taken must leave the resource's list readable.
"""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from rest_framework.test import APIClient

from tests.contracts.rows import Known, make_rows
from tests.contracts.test_query_counts import PAGES
from tests.doors.invalid_cases import VALID, World
from tests.doors.test_rest_schema import make_schema
from tests.doors.test_rest_writes import as_json

pytestmark = pytest.mark.django_db

ANY = ["null", "true", "9" * 5000, '""', r'"a\u0000b"', r'"\ud800"', "[]", '[{"a": [1]}]', "[" * 300 + "]" * 300]
NUMBERS = ["-1", "2147483648", "9223372036854775808", "1e999999999", "1e-400"]
LONG = [json.dumps("x" * 100_000)]
DATES = ["9999-12-31", "0001-01-01", "2026-02-30", "-infinity", "0001-01-01T00:00:00+14:00"]
DATES = [json.dumps(date) for date in (*DATES, "9999-12-31T23:59:59-12:00")]
OF_TYPE = {"integer": NUMBERS, "number": NUMBERS, "date": DATES, "date-time": DATES, "string": LONG}
BODIES = [
    b"",
    b"null",
    b"7",
    b'"text"',
    b"[]",
    b"[[]]",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    rb'{"\ud800": 1}',
    b'{"": 1}',
]
TEXTS = ["", "null", "a\0b", "9" * 5000, "1e999999999", "NaN", '{"a": NaN}', r'{"a": "\u0000"}', r'{"a": "\ud800"}'] + [
    '{"a": 1e999999999}', "[" * 300 + "]" * 300, "[" * 100_000, "0001-01-01T00:00:00+14:00", "\U0001f42d" * 300,
]  # fmt: skip
FILES = [("a.txt", b"\0\xff" * 50), ("../../a\0b", b"x"), ("é" * 300, b"x"), ("a.xlsx", b"PK\x03\x04")]
WORDS = ["%00", "%ED%A0%80", "9" * 30, "-1", "NaN", "1e999999999", "[]"] + [
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B14:00",
]  # fmt: skip

SCHEMA = make_schema()
WRITES = [
    (method, path)
    for path, operations in SCHEMA["paths"].items()
    for method in operations
    if method != "get" and not path.startswith("/api/v1/tokens")
]


def list_of(path: str) -> str:
    return "/".join(path.split("/")[:4])


def known_of(world: World) -> Known:
    """The rows of one experiment that the made rows refer to."""
    rows = (world.experiment, world.animals[0], world.enrolments[0], world.arms[0], world.timepoint, world.endpoint)
    return {type(row): row for row in rows}


def model_of(path: str) -> Any:
    return PAGES[list_of(path)].serializer_class.Meta.model


@pytest.fixture
def client(scientist) -> APIClient:
    """Who may do everything, so that a probe comes as far as it can."""
    scientist.is_superuser = True
    scientist.save()
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(scientist)
    return client


class Probe:
    """One operation, its address and what it takes when nothing is wrong."""

    def __init__(self, client: APIClient, world: World, method: str, path: str) -> None:
        self.client, self.method, self.list = client, method, list_of(path)
        self.model = model = model_of(path)
        row = model._base_manager.order_by("pk").first() or make_rows(model, 1, known_of(world))[0]
        self.address = path.replace("{id}", str(row.pk))
        self.kind, self.fields = self._body_of(SCHEMA["paths"][path][method])
        payload = VALID[model](world) if model in VALID and path == self.list else {}
        self.valid = {
            **{name: _sample(world, model, name, told) for name, told in self.fields.items()},
            **as_json(payload),
        }
        self.valid = {name: value for name, value in self.valid.items() if value is not None}

    @staticmethod
    def _body_of(operation: dict) -> tuple[str, dict]:
        content = operation.get("requestBody", {}).get("content", {"application/json": {"schema": {}}})
        kind = next(iter(content))
        schema = content[kind]["schema"]
        schema = schema["oneOf"][0] if "oneOf" in schema else schema
        name = schema.get("$ref", "").split("/")[-1]
        return kind, SCHEMA["components"]["schemas"][name]["properties"] if name else {}

    def send(self, data: Any, kind: str | None = None) -> None:
        """Send, see that it is no server error and leaves the list readable, and take it back."""
        with transaction.atomic():
            before = self.model._base_manager.count()
            answer = self.client.generic(
                self.method.upper(), self.address, data, content_type=kind or self.kind, HTTP_IF_MATCH="*"
            )
            assert answer.status_code < 500, (self.method, self.address, data[:200], answer.content)
            if answer.status_code < 300:
                page = self.client.get(f"{self.list}?limit=1000")
                assert page.status_code == 200, (self.method, self.address, data[:200], page.content)
            else:
                assert self.model._base_manager.count() == before, (self.method, self.address, data[:200])
            transaction.set_rollback(True)


def _sample(world: World, model: Any, name: str, told: dict) -> Any:
    if told.get("format") == "uuid":
        if name == "experiment":
            return str(world.experiment.pk)
        related: Any = model._meta.get_field(name).related_model
        row = known_of(world).get(related) or related._base_manager.order_by("pk").first()
        return None if row is None else str(row.pk)
    if "enum" in told or "allOf" in told or "$ref" in told or "oneOf" in told:
        return None
    kinds = {"integer": 1, "number": 1, "boolean": True, "string": "text"}
    return kinds.get(told.get("type", "string"), {"a": 1})


@pytest.mark.parametrize(("method", "path"), WRITES, ids=[" ".join(write) for write in WRITES])
def test_no_body_makes_a_server_error(client, world: World, settings, tmp_path, method, path):
    settings.LABDB_FILES_DIR = tmp_path
    probe = Probe(client, world, method, path)
    for body in BODIES:
        probe.send(body, "application/json")
    for kind in ("application/x-ndjson", "multipart/form-data; boundary=x", "multipart/form-data", "text/xml", "\0"):
        probe.send(b"{}", kind)
    if probe.kind == "application/json":
        _probe_json(probe)
    else:
        _probe_form(probe)


def _probe_json(probe: Probe) -> None:
    valid = {name: json.dumps(value, default=str) for name, value in probe.valid.items()}
    for name, told in probe.fields.items():
        for value in ANY + OF_TYPE.get(told.get("format") or told.get("type"), []):
            texts = {**valid, name: value}
            body = "{" + ", ".join(f'"{n}": {v}' for n, v in texts.items()) + "}"
            probe.send(body.encode())


def _probe_form(probe: Probe) -> None:
    file = {"file", "layout"} & set(probe.fields)
    for name in probe.fields:
        for value in FILES if name in file else TEXTS:
            given = {n: v for n, v in probe.valid.items() if n not in file}
            whole = {"file": SimpleUploadedFile("a.txt", b"a,b\n1,2\n"), **given}
            whole[name] = SimpleUploadedFile(*value) if name in file else value
            probe.send(*_form(whole))


def _form(fields: dict) -> tuple[bytes, str]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return encode_multipart(BOUNDARY, fields), MULTIPART_CONTENT


@pytest.mark.parametrize("address", PAGES)
def test_no_parameter_makes_a_server_error(client, world: World, address):
    model = PAGES[address].serializer_class.Meta.model
    if not model._base_manager.exists():
        make_rows(model, 1, known_of(world))
    for name in (*PAGES[address].filters, "limit", "offset", "unknown"):
        for word in WORDS:
            with transaction.atomic():
                answer = client.get(f"{address}?{name}={word}")
                assert answer.status_code < 500, (address, name, word)
                transaction.set_rollback(True)
            assert answer.status_code in (200, 400), (address, name, word)
