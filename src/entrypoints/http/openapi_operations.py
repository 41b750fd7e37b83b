"""One operation of the OpenAPI document: its parameters, bodies, problems and who may call it.

What the handler's `opt` tells beyond callers and refusals: `may_be_signed_in` (a session is optional), `successor` (the
path is deprecated), `located` (201 or 202 has a Location), `also_answers` (a second success), `also_as` (media types of
texts that are answered on request), `request_body`, `quota`, `events` (the data of the events of a stream),
`error_form` (how errors are told), `bearer_only` (cookies are not read).
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from application.idempotency import KeyReused, RequestInFlight
from domain.auth.people import Role
from domain.auth.throttling import TooManyAttempts
from domain.errors import DomainError, InvalidInput
from entrypoints.http import conditional
from entrypoints.http import openapi_headers as headers
from entrypoints.http.error_forms import ErrorForm
from entrypoints.http.fields import PUBLISHED_ID_PATTERN
from entrypoints.http.idempotency import idempotency_key, once
from entrypoints.http.pagination import page
from entrypoints.http.problems import PROBLEMS
from entrypoints.http.refusals import (
    MalformedRequest,
    PayloadTooLarge,
    RouteNotFound,
    StaleVersion,
    UnsupportedMediaType,
)

_ID: Final = {"type": "string", "pattern": PUBLISHED_ID_PATTERN}
_COUNTED: Final = {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}
# What a path names by a number.
_NUMBERS: Final = {
    "slot": "The place of the question in the paper, from 1",
    "version": "The number of the version, from 1",
}
_STATUS_ONLY: Final[Mapping[int, str]] = {401: "Not signed in", 403: "Not allowed"}
_SAFE: Final = frozenset({"get", "head", "options"})
_COOKIE: Final = "cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A handler at a path, and what Litestar has drawn of it. `door_schemes` are the security schemes of the session
    of the better-auth door, which is a student's.
    """

    path: str
    method: str
    handler: HTTPRouteHandler
    drawn: dict[str, Any]
    components: dict[str, Any]
    door_schemes: Mapping[str, Mapping[str, Any]]

    @property
    def public_path(self) -> str:
        """The path with parameter names as clients see them."""
        return re.sub(r"\{(\w+)\}", lambda found: "{" + _camel(found[1]) + "}", self.path)

    @property
    def request_type(self) -> Any:
        field = self.handler.parsed_fn_signature.parameters.get("data")
        return None if field is None else field.annotation

    @property
    def response_type(self) -> Any:
        annotation = self.handler.parsed_fn_signature.return_type.annotation
        if get_origin(annotation) is Response:
            annotation = get_args(annotation)[0]
        is_file_or_stream = isinstance(annotation, type) and issubclass(annotation, Response)
        return None if is_file_or_stream or annotation in (None, type(None), Any) else annotation

    @property
    def types(self) -> list[Any]:
        found = (self.request_type, self.response_type, *self.handler.opt.get("events", ()))
        return [each for each in found if each is not None]

    @property
    def error_form(self) -> ErrorForm:
        form: ErrorForm = self.handler.opt.get("error_form", PROBLEMS)
        return form

    @property
    def security(self) -> list[dict[str, list[str]]]:
        """Who may call; an empty requirement is anybody."""
        callers, may_be_signed_in = self.handler.opt.get("callers", ()), self.handler.opt.get("may_be_signed_in")
        if not callers and not may_be_signed_in:
            return [{}]
        schemes = ["bearer", _COOKIE, *(self.door_schemes if may_be_signed_in or Role.STUDENT in callers else ())]
        if self.handler.opt.get("bearer_only"):
            cookies = {_COOKIE, *(name for name, scheme in self.door_schemes.items() if scheme.get("in") == "cookie")}
            schemes = [name for name in schemes if name not in cookies]
        ways: list[dict[str, list[str]]] = [{name: []} for name in schemes]
        return ways if callers else [{}, *ways]

    @property
    def is_deprecated(self) -> bool:
        return "successor" in self.handler.opt

    def uses(self, *helpers: Any) -> bool:
        """Whether the handler calls one of these functions; what a handler does is documented by that it does it."""
        names = self.handler.fn.__code__.co_names
        return any(helper.__name__ in names for helper in helpers)


