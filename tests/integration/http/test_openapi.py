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
from entrypoints.http.fields import RequestBody, ResponseBody
from entrypoints.http.openapi import render_openapi
from entrypoints.http.problems import Problem
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


def test_a_number_in_a_path_is_no_id_and_a_table_is_a_file(product_document: dict[str, Any]) -> None:
    saving = product_document["paths"]["/exam-sessions/{sessionId}/answers/{slot}"]["put"]
    (slot,) = (each for each in saving["parameters"] if each["name"] == "slot")
    assert slot["description"] == "The place of the question in the paper, from 1"
    for accepted, text in ((True, "12"), (False, "0"), (False, "qst_1")):
        assert bool(re.fullmatch(slot["schema"]["pattern"], text)) is accepted
    for portal in ("instructor", "admin"):
        reading = product_document["paths"][f"/{portal}/exam-packages/{{examPackageId}}/statistics"]["get"]
        content = reading["responses"]["200"]["content"]
        assert set(content) == {"application/json", "text/csv"}
        assert content["text/csv"]["schema"] == {"type": "string"}


def test_every_schema_and_every_parameter_is_described(product_document: dict[str, Any]) -> None:
    untold = [name for name, schema in product_document["components"]["schemas"].items() if "description" not in schema]
    for _, _, operation in operations(product_document):
        untold += [
            f"{operation['operationId']}?{each['name']}"
            for each in operation.get("parameters", ())
            if not each.get("description")
        ]
    untold += [tag["name"] for tag in product_document["tags"] if not tag.get("description")]
    assert untold == []


def test_every_number_and_whatever_may_be_null_is_described(product_document: dict[str, Any]) -> None:
    """A number has a unit or counts something, and null means something."""
    untold = [
        f"{name}.{field}"
        for name, schema in product_document["components"]["schemas"].items()
        for field, part in schema.get("properties", {}).items()
        if "description" not in part
        if part.get("type") == "integer" or part.get("format") == "decimal" or {"type": "null"} in part.get("anyOf", ())
    ]
    assert untold == []


