"""The OpenAPI document says what the application does, exactly and always in the same order."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from entrypoints.container import Container
from entrypoints.http.app import create_app
from entrypoints.http.openapi import render_openapi
from entrypoints.settings import Settings
from tests.support.http import EdgeSettings, assert_problem, build_app, client_of
from tests.support.sample_area import sample_area

COMMITTED = Path(__file__).parents[3] / "openapi" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render_openapi(build_app(sample_area())))
    return loaded


@pytest.fixture(scope="module")
def product() -> bytes:
    return render_openapi(create_app(Container(settings=Settings(secret_keys=("signs nothing here" * 3,)))))


@pytest.fixture(scope="module")
def product_document(product: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(product)
    return loaded


def test_the_committed_document_is_current(product: bytes) -> None:
    """`make openapi` writes it anew."""
    assert COMMITTED.read_bytes() == product


def test_every_operation_of_the_product_is_described(product_document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(product_document)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(product_document):
        assert re.fullmatch("[a-z][A-Za-z0-9]+", operation["operationId"]), (method, path)
        assert operation.get("description"), (method, path)
        assert operation.get("tags"), (method, path)


def test_every_field_and_parameter_that_a_client_sends_has_a_bound(product_document: dict[str, Any]) -> None:
    unbounded: list[str] = []
    for _, _, operation in operations(product_document):
        name = operation["operationId"]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            unbounded += unbounded_parts(content["schema"], name, product_document["components"]["schemas"])
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                unbounded += unbounded_parts(parameter["schema"], f"{name}?{parameter['name']}", {})
    assert unbounded == []


BOUNDS = {
    "string": {"maxLength", "enum", "format", "pattern", "const"},
    "integer": {"maximum", "enum"},
    "array": {"maxItems"},
    "object": {"additionalProperties"},
}


def unbounded_parts(schema: dict[str, Any], where: str, components: dict[str, Any]) -> Iterator[str]:
    """Where a schema lets a client send as much as it likes. Raw JSON values (`{}`) are bounded by the body alone."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if isinstance(kind, str) and kind in BOUNDS and not BOUNDS[kind] & set(schema):
        yield f"{where}: {kind}"
    if isinstance(schema.get("items"), dict):
        yield from unbounded_parts(schema["items"], f"{where}[]", components)
    for name, part in schema.get("properties", {}).items():
        yield from unbounded_parts(part, f"{where}.{name}", components)
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from unbounded_parts(part, where, components)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_paths_show_parameters_as_clients_write_them(document: dict[str, Any]) -> None:
    operation = document["paths"]["/items/{itemId}"]["put"]
    assert [(each["in"], each["name"]) for each in operation["parameters"]] == [
        ("path", "itemId"),
        ("header", "If-Match"),
    ]
    assert operation["parameters"][0]["schema"] == {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}


def test_a_request_body_refuses_unknown_fields_and_tells_its_bounds(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["NewItem"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["title"]
    assert schema["properties"]["title"] == {"type": "string", "minLength": 1, "maxLength": 200}
    assert schema["properties"]["itemCount"]["maximum"] == 2**31 - 1
    body = document["paths"]["/items"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewItem"}
    assert document["paths"]["/items/optional"]["post"]["requestBody"]["required"] is False


def test_answers_have_every_field(document: dict[str, Any]) -> None:
    item = document["components"]["schemas"]["Item"]
    assert item["required"] == ["id", "title", "itemCount", "mark", "createdAt"]
    page = document["components"]["schemas"]["ItemPage"]
    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Item"}
    assert set(page["required"]) == {"items", "nextCursor", "total"}


def test_every_operation_has_an_id_a_tag_and_problems(document: dict[str, Any]) -> None:
    seen = set()
    for _, _, operation in operations(document):
        assert operation["tags"]
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    assert "createItem" in seen


def test_who_may_call_is_told(document: dict[str, Any]) -> None:
    assert document["paths"]["/items"]["post"]["security"] == [{"bearer": []}, {"cookie": []}]
    assert document["paths"]["/items"]["get"]["security"] == [{}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "cookie"}


def test_refusals_are_listed_by_status(document: dict[str, Any]) -> None:
    responses = document["paths"]["/items"]["post"]["responses"]
    assert list(responses) == ["201", "400", "401", "403", "413", "415", "422", "429", "default"]
    assert responses["429"]["description"] == "- `sample.busy`: Too many at once"
    assert responses["429"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert list(document["paths"]["/items/{itemId}"]["put"]["responses"]) == [
        *("200", "400", "404", "412", "413", "415", "422", "default")
    ]


def test_a_conditional_get_may_answer_304(document: dict[str, Any]) -> None:
    assert "304" in document["paths"]["/items/{itemId}"]["get"]["responses"]
    assert "304" not in document["paths"]["/items"]["get"]["responses"]


def test_a_body_that_is_not_json_and_a_second_success_are_told_by_the_route(document: dict[str, Any]) -> None:
    operation = document["paths"]["/large"]["post"]
    assert operation["requestBody"] == {"content": {"application/octet-stream": {}}}
    assert operation["responses"]["200"] == operation["responses"]["201"]


def test_an_answer_without_a_body_has_none(document: dict[str, Any]) -> None:
    assert document["paths"]["/items/{itemId}"]["delete"]["responses"]["204"] == {
        "description": "Request fulfilled, nothing follows"
    }


def test_query_parameters_keep_their_bounds_and_names(document: dict[str, Any]) -> None:
    parameters = {each["name"]: each for each in document["paths"]["/items"]["get"]["parameters"]}
    assert set(parameters) == {"limit", "cursor", "topicId"}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameters["topicId"]["schema"] == {"type": "string", "maxLength": 5}
    assert b'"maximum": 100.0' not in render_openapi(build_app(sample_area()))
    assert parameters["limit"]["required"] is False


def test_neither_head_nor_the_page_itself_is_listed(document: dict[str, Any]) -> None:
    assert not {"/docs", "/openapi.json", "/redoc"} & set(document["paths"])
    assert {method for _, method, _ in operations(document)} <= {"get", "post", "put", "patch", "delete"}


def test_paths_are_sorted_and_the_document_is_the_same_in_every_process() -> None:
    script = (
        "from tests.support.http import build_app; from tests.support.sample_area import sample_area;"
        "from entrypoints.http.openapi import render_openapi; import sys;"
        "sys.stdout.buffer.write(render_openapi(build_app(sample_area())))"
    )
    rendered = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "src:."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert rendered[0] == rendered[1] == render_openapi(build_app(sample_area()))
    paths = list(json.loads(rendered[0])["paths"])
    assert paths == sorted(paths)


async def test_the_document_is_served_as_json_and_as_yaml() -> None:
    app = build_app(sample_area())
    async with client_of(app) as client:
        as_json, as_yaml = await client.get("/openapi.json"), await client.get("/openapi.yaml")
    assert as_json.headers["content-type"] == "application/json"
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert as_json.json() == msgspec.yaml.decode(as_yaml.content) == json.loads(render_openapi(app))


async def test_the_documentation_can_be_switched_off() -> None:
    async with client_of(build_app(settings=EdgeSettings(docs=False))) as client:
        for path in ("/openapi.json", "/openapi.yaml", "/docs", "/redoc"):
            assert_problem(await client.get(path), 404, "request.not_found")
