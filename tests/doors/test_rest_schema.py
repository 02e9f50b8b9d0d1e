"""The OpenAPI description: complete, stable, and true of what the server answers."""

import json

import jsonschema
import pytest
from django.conf import settings

from tests.doors.invalid_cases import VALID, World
from tests.doors.test_rest_writes import noun, post

API = "/api/v1"


def make_schema() -> dict:
    from drf_spectacular.generators import SchemaGenerator

    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))


def test_the_schema_is_made_without_a_warning(capsys):
    from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats

    reset_generator_stats()
    make_schema()
    assert not GENERATOR_STATS, capsys.readouterr().err


def test_every_enumeration_has_the_name_that_clients_know():
    names = {name for name in make_schema()["components"]["schemas"] if name.endswith("Enum")}
    assert names <= set(settings.SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"])


@pytest.mark.django_db
def test_the_schema_and_its_page_ask_nobody_outside(client):
    schema = client.get(f"{API}/schema", {"format": "json"})
    assert schema.status_code == 200
    assert schema.json()["openapi"].startswith("3.")
    page = client.get(f"{API}/docs").content.decode()
    addresses = [part.split('"')[0] for mark in ('src="', 'href="') for part in page.split(mark)[1:]]
    assert addresses
    assert all(address.startswith("/") for address in addresses)


def as_json_schema(part):
    """OpenAPI 3.0's ``nullable`` in the words of JSON Schema."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    told = {name: as_json_schema(value) for name, value in part.items() if name != "nullable"}
    return {"anyOf": [told, {"type": "null"}]} if part.get("nullable") is True else told


@pytest.mark.django_db
def test_lists_and_details_are_what_the_schema_says(api, world: World):
    made = make_schema()
    definitions = as_json_schema(made["components"])
    for model in VALID:
        address = f"{API}/{noun(model)}"
        assert post(api, model, VALID[model](world)).status_code == 201
        page = api.get(address).json()
        for path, answer in ((address, page), (f"{address}/{{id}}", api.get(f"{address}/{_first(page)}").json())):
            content = made["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            checked = {**as_json_schema(content), "components": definitions}
            jsonschema.Draft202012Validator(checked, format_checker=jsonschema.FormatChecker()).validate(answer)


REFUSED = [
    ("get", "/arms", "/arms?lable=x", None, 400),
    ("get", "/arms/{id}", f"/arms/{'0' * 8}-0000-4000-8000-{'0' * 12}", None, 404),
    ("post", "/arms", "/arms", {"label": 1, "typed": 2}, 400),
    ("post", "/arms", "/arms", [], 400),
    ("post", "/observations", "/observations", [{}, {"value": "heavy"}], 400),
    ("post", "/tokens", "/tokens", {"username": "a", "password": "b"}, 401),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path", "address", "data", "code"), REFUSED)
def test_refusals_are_what_the_schema_says(api, world: World, method, path, address, data, code):
    made = make_schema()
    answer = getattr(api, method)(API + address, data, format="json")
    assert answer.status_code == code
    content = made["paths"][API + path][method]["responses"][str(code)]["content"]["application/json"]["schema"]
    checked = {**content, "components": as_json_schema(made["components"])}
    jsonschema.Draft202012Validator(checked).validate(answer.json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(checked).validate({"detail": 7})


def test_every_operation_says_how_it_refuses():
    for path, operations in make_schema()["paths"].items():
        for method, operation in operations.items():
            expected = {"400", "401"} | ({"404"} if "{" in path else set()) | ({"403"} if method != "get" else set())
            assert expected <= set(operation["responses"]), (method, path)


def _first(page: dict) -> str:
    return page["results"][0]["id"]


def test_a_lying_schema_would_be_seen():
    schema = as_json_schema(make_schema()["components"]["schemas"]["Arm"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"id": 1}, {**schema, "required": ["label"], "components": {}})
