"""What every answer carries: the request id, the security headers; and the last net under every error."""

from __future__ import annotations

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
_HSTS: Final[Header] = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class Envelope:
    """Completes the headers of every answer, and answers 500 for an error that nothing inside has met."""

    def __init__(self, app: HttpApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = self._completed(exchange, message["headers"])  # type: ignore[arg-type]
            await send(message)

        try:
            await self._app(scope, receive, send_complete)
        except Exception as error:
            if exchange.status:
                raise
            refusal = as_refusal(error, {})
            note(error, refusal)
            await send_problem(send_complete, exchange, refusal)

    def _completed(self, exchange: Exchange, headers: list[Header]) -> list[Header]:
        if (b"content-length", b"0") in headers and not exchange.types_nothing:
            # The framework names a type for nothing, too.
            headers = [header for header in headers if header[0] != b"content-type"]
        own = {name for name, _ in headers}
        complete = [*headers, (b"x-request-id", exchange.request_id.encode()), *exchange.answer_headers]
        complete += [header for header in _DEFAULTS if header[0] not in own]
        if self._https or exchange.https:
            complete.append(_HSTS)
        return complete
