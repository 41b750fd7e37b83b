"""Answers that differ from what the route declares, and answers that are already bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar import Response

NO_CONTENT: Final = 204


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
            None if self.status == NO_CONTENT else self.body,
            status_code=self.status,
            headers={**self.headers, **(headers or {})},
            media_type=self.media_type,
        )


def without_body(status: int) -> Response[Any]:
    """An answer whose status says it all. The framework would write `null`."""
    return Response(b"", status_code=status)


def rendered(answer: msgspec.Struct | Reply | None, default_status: int) -> RenderedReply:
    """The bytes of an answer."""
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = b"" if reply.body is None else msgspec.json.encode(reply.body)
    status = reply.status or (default_status if body else NO_CONTENT)
    return RenderedReply(status, dict(reply.headers), "application/json", body)
