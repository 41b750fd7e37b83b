"""The OpenAPI 3.1 document: Litestar's own, with exact schemas, problems and security put in, in a stable order."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final, Protocol, TypeAlias, get_args

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition

from entrypoints.http import openapi_headers as headers
from entrypoints.http import openapi_operations as operations
from entrypoints.http.better_auth.document import OTHER_ERRORS, TAG_TEXT, DoorDocument
from entrypoints.http.better_auth.document import TAG as DOOR_TAG
from entrypoints.http.better_auth.document_bodies import BetterAuthError
from entrypoints.http.fields import ID_PATTERN, NO_BREAK_AFTER, PUBLISHED_ID_PATTERN, RequestBody
from entrypoints.http.openapi_operations import Operation
from entrypoints.http.problems import PROBLEMS, Problem

Document: TypeAlias = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
_DESCRIPTION: Final = (
    "Exam preparation: question banks, exam packages, enrolment, practice and exams.\n\n"
    "**Signing in.** `POST /student/auth/login` (or `/instructor/…`, `/admin/…`) answers with an `accessToken`: send it"
    " as `Authorization: Bearer …`, on this page with *Authorize*. It also sets cookies; a change that relies on"
    " those needs the `csrfToken` in `X-CSRF-Token`, which this page sends by itself. Anybody may register as a"
    " student; a server started with `--demo` prints accounts for all three portals.\n\n"
    "**Conventions.** Times are UTC, durations whole seconds, marks and percents decimal strings. Every error is a"
    " problem document (RFC 9457) with a stable `code`. Lists come page by page: pass `nextCursor` as `cursor`. A"
    " creating or submitting request with an `Idempotency-Key` may be repeated: it has one effect and one answer; not"
    " so where a password or a token is sent or answered, because what is remembered would hold it."
)
# In the order of the page.
_TAGS: Final[Mapping[str, str]] = {
    "student-auth": "Students register, sign in and out, and see to their password, address and sessions.",
    "instructor-auth": "The same for instructors, who register with an invitation.",
    "admin-auth": "The same for administrators, who register with an invitation.",
    "enrollment": "Exam packages that anybody may look at, and what students are enrolled in.",
    "practice": "Students practise: a session draws questions, takes answers, and is reviewed.",
    "exams": "Students sit exams against the clock; administrators watch over them and see to what they come to.",
    "progress": "What a student has come to: profile, streaks and badges, what is weak, and how ready they are.",
    "question_bank": "Instructors and administrators fill the question banks.",
    "admin": "Administrators see to people, their sessions and limits, and to the record of it.",
    "practice-platform": "The same for clients of the practice platform, in the paths and words that they know.",
    "health": "For orchestrators and monitoring.",
    "legacy-auth": "The students' portal at its old paths, which `/student/auth` replaces.",
}
_PROBLEM_EXAMPLE: Final = {
    "type": "urn:ace:problem:request.invalid",
    "title": "The request breaks a rule",
    "status": 422,
    "detail": "The request breaks a rule",
    "code": "request.invalid",
    "instance": "5f0c1d2a9be34e6c8f7a60b1d4c2e913",
    "errors": [{"pointer": "/count", "code": "out_of_range", "message": "Expected `int` <= 200"}],
}
_OWN_MEMBERS: Final = {
    "description": "What a client can go on with, as the code has it: `retryAt`, `currentRevision`, `opensAt` …",
    "type": ["string", "integer"],
}
_SECURITY_SCHEMES: Final[Document] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "ace_access",
        "description": "Unsafe methods also need the X-CSRF-Token header. Under https the name is __Host-ace_access.",
    },
}
CONFIG: Final = OpenAPIConfig(
    title="Ace", version=version("ace"), description=_DESCRIPTION, use_handler_docstrings=True, path="/openapi"
)


class OpaqueBodies(OpenAPISchemaPlugin):
    """Keeps Litestar from drawing bodies: its own schemas lose bounds, and some defaults break it."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        return isinstance(value, type) and issubclass(value, msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        return Schema()


class HasDocument(Protocol):
    """An application that describes itself."""

    @property
    def document(self) -> Callable[[], Document]: ...


def render_openapi(app: HasDocument) -> bytes:
    """The document as it is committed and served."""
    return json.dumps(app.document(), indent=2, ensure_ascii=False).encode() + b"\n"


