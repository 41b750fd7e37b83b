"""Answers that differ from what the route declares, and answers that are already bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.types import Send

NO_CONTENT: Final = 204
JSON: Final = "application/json"
_WITHOUT_BODY: Final = frozenset({NO_CONTENT, 304})
_JSON_TYPE: Final = (b"content-type", b"application/json")


class Written(Response[bytes]):
    """An answer whose body is bytes already. The framework can send it as any other; plain handlers need not ask it."""

    def __init__(
        self, content: bytes, *, status: int | None = None, headers: Mapping[str, str], media_type: str = JSON
    ) -> None:
        # What the framework's own would copy and normalise is here as it has to be.
        self.background = None
        self.content = content
        self.cookies = []
        self.encoding = "utf-8"
        self.headers = dict(headers)
        self.media_type = self._type = media_type
        self.response_type_encoders = {}
        self.status_code = status

    async def send(self, send: Send, default_status: int) -> None:
        """Sends it as the framework would."""
        status = self.status_code or default_status
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        await send_bytes(send, status, headers, self.content, self._type)


async def send_bytes(
    send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, media_type: str = JSON
) -> None:
    """A whole answer. Some statuses have no body, and nothing says what it would be."""
    if status in _WITHOUT_BODY:
        told = [*headers]
    else:
        content_type = _JSON_TYPE if media_type is JSON else (b"content-type", media_type.encode("latin-1"))
        told = [*headers, content_type, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@dataclass(frozen=True, slots=True)
class Reply:
    """A body with a status and headers of its own; `body` None answers without one."""

    body: msgspec.Struct | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RenderedReply(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it goes out, in a form that can be kept."""

    status: int
    headers: dict[str, str]
    media_type: str
    body: bytes

    def response(self, headers: Mapping[str, str] | None = None) -> Response[Any]:
        told = {**self.headers, **headers} if headers else self.headers
        return Written(self.body, status=self.status, headers=told, media_type=self.media_type)


def without_body(status: int) -> Response[Any]:
    """An answer whose status says it all. The framework would write `null`."""
    return Response(b"", status_code=status)


def rendered(answer: msgspec.Struct | Reply | None, default_status: int) -> RenderedReply:
    """The bytes of an answer."""
    if isinstance(answer, msgspec.Struct):
        return RenderedReply(default_status, {}, JSON, msgspec.json.encode(answer))
    reply = answer or Reply(None)
    body = b"" if reply.body is None else msgspec.json.encode(reply.body)
    status = reply.status or (default_status if body else NO_CONTENT)
    return RenderedReply(status, dict(reply.headers), JSON, body)
