"""What every answer carries: the request id, the security headers; and the last net under every error."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from litestar.types import HTTPScope, Message, Receive, Send

from entrypoints.http.exchange import Exchange, Header, HttpApp, exchange_of
from entrypoints.http.problems import as_refusal, note, send_problem

# A handler may answer with its own value of any of these; the API page does.
_DEFAULTS: Final[tuple[Header, ...]] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_NOTHING: Final[Header] = (b"content-length", b"0")
_HSTS: Final[Header] = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_DEFAULTS_UNDER_HTTPS: Final[tuple[Header, ...]] = (*_DEFAULTS, _HSTS)
_DEFAULT_NAMES: Final = frozenset(name for name, _ in _DEFAULTS)


class Envelope:
    """Completes the headers of every answer, and answers 500 for an error that nothing inside has met."""

    def __init__(self, app: HttpApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)

        def send_complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = self._completed(exchange, message["headers"])  # type: ignore[arg-type]
            return send(message)

        try:
            await self._app(scope, receive, send_complete)
        except Exception as error:
            if exchange.status:
                raise
            refusal = as_refusal(error, {})
            note(error, refusal)
            await send_problem(send_complete, exchange, refusal)

    def _completed(self, exchange: Exchange, headers: list[Header]) -> list[Header]:
        defaults = _DEFAULTS_UNDER_HTTPS if self._https or exchange.https else _DEFAULTS
        own = [name for name, _ in headers if name in _DEFAULT_NAMES]
        if own:
            defaults = tuple(header for header in defaults if header[0] not in own)
        if _NOTHING in headers and not exchange.types_nothing:
            # The framework names a type for nothing, too.
            headers = [header for header in headers if header[0] != b"content-type"]
        return [*headers, (b"x-request-id", exchange.request_id.encode()), *exchange.answer_headers, *defaults]