def document_handlers(document: Callable[[], Document]) -> list[HTTPRouteHandler]:
    """The document's two addresses."""
    as_json = cache(lambda: msgspec.json.encode(document()))
    as_yaml = cache(lambda: msgspec.yaml.encode(document()))

    @get("/openapi.json", include_in_schema=False)
    async def send_json() -> Response[bytes]:
        """The document as JSON."""
        return Response(as_json(), media_type="application/json", headers={"cache-control": "no-cache"})

    @get("/openapi.yaml", include_in_schema=False)
    async def send_yaml() -> Response[bytes]:
        """The document as YAML."""
        return Response(as_yaml(), media_type="application/yaml", headers={"cache-control": "no-cache"})

    return [send_json, send_yaml]


def complete(app: Litestar, door: DoorDocument | None = None) -> Document:
    """The whole document of an application that was built with `CONFIG`, with the better-auth door where it is open."""
    drawn: Document = app.openapi_schema.to_schema()
    described = list(_operations(app, drawn, door))
    forms = {form.name: form for form in (PROBLEMS, *(each.error_form for each in described))}
    types = [
        *dict.fromkeys(found for each in described for found in each.types),
        *(form.body for form in forms.values()),
        *(door.types if door else ()),
    ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, Document] = {}
    for each in described:
        paths.setdefault(each.public_path, {})[each.method] = operations.describe(each, by_type)
    paths |= door.paths(by_type) if door else {}
    components[Problem.__name__]["additionalProperties"] = _OWN_MEMBERS
    for name, example in _examples(types):
        components[name]["examples"] = [example]
    for name in components.keys() & set(_lenient(RequestBody)):
        components[name]["additionalProperties"] = True
    found: Document = {
        "openapi": "3.1.0",
        "info": drawn["info"],
        "servers": drawn["servers"],
        "tags": [*_tags(described), *([{"name": DOOR_TAG, "description": TAG_TEXT}] if door else ())],
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {
                name: operations.problem_response("Any other problem", "Retry-After", form=form)
                for name, form in forms.items()
            }
            | ({BetterAuthError.__name__: OTHER_ERRORS} if door else {}),
            "headers": headers.COMPONENTS,
            "securitySchemes": {**_SECURITY_SCHEMES, **(door.schemes if door else {})},
        },
    }
    readable: Document = _readable(found)
    return readable


def _tags(described: Iterable[Operation]) -> list[Document]:
    used = {tag for each in described for tag in each.drawn.get("tags", ())}
    known = [{"name": name, "description": text} for name, text in _TAGS.items() if name in used]
    return [*known, *({"name": name} for name in sorted(used - set(_TAGS)))]


def _examples(types: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The examples that bodies have of themselves; one that is inherited lacks what was added."""
    yield Problem.__name__, _PROBLEM_EXAMPLE
    for found in types:
        for body in get_args(found) or (found,):
            if "example" in getattr(body, "__dict__", ()):
                yield body.__name__, body.example


def _lenient(base: type[msgspec.Struct]) -> Iterator[str]:
    """The bodies that may hold more than is asked for."""
    for body in base.__subclasses__():
        if not body.__struct_config__.forbid_unknown_fields:
            yield body.__name__
        yield from _lenient(body)


def _readable(value: Any, key: str = "") -> Any:
    """The same with docstrings as they are meant, in every version of Python, and patterns for any engine."""
    match value:
        case dict():
            return {name: _readable(item, name) for name, item in value.items()}
        case list():
            return [_readable(item) for item in value]
        case str() if key == "description":
            return inspect.cleandoc(value)
        case str() if key == "pattern" and value == ID_PATTERN:
            return PUBLISHED_ID_PATTERN
        case str() if key == "pattern":
            return value.removesuffix(NO_BREAK_AFTER)
    return value


def _operations(app: Litestar, drawn: Document, door: DoorDocument | None) -> Iterator[Operation]:
    components: Document = drawn["components"].get("schemas", {})
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            if handler.resolve_include_in_schema():
                yield Operation(
                    path=route.path_format,
                    method=method.lower(),
                    handler=handler,
                    drawn=drawn["paths"][route.path_format][method.lower()],
                    components=components,
                    door_schemes=door.schemes if door else {},
                )
