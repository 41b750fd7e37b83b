"""The outermost layer: it opens the exchange, and counts and logs the request when it is over."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from litestar.types import HTTPScope, Receive, Send

from application.request_context import RequestContext, request_context
from entrypoints.http import logs
from entrypoints.http.exchange import Exchange, HttpApp, enter
from entrypoints.http.logs import AccessLine, AccessLog
from entrypoints.http.metrics import Metrics
from entrypoints.http.request_ids import RequestIds
from entrypoints.http.requests import ANSWER_SECONDS

UNMATCHED: Final = "(unmatched)"
_CLIENT_CLOSED = 499  # what the log says when nobody waited for the answer
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_TRACE_PARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_ZERO = re.compile(rb"0+")


class ClientAddresses:
    """Finds the client's address: the rightmost one that is not a proxy we trust."""

    def __init__(self, trusted_proxies: tuple[str, ...]) -> None:
        self._networks = tuple(ip_network(text) for text in trusted_proxies)
        self._trusts = lru_cache(4096)(self._is_trusted)

    def trusts_peer(self, scope: HTTPScope) -> bool:
        peer = scope.get("client")
        return bool(self._networks) and peer is not None and self._trusts(peer[0])

    def of(self, scope: HTTPScope) -> str:
        peer = scope.get("client")
        address = peer[0] if peer else ""
        if not self.trusts_peer(scope):
            return address
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        for hop in reversed(forwarded.decode("latin-1").split(",")):
            if not _is_address(hop.strip()):
                break
            address = hop.strip()
            if not self._trusts(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._networks)


class Observation:
    """Gives each request its id, tells everyone inside who asks, and keeps the record.

    The id is the caller's own if that is a sane one, else the trace that the request belongs to, else a new one.
    """

    def __init__(self, app: HttpApp, *, metrics: Metrics, log: AccessLog, addresses: ClientAddresses) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log
        self._addresses = addresses
        self._new_id = RequestIds()

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        exchange = self._open(scope)
        enter(scope, exchange)
        token = request_context.set(
            RequestContext(
                request_id=exchange.request_id,
                ip=exchange.ip,
                user_agent=exchange.request_headers.get(b"user-agent", b"").decode("latin-1"),
                answer_by=exchange.started + ANSWER_SECONDS,
            )
        )
        try:
            await self._app(scope, receive, send)
        finally:
            self._record(exchange)
            request_context.reset(token)

    def _open(self, scope: HTTPScope) -> Exchange:
        headers = dict(scope["headers"])
        trace = _trace_id(headers[b"traceparent"]) if b"traceparent" in headers else None
        scheme = scope["scheme"]
        if b"x-forwarded-proto" in headers and self._addresses.trusts_peer(scope):
            scheme = headers[b"x-forwarded-proto"].decode("latin-1")
        return Exchange(
            request_id=_sane_id(headers.get(b"x-request-id")) or trace or self._new_id(),
            ip=self._addresses.of(scope),
            https=scheme == "https",
            method=scope["method"] if scope["method"] in _METHODS else "OTHER",
            started=time.monotonic(),
            request_headers=headers,
            trace=trace,
            answer_headers=[(b"traceparent", headers[b"traceparent"])] if trace else [],
        )

    def _record(self, exchange: Exchange) -> None:
        seconds = time.monotonic() - exchange.started
        # Each knows the other: parted they go at once, and leave no work to the collector of cycles.
        scope, exchange.scope = exchange.scope, None
        route = scope.get("path_template") or UNMATCHED
        status = exchange.status or _CLIENT_CLOSED
        self._metrics.count(exchange.method, route, status, seconds)
        self._log.add(
            AccessLine(
                time=logs.now(),
                level="info" if status < 500 else "error",
                message="request",
                request_id=exchange.request_id,
                method=exchange.method,
                route=route,
                status=status,
                ms=int(seconds * 1_000_000) / 1000,
                user_id=getattr(scope.get("user"), "user_id", None),
                trace=exchange.trace,
            )
        )


def _sane_id(given: bytes | None) -> str | None:
    """The id that the caller gave the request."""
    return given.decode() if given is not None and _REQUEST_ID.fullmatch(given) else None


def _trace_id(trace_parent: bytes) -> str | None:
    """The trace of a valid W3C `traceparent`."""
    found = _TRACE_PARENT.fullmatch(trace_parent)
    if found is None or _ZERO.fullmatch(found[1]) or _ZERO.fullmatch(found[2]):
        return None
    return found[1].decode()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