def bodies(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for body in base.__subclasses__():
        yield body
        yield from bodies(body)


def test_every_body_that_is_sent_or_answered_has_an_example(product_document: dict[str, Any]) -> None:
    used = {"#/components/schemas/Problem"}
    for _, _, operation in operations(product_document):
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        used |= {found for each in (operation.get("requestBody", {}), *answers) for found in schemas_of(each)}
    names = {reference.rpartition("/")[2] for reference in used}
    assert {name for name in names if not product_document["components"]["schemas"][name].get("examples")} == set()


def schemas_of(described: dict[str, Any]) -> Iterator[str]:
    for content in described.get("content", {}).values():
        yield from (found for found in references(content) if found.startswith("#/components/schemas/"))


def test_every_example_is_what_it_is_an_example_of(product_document: dict[str, Any]) -> None:
    """It decodes into its type; an answer has every field of it, and none that the type lacks."""
    known = {body.__name__: body for base in (RequestBody, ResponseBody) for body in bodies(base)}
    types: dict[str, type[msgspec.Struct]] = {**known, "Problem": Problem}
    for name, schema in product_document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            body = msgspec.json.decode(json.dumps(example), type=types[name])
            if not issubclass(types[name], RequestBody):
                assert msgspec.json.decode(msgspec.json.encode(body)) == example, name


def test_examples_are_shown_where_they_belong(product_document: dict[str, Any]) -> None:
    schemas = product_document["components"]["schemas"]
    assert schemas["LoginRequest"]["examples"][0]["email"] == "ada@example.org"
    assert set(schemas["PracticeSessionWithQuestions"]["examples"][0]) == set(
        schemas["PracticeSessionWithQuestions"]["properties"]
    )


def test_patterns_need_no_looking_ahead(product_document: dict[str, Any], product: bytes) -> None:
    """Many readers of the document have an engine that cannot."""
    assert b"(?" not in product
    schema = product_document["components"]["schemas"]["EnrollRequest"]["properties"]["examPackageId"]
    assert schema["pattern"] == "^[A-Za-z0-9_-]{1,64}$"


def test_texts_are_not_indented_as_in_the_source(product_document: dict[str, Any]) -> None:
    """Python 3.13 takes the indentation of docstrings away, older ones leave it."""
    summary = product_document["components"]["schemas"]["PracticeSummary"]["description"]
    assert "\n\n`correct`" in summary


def test_signing_out_may_but_need_not_be_done_signed_in(product_document: dict[str, Any]) -> None:
    operation = product_document["paths"]["/student/auth/logout"]["post"]
    ways = ("bearer", "cookie", "betterAuthCookie", "betterAuthBearer")
    assert operation["security"] == [{}, *({name: []} for name in ways)]
    assert [each["name"] for each in operation["parameters"]] == ["X-CSRF-Token"]


def test_old_paths_are_deprecated_and_no_others(product_document: dict[str, Any]) -> None:
    for path, _, operation in operations(product_document):
        assert operation.get("deprecated", False) is path.startswith("/auth/"), path
        assert ("Deprecation" in operation["responses"][min(operation["responses"])]["headers"]) is (
            path.startswith("/auth/")
        )


def test_headers_are_told_where_they_are_sent(product_document: dict[str, Any]) -> None:
    paths = product_document["paths"]
    begin = paths["/practice-sessions"]["post"]
    assert set(begin["responses"]["201"]["headers"]) == {"Idempotency-Replayed", "Location", "X-Request-Id"}
    assert set(begin["responses"]["409"]["headers"]) == {"Idempotency-Replayed", "Retry-After", "X-Request-Id"}
    assert [each["name"] for each in begin["parameters"]] == ["Idempotency-Key", "X-CSRF-Token"]
    packages = paths["/exam-packages"]["get"]
    assert set(packages["responses"]["200"]["headers"]) == {"ETag", "Link", "X-Request-Id"}
    assert "If-None-Match" in {each["name"] for each in packages["parameters"]}
    package, tier = "/admin/exam-packages/{examPackageId}", "/admin/exam-packages/{examPackageId}/tiers/{tierId}"
    for path, method, status in (
        ("/admin/exam-packages", "post", "201"),
        (package, "patch", "200"),
        ("/instructor/exam-packages/{examPackageId}", "patch", "200"),
        (f"{package}/tiers", "post", "201"),
        (tier, "patch", "200"),
        (tier, "delete", "204"),
        ("/instructor/practice-templates", "post", "201"),
        ("/instructor/practice-templates/{templateId}", "patch", "200"),
        ("/instructor/practice-templates/{templateId}/publish", "post", "200"),
    ):
        assert "ETag" in paths[path][method]["responses"][status]["headers"], path
    assert "ETag" not in paths[package]["delete"]["responses"]["204"]["headers"]
    assert "Retry-After" in paths["/student/auth/login"]["post"]["responses"]["503"]["headers"]
    for _, _, operation in operations(product_document):
        for answer in operation["responses"].values():
            assert "X-Request-Id" in answer.get("headers", ()) or "$ref" in answer


def test_successes_are_told_in_words_of_their_own(product_document: dict[str, Any]) -> None:
    """Not in the stock phrase of their status."""
    answers = product_document["paths"]["/practice-sessions/{sessionId}/summary"]["get"]["responses"]
    assert answers["200"]["description"] == "A session in numbers"
    for _, _, operation in operations(product_document):
        for answer in operation["responses"].values():
            assert "Request fulfilled" not in answer.get("description", "")


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
    answer = document["paths"]["/items/{itemId}"]["delete"]["responses"]["204"]
    assert answer == {"description": "Done", "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}}


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


def test_what_is_at_stake_with_each_certainty_is_told_before_and_after_the_answer(
    product_document: dict[str, Any],
) -> None:
    schemas = product_document["components"]["schemas"]
    right, wrong = "1 (`low`), 2 (`mid`), 3 (`high`) times", "0 (`low`), −2 (`mid`), −6 (`high`) times"
    for name, field in (("AnswerQuestionRequest", "certainty"), ("PracticeFeedback", "certaintyMark")):
        told = schemas[name]["properties"][field]["description"]
        assert right in told
        assert wrong in told
