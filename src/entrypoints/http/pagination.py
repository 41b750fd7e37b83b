"""Lists page by page: `limit`, an opaque keyset `cursor`, and the `Link` to the next page.

A cursor holds the sort key of the last item that was sent, so that pages neither repeat nor skip anything when items
are added. It is bound to its list and carries a check sum: one that was changed or belongs elsewhere is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from entrypoints.http.fields import EARLIEST, LATEST, PageBody
from entrypoints.http.json_text import storable
from entrypoints.http.refusals import InvalidCursor

T = TypeVar("T")
Scalar = str | int | datetime | Decimal

DEFAULT_LIMIT: Final = 20
_VERSION = b"\x01"
_CHECK_BYTES = 6
_TEXT_LIMIT = 500
_INT8 = 2**63


@dataclass(frozen=True, slots=True)
class Paging:
    """How many items are wanted, and after which one."""

    limit: int
    cursor: str | None
    place: str

    def after(self, *types: type[Scalar]) -> tuple[Any, ...] | None:
        """The sort key to continue after, as values of these types; None on the first page."""
        return None if self.cursor is None else _read_cursor(self.cursor, self.place, types)


def provide_paging(
    request: Request[Any, Any, Any],
    limit: Annotated[int, QueryParameter(ge=1, le=100, description="How many items at most")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, QueryParameter(max_length=1000, description="`nextCursor` of the page before")
    ] = None,
) -> Paging:
    """The dependency `paging` of list handlers."""
    return Paging(limit, cursor, request.scope["path_template"])


def page(
    request: Request[Any, Any, Any],
    paging: Paging,
    found: Sequence[T],
    *,
    key: Callable[[T], tuple[Scalar, ...]],
    item: Callable[[T], Any],
    body: type[PageBody],
    total: int | None = None,
    **more: Any,
) -> Response[Any]:
    """One page of up to `limit` items; `found` has one more than that if there is a next page.

    `more` is what the body says beside its items.
    """
    shown = found[: paging.limit]
    cursor = make_cursor(paging.place, key(shown[-1])) if len(found) > paging.limit else None
    extra = more if total is None else {"total": total, **more}
    content = body(items=[item(each) for each in shown], next_cursor=cursor, **extra)  # type: ignore[call-arg]
    headers = {"link": f'<{_next_url(request, cursor)}>; rel="next"'} if cursor else {}
    return Response(content, headers=headers)


def make_cursor(place: str, key: tuple[Scalar, ...]) -> str:
    """The cursor that continues the list at `place` after `key`."""
    payload = msgspec.msgpack.encode(key)
    return base64.urlsafe_b64encode(_VERSION + _check(place, payload) + payload).rstrip(b"=").decode()


def _read_cursor(cursor: str, place: str, types: tuple[type[Scalar], ...]) -> tuple[Any, ...]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        payload = raw[1 + _CHECK_BYTES :]
        if raw[: 1 + _CHECK_BYTES] != _VERSION + _check(place, payload):
            raise InvalidCursor
        key: tuple[Any, ...] = _decoder(types).decode(payload)
    except (binascii.Error, ValueError):
        raise InvalidCursor from None
    if not all(_plausible(value) for value in key):
        raise InvalidCursor
    return key


@cache
def _decoder(types: tuple[type[Scalar], ...]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(tuple.__class_getitem__(types))


def _check(place: str, payload: bytes) -> bytes:
    return hashlib.blake2s(place.encode() + b"\0" + payload, digest_size=_CHECK_BYTES, person=b"cursor").digest()


def _plausible(value: Scalar) -> bool:
    """Whether the store can hold the value: the check sum stops accidents, not somebody who computes it."""
    match value:
        case str():
            return len(value) <= _TEXT_LIMIT and storable(value)
        case int():
            return -_INT8 <= value < _INT8
        case datetime():
            return value.tzinfo is not None and EARLIEST <= value < LATEST
        case Decimal():
            return value.is_finite()


def _next_url(request: Request[Any, Any, Any], cursor: str) -> str:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name != "cursor"]
    return f"{quote(request.scope['path'])}?{urlencode([*kept, ('cursor', cursor)])}"
