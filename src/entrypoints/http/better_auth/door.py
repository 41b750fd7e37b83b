"""The layer that answers everything below `/api/auth`; whatever else is asked it passes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Sequence
from typing import Final, Protocol

from litestar.types import HTTPScope, Receive, Send

from application.auth.cookie_sessions import Reading
from domain.auth.sessions import PasswordChangeRequired
from entrypoints.http.better_auth.answers import NOTHING_HERE, reply_of, send_reply
from entrypoints.http.better_auth.checks import SAFE_METHODS, Checks
from entrypoints.http.better_auth.endpoint import BASE, Ask, Endpoint, Guard, Headers, Reply
from entrypoints.http.better_auth.errors import refused
from entrypoints.http.better_auth.origins import TrustedOrigins, own_origin
from entrypoints.http.better_auth.rate_limit import RateLimit
from entrypoints.http.better_auth.request_bodies import query_of, read_body
from entrypoints.http.better_auth.routes import Route, Routes, is_below_base, path_below_base
from entrypoints.http.better_auth.settings import DoorSettings
from entrypoints.http.exchange import Exchange, HttpApp, exchange_of

# What is open to those who must change their password first.
_BEFORE_PASSWORD_CHANGE: Final = frozenset({"/change-password"})


class SessionReader(Protocol):
    """Tells whose session a request shows, if it shows any."""

    @abstractmethod
    async def read(self, ask: Ask, *, stored: bool) -> Reading | None:
        """The session; `stored`: as the store knows it, past every cache. Cookies that this brings go to the ask."""


class BetterAuthDoor:
    """One request after the other through the same checks, in the order that the protocol has: how often, where, in
    what form, from whom and leading where, of which shape, in whose name.
    """

    def __init__(
        self,
        app: HttpApp,
        *,
        endpoints: Sequence[Endpoint],
        sessions: SessionReader,
        settings: DoorSettings,
        rate_limit: RateLimit | None,
    ) -> None:
        self._app = app
        self._routes = Routes(endpoints)
        self._sessions = sessions
        self._settings = settings
        self._origins = TrustedOrigins(settings)
        self._rate_limit = rate_limit

    def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> Awaitable[None]:
        return (self._serve if is_below_base(scope) else self._app)(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        ask = self._ask(scope, exchange)
        try:
            reply = await self._answer(scope, receive, ask)
        except Exception as error:
            reply = reply_of(error)
        await send_reply(send, exchange, reply, ask.answer_headers)

    def _ask(self, scope: HTTPScope, exchange: Exchange) -> Ask:
        headers = Headers(list(scope["headers"]))
        own = own_origin(self._settings, https=exchange.https, host=headers.get("host"))
        return Ask(
            method=scope["method"],
            path=path_below_base(scope),
            headers=headers,
            ip=exchange.ip,
            base_url=own + BASE,
        )

    async def _answer(self, scope: HTTPScope, receive: Receive, ask: Ask) -> Reply:
        endpoint = await self._endpoint_of(scope, ask)
        if endpoint is None:
            return NOTHING_HERE
        checks = Checks(self._origins, ask.headers, ask.base_url.removesuffix(BASE))
        query = query_of(scope)
        body = await read_body(scope, receive, ask.headers, endpoint)
        if ask.method not in SAFE_METHODS:
            checks.check_sender()
            checks.check_destinations(body, query)
        ask.body = endpoint.body.read("body", body) if endpoint.body else {}
        ask.query = endpoint.query.read("query", query) if endpoint.query else query
        await self._guard(endpoint.guard, scope, ask, checks)
        return await endpoint.run(ask)

    async def _endpoint_of(self, scope: HTTPScope, ask: Ask) -> Endpoint | None:
        """What the path and the method lead to. A path that only ends otherwise is counted as the one it resembles."""
        counted = ask.path.rstrip("/") or "/"
        route = self._routes.find(counted)
        if self._rate_limit is not None:
            await self._rate_limit.count(ask.ip, counted, route.template if route else None)
        if route is None or counted != ask.path or ask.method not in route.by_method:
            return None
        return self._matched(route, scope, ask)

    def _matched(self, route: Route, scope: HTTPScope, ask: Ask) -> Endpoint:
        # The log and the figures name the route, never the path: links have their tokens in it.
        scope["path_template"] = route.template
        ask.params = route.params
        endpoint = route.by_method[ask.method]
        ask.path = endpoint.path
        return endpoint

    async def _guard(self, guard: Guard, scope: HTTPScope, ask: Ask, checks: Checks) -> None:
        if guard is Guard.FORM:
            checks.check_form()
        elif guard is Guard.CALLBACK:
            checks.check_link(ask.query)
        elif guard.needs_session:
            ask.reading = await self._sessions.read(ask, stored=guard is Guard.STORED_SESSION)
            scope["user"] = actor = ask.session.actor()
            if actor.must_change_password and ask.path not in _BEFORE_PASSWORD_CHANGE:
                raise PasswordChangeRequired
            if guard is Guard.FRESH_SESSION and not ask.session.fresh:
                raise refused(403, "SESSION_NOT_FRESH")
