"""`Idempotency-Key`: the same request again is answered with what was answered the first time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import msgspec
from litestar import Response

from application.auth.claimants import Claimant, confirmed
from application.idempotency import OnceOnly, Replayed, once_only
from entrypoints.http.exchange import exchange_of
from entrypoints.http.refusals import invalid
from entrypoints.http.replies import RenderedReply, Reply, rendered
from entrypoints.http.requests import ApiRequest

T = TypeVar("T")
_KEY_SHAPE = re.compile(rb"[\x21-\x7e]{1,255}")
_REPLAYED: Final = {"idempotency-replayed": "true"}


class KeyHolder(Protocol):
    """Whoever the key belongs to."""

    @property
    def user_id(self) -> str: ...


async def once(
    request: ApiRequest,
    caller: KeyHolder | None,
    call: Callable[[], Awaitable[T]],
    respond: Callable[[T], msgspec.Struct | Reply | None],
) -> Response[Any]:
    """Calls the use case and answers with `respond(result)`; with a key, at most once for this caller.

    The answer is kept by the transaction of the use case, so `respond` is applied to what the unit of work returns: it
    must return what the use case returns, or a refusal to be raised afterwards. A refusal is never kept. Nothing is
    recalled for a claimant before the store has said that the session stands.
    """

    def render(result: Any) -> RenderedReply:
        return rendered(respond(result), request.route_handler.status_code)

    key = idempotency_key(request)
    if key is None or caller is None:
        return render(await call()).response()
    if isinstance(caller, Claimant):
        await confirmed(caller)
    token = once_only.set(
        OnceOnly(
            user_id=caller.user_id,
            key=key,
            fingerprint=await _fingerprint(request),
            render=lambda result: msgspec.msgpack.encode(render(result)),
        )
    )
    try:
        return render(await call()).response()
    except Replayed as replayed:
        return msgspec.msgpack.decode(replayed.answer, type=RenderedReply).response(_REPLAYED)
    finally:
        once_only.reset(token)


def idempotency_key(request: ApiRequest) -> str | None:
    """The key of the request, if it has one. Refuses one that is not 1 to 255 visible ASCII characters."""
    key = exchange_of(request.scope).request_headers.get(b"idempotency-key")
    if key is None:
        return None
    if not _KEY_SHAPE.fullmatch(key):
        raise invalid("Idempotency-Key", "wrong_format", "Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key.decode()


async def _fingerprint(request: ApiRequest) -> bytes:
    """What makes two requests the same: method, path and body."""
    start = f"{request.method} {request.scope['path']}\n".encode()
    return hashlib.sha256(start + await request.body()).digest()