def describe(operation: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    """The operation's entry in the document."""
    kept = ("operationId", "description", "tags")
    summary = operation.handler.summary or operation.handler.handler_name.replace("_", " ").capitalize()
    entry: dict[str, Any] = {"summary": summary}
    entry |= {name: operation.drawn[name] for name in kept if operation.drawn.get(name)}
    if operation.is_deprecated:
        entry["deprecated"] = True
    entry["security"] = operation.security
    if parameters := _parameters(operation):
        entry["parameters"] = parameters
    if operation.request_type is not None:
        entry["requestBody"] = {
            "required": not operation.handler.parsed_fn_signature.parameters["data"].has_default,
            "content": {"application/json": {"schema": schemas[operation.request_type]}},
        }
    elif "request_body" in operation.handler.opt:
        entry["requestBody"] = operation.handler.opt["request_body"]
    entry["responses"] = {**_successes(operation, schemas), **_problems(operation)}
    return entry


def problem_response(description: str, *names: str, form: ErrorForm = PROBLEMS) -> dict[str, Any]:
    """A response that tells an error in this form, with headers of these names."""
    schema = {"$ref": f"#/components/schemas/{form.body.__name__}"}
    return {
        "description": description,
        "headers": headers.carried(*names, *form.headers),
        "content": {form.media_type: {"schema": schema}},
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [_parameter(drawn, operation.components) for drawn in operation.drawn.get("parameters") or ()]
    if operation.uses(once, idempotency_key):
        found.append(headers.IDEMPOTENCY_KEY)
    if operation.uses(conditional.expected_version):
        found.append(headers.IF_MATCH)
    if operation.uses(conditional.versioned, conditional.hashed, conditional.tagged):
        found.append(headers.IF_NONE_MATCH)
    if operation.method not in _SAFE and {_COOKIE: []} in operation.security:
        found.append(headers.CSRF_TOKEN)
    return sorted(found, key=lambda each: (each["in"] != "path", each["in"], each["name"]))


def _parameter(drawn: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value for name, value in drawn.items() if name not in ("deprecated", "allowEmptyValue", "allowReserved")
    }
    if drawn["in"] == "path":
        thing = drawn["name"].removesuffix("_id").replace("_", " ")
        told, schema = (_NUMBERS[thing], _COUNTED) if thing in _NUMBERS else (f"The id of the {thing}", _ID)
        return {"description": told, **kept, "name": _camel(drawn["name"]), "schema": schema}
    schema = _without_null(_inlined(drawn["schema"], components))
    schema.pop("description", None)
    return {**kept, "schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is absent or has a value; it is never null. Whole bounds are written as integers."""
    parts = [part for part in schema.get("oneOf", ()) if part != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if not (name == "oneOf" and len(parts) == 1)}
    plain = {**parts[0], **plain} if len(parts) == 1 else plain
    if isinstance(plain.get("type"), list):
        types = [each for each in plain["type"] if each != "null"]
        plain["type"] = types[0] if len(types) == 1 else types
    if "enum" in plain:
        plain["enum"] = [value for value in plain["enum"] if value is not None]
    whole = {name: int(value) for name, value in plain.items() if isinstance(value, float) and value.is_integer()}
    return {**plain, **whole}


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
    """The schema without references to Litestar's own components, which the document does not keep."""
    if isinstance(schema, list):
        return [_inlined(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
    return {name: _inlined(value, components) for name, value in schema.items()}


def _successes(operation: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, drawn in operation.drawn["responses"].items():
        if status.startswith("2"):
            found[status] = {"description": _outcome(operation, drawn), "headers": _success_headers(operation, status)}
            if operation.response_type is None:
                found[status] |= {"content": drawn["content"]} if _has_content(drawn) else {}
            else:
                media_type = next(iter(drawn.get("content") or {"application/json": None}))
                found[status]["content"] = {media_type: {"schema": schemas[operation.response_type]}}
                texts = operation.handler.opt.get("also_as", ())
                found[status]["content"] |= {each: {"schema": {"type": "string"}} for each in texts}
    for status in operation.handler.opt.get("also_answers", ()):
        found[str(status)] = next(iter(found.values())) | {"headers": _success_headers(operation, str(status))}
    if operation.uses(conditional.versioned, conditional.hashed, conditional.tagged):
        found["304"] = {"description": "The client already has it", "headers": headers.carried("ETag")}
    return found


def _has_content(drawn: Mapping[str, Any]) -> bool:
    """Whether an answer has a body; Litestar draws one that is null where there is none."""
    return any(content.get("schema") != {"type": "null"} for content in drawn.get("content", {}).values())


def _outcome(operation: Operation, drawn: Mapping[str, Any]) -> str:
    """What a success brings: what the route says, or else the first sentence about the type of the answer."""
    if operation.handler.response_description:
        return operation.handler.response_description
    body = operation.response_type
    told = inspect.cleandoc(body.__doc__ or "") if isinstance(body, type) and issubclass(body, Struct) else ""
    if not told:
        return "The answer" if drawn.get("content") else "Done"
    return re.split(r"(?<=\.)\s", told, maxsplit=1)[0].removesuffix(".")


def _success_headers(operation: Operation, status: str) -> dict[str, Any]:
    names = {
        "Deprecation": operation.is_deprecated,
        "Link": operation.is_deprecated or operation.uses(page),
        "ETag": operation.uses(conditional.versioned, conditional.hashed, conditional.tagged, conditional.personal)
        or "tagged" in operation.handler.opt,
        "Idempotency-Replayed": operation.uses(once, idempotency_key),
        "Location": status in ("201", "202") and "located" in operation.handler.opt,
        "RateLimit": "quota" in operation.handler.opt,
        "RateLimit-Policy": "quota" in operation.handler.opt,
    }
    return headers.carried(*(name for name, is_sent in names.items() if is_sent))


def _problems(operation: Operation) -> dict[str, Any]:
    codes: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for refusal in _told(_refusals(operation)):
        codes[operation.error_form.status_of(refusal)][refusal.code] = refusal.title
    described = {
        status: "\n".join(f"- `{code}`: {title}" for code, title in sorted(found.items()))
        for status, found in codes.items()
    }
    if operation.handler.opt.get("callers"):
        described = {**_STATUS_ONLY, **described}
    answers: dict[str, Any] = {
        str(status): problem_response(
            described[status], *_problem_headers(operation, status), form=operation.error_form
        )
        for status in sorted(described)
    }
    return {**answers, "default": {"$ref": f"#/components/responses/{operation.error_form.name}"}}


def _problem_headers(operation: Operation, status: int) -> Iterator[str]:
    if operation.is_deprecated:
        yield from ("Deprecation", "Link")
    if status == 401:
        yield "WWW-Authenticate"
    if status in (429, 503) or (status == 409 and operation.uses(once)):
        yield "Retry-After"
    if status == 429 and TooManyAttempts in _refusals(operation):
        yield from ("RateLimit", "RateLimit-Policy")
    if status == 412:
        yield "ETag"
    if status not in (400, 401, 413, 415) and operation.uses(once):
        yield "Idempotency-Replayed"


def _told(refusals: Iterable[type[DomainError]]) -> Iterator[type[DomainError]]:
    """The refusals that have a code; of a family that has none, all its members."""
    for refusal in refusals:
        if hasattr(refusal, "code"):
            yield refusal
        else:
            yield from _told(refusal.__subclasses__())


def _refusals(operation: Operation) -> list[type[DomainError]]:
    """What the handler says it refuses, and what follows from its shape."""
    found: list[type[DomainError]] = list(operation.handler.opt.get("refusals", ()))
    if "{" in operation.path:
        found.append(RouteNotFound)
    if operation.request_type is not None:
        found += [MalformedRequest, PayloadTooLarge, UnsupportedMediaType]
    if operation.request_type is not None or operation.drawn.get("parameters"):
        found.append(InvalidInput)
    if "quota" in operation.handler.opt:
        found.append(TooManyAttempts)
    if operation.uses(once):
        found += [KeyReused, RequestInFlight]
    if operation.uses(conditional.expected_version):
        found.append(StaleVersion)
    return found


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
