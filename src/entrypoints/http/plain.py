"""Plain handlers, called without the framework's detours: the same handler, the same answer, at a third of the cost.

A handler is plain if it asks for nothing but texts of its path, the request, a JSON body and what is provided by name.
All others are called by the framework, and so are all where the application is built with `plain=False`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar.di import Provide
from litestar.enums import MediaType, RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg
from litestar.serialization import get_serializer
from litestar.types import Receive, Scope, Send

from entrypoints.http.replies import Written, send_bytes
from entrypoints.http.requests import BODY_LIMIT, BODY_SECONDS, ApiRequest, decoded, decoder_of, read_body


class PlainCall:
    """An ASGI application that calls one plain handler. What the handler refuses leaves it as the exception it is."""

    def __init__(self, handler: HTTPRouteHandler, parameters: frozenset[str]) -> None:
        fields = handler.parsed_fn_signature.parameters
        provides = handler.resolve_dependencies()
        self._handler = handler
        self._fn: Callable[..., Any] = handler.fn
        self._status = handler.status_code
        self._texts = tuple(name for name in fields if name in parameters)
        self._asked = tuple((name, provides[name].dependency) for name in fields if _asks_scope(provides.get(name)))
        self._fixed = tuple((name, provides[name]) for name in fields if _is_fixed(provides.get(name)))
        self._fixed_values: dict[str, Any] | None = None
        self._wants_request = "request" in fields
        self._decoder = decoder_of(fields["data"].annotation) if "data" in fields else None
        self._body_limit = handler.resolve_request_max_body_size() or BODY_LIMIT
        self._body_seconds: float = handler.opt.get("body_seconds", BODY_SECONDS)
        self._encode = msgspec.json.Encoder(enc_hook=get_serializer(handler.resolve_type_encoders())).encode

    @classmethod
    def of(cls, handler: HTTPRouteHandler, parameters: frozenset[str]) -> PlainCall | None:
        """The call of this handler at a path with these parameters; None if it is not plain."""
        return cls(handler, parameters) if is_plain(handler, parameters) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fixed = self._fixed_values
        values = dict(await self._fix() if fixed is None else fixed)
        texts = scope["path_params"]
        for name in self._texts:
            values[name] = texts[name]
        body, decoder = None, self._decoder
        if decoder is not None:
            body = await read_body(receive, self._body_limit, self._body_seconds)
            if body:
                values["data"] = decoded(scope, body, decoder)
        for name, provide in self._asked:
            values[name] = provide(scope)
        if self._wants_request or body == b"":
            await self._answer_request(ApiRequest(scope, receive, send), values, body)
        else:
            await self._send(await self._fn(**values), scope, receive, send)

    async def _answer_request(self, request: ApiRequest, values: dict[str, Any], body: bytes | None) -> None:
        if body is not None:
            request.keep(body)
        if self._wants_request:
            values["request"] = request
        if body == b"":
            values = self._without_body(request, values)
        try:
            await self._send(await self._fn(**values), request.scope, request.receive, request.send)
        finally:
            await request.release()

    def _without_body(self, request: ApiRequest, values: dict[str, Any]) -> dict[str, Any]:
        """The default counts; where there is none, the framework says that the body is missing."""
        model: Any = self._handler.signature_model
        validated: dict[str, Any] = model.parse_values_from_connection_kwargs(connection=request, kwargs=values)
        return validated

    async def _send(self, answer: Any, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(answer, msgspec.Struct):
            await send_bytes(send, self._status, (), self._encode(answer))
        elif isinstance(answer, Written):
            await answer.send(send, self._status)
        else:
            request = ApiRequest(scope, receive, send)
            response = await self._handler.to_response(app=scope["litestar_app"], data=answer, request=request)
            await response(scope, receive, send)

    async def _fix(self) -> dict[str, Any]:
        """What is the same for every request. It is asked for at the first one, when all is open."""
        self._fixed_values = {name: await provide() for name, provide in self._fixed}
        return self._fixed_values


def is_plain(handler: HTTPRouteHandler, parameters: frozenset[str]) -> bool:
    """Whether all that the handler asks for can be had without the framework."""
    provides = handler.resolve_dependencies()
    fields = handler.parsed_fn_signature.parameters
    return (
        inspect.iscoroutinefunction(handler.fn)
        and not _has_extras(handler)
        and all(_is_plain_field(name, field, parameters, provides) for name, field in fields.items())
    )


def _is_plain_field(name: str, field: Any, parameters: frozenset[str], provides: Mapping[str, Provide]) -> bool:
    if name == "request":
        return True
    if name == "data":
        body = field.kwarg_definition
        return isinstance(body, BodyKwarg) and body.media_type in (None, RequestEncodingType.JSON)
    if name in parameters:
        return field.annotation is str
    return _asks_scope(provides.get(name)) or _is_fixed(provides.get(name))


def _has_extras(handler: HTTPRouteHandler) -> bool:
    """What the framework would do before or after the call."""
    return bool(
        handler.resolve_guards()
        or handler.resolve_before_request()
        or handler.resolve_after_response()
        or handler.resolve_response_headers()
        or handler.resolve_response_cookies()
        or handler.resolve_return_dto()
        or handler.resolve_data_dto()
        or handler.cache
        or handler.background
        or any(layer.after_request for layer in handler.ownership_layers)
        or handler.media_type not in (None, "", MediaType.JSON)
    )


def _asks_scope(provide: Provide | None) -> bool:
    """A plain function of the scope, such as who asks."""
    return _is_function(provide) and list(inspect.signature(provide.dependency).parameters) == ["scope"]  # type: ignore[union-attr]


def _is_fixed(provide: Provide | None) -> bool:
    """What is made once: use cases and ports."""
    return provide is not None and provide.use_cache and not inspect.signature(provide.dependency).parameters


def _is_function(provide: Provide | None) -> bool:
    return provide is not None and inspect.isfunction(provide.dependency) and provide.has_sync_callable
