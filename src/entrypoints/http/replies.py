"""Answers that differ from what the route declares, and answers that are already bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import MediaType, Response


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
        return Response(
            self.body or None,
            status_code=self.status,
            headers={**self.headers, **(headers or {})},
            media_type=self.media_type,
        )


def without_body(status: int) -> Response[Any]:
    """An answer whose status says it all. The framework would write `null`."""
    return Response(b"", status_code=status, media_type=MediaType.TEXT)


def rendered(answer: msgspec.Struct | Reply | None, default_status: int) -> RenderedReply:
    """The bytes of an answer."""
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = b"" if reply.body is None else msgspec.json.encode(reply.body)
    status = reply.status or (default_status if body else 204)
    return RenderedReply(status, dict(reply.headers), "application/json", body)
