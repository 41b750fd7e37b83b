"""Between the router and the handlers: who asks, whether they may, and whether it was they who asked.

A handler says in `opt["callers"]` which roles it serves; without it the route is public. Browsers send cookies by
themselves, so under cookies a request that changes something must also prove that our own page sent it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

from litestar.di import Provide
from litestar.types import ASGIApp, Receive, Scope, Send

from application.auth.claimants import Caller, Claimant
from application.auth.cookie_sessions import AuthenticateBySecret
from application.auth.ports import AccessClaims, AccessTokens, CsrfTokens
from application.auth.staying import Authenticate
from domain.auth.people import Actor, Role
from domain.auth.sessions import Forbidden, PasswordChangeRequired, TokenInvalid, TokenMissing
from domain.errors import DomainError, Kind
from entrypoints.http.better_auth.origins import TrustedOrigins, own_origin
from entrypoints.http.better_auth.settings import DoorSettings
from entrypoints.http.door_sessions import DoorSessions, door_sessions_of
from entrypoints.http.exchange import Exchange, Header, exchange_of
from entrypoints.http.known_claimants import KnownClaimants
from entrypoints.http.refusals import UnsupportedMediaType
from entrypoints.http.requests import says_json
from entrypoints.http.route_layers import RouteLayer, ServedRoute
from entrypoints.http.session_cookies import (
    ApiSettings,
    EdgeSettings,
    ReceivedCookies,
    SessionCookies,
    bearer_of,
    bearer_token,
    cookies_of,
    session_edges,
)

_NO_COOKIES: Final = ReceivedCookies()
_REMEMBERED: Final = 10_000
_USUAL_LENGTH: Final = 1_024
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE: Final = frozenset({b"same-origin", b"none"})
_DEPRECATED_SINCE: Final[Header] = (b"deprecation", b"@1767225600")  # 2026-01-01, as RFC 9745 writes it


class CsrfRefused(DomainError):
    """Under cookies a change needs the token of this session in `X-CSRF-Token`, equal to the cookie."""

    code = "auth.csrf"
    kind = Kind.FORBIDDEN
    title = "The CSRF token is missing or belongs to another session"


class OriginRefused(DomainError):
    """A browser says that a foreign page sent this request."""

    code = "auth.origin_refused"
    kind = Kind.FORBIDDEN
    title = "Requests from this origin are not allowed"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of a session. A bearer speaks alone: beside it cookies are not read."""

    bearer: str | None = field(default=None, repr=False)
    cookies: ReceivedCookies = _NO_COOKIES

    @property
    def portal_token(self) -> str | None:
        """What can only be an access token of a portal. The better-auth door's bearers have one dot, or none."""
        if self.bearer is None:
            return self.cookies.access
        return self.bearer if self.bearer.count(".") > 1 else None


class Container(Protocol):
    """Where the middleware gets what it needs."""

    @property
    def providers(self) -> Mapping[str, Callable[[], Any]]: ...


class Origins:
    """Our own pages may ask, and those of origins that are allowed by name. No browser is who says nothing of it."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._own = _origin(settings.public_url)
        # `*` is for reading without cookies; it names nobody who may change something.
        self._allowed = frozenset(origin.encode() for origin in settings.cors_origins if origin != "*")

    def check(self, exchange: Exchange) -> None:
        headers = exchange.request_headers
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if site in _OWN_SITE or (site is None and origin is None):
            return
        if origin is None or not (origin in self._allowed or origin == self._own_origin(exchange)):
            raise OriginRefused

    def _own_origin(self, exchange: Exchange) -> bytes | None:
        if self._own is not None:
            return self._own
        host = exchange.request_headers.get(b"host")
        return None if host is None else (b"https://" if exchange.https else b"http://") + host


class TrustedPages:
    """Under the cookie of the better-auth door a page must say its origin, and be one that the door trusts."""

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self._trusted = TrustedOrigins(settings)

    def check(self, exchange: Exchange) -> None:
        headers = exchange.request_headers
        named = (headers.get(b"origin") or headers.get(b"referer", b"")).decode("latin-1")
        own = own_origin(self._settings, https=exchange.https, host=headers.get(b"host", b"").decode("latin-1"))
        if not self._trusted.allows(named, own):
            raise OriginRefused


class Authentication(RouteLayer):
    """Lets a request through to its handler with who asks in `scope["user"]`, or refuses it.

    `opt`: `callers` are the roles a route serves; `may_be_signed_in` protects a public route against foreign pages
    while a session is there; `before_password_change` is open to those who must change their password first;
    `bearer_only` routes do not read cookies; `successor` names the path that replaces a deprecated one; a `claimant`
    may come to a route that asks the store itself whether the session stands, all others ask it here.
    """

    def __init__(
        self,
        *,
        authenticate: Authenticate,
        authenticate_by_secret: AuthenticateBySecret,
        access_tokens: AccessTokens,
        csrf_tokens: CsrfTokens,
        cookies: SessionCookies,
        origins: Origins,
        door: DoorSessions | None,
        door_pages: TrustedPages,
    ) -> None:
        self._authenticate = authenticate
        self._authenticate_by_secret = authenticate_by_secret
        self._access_tokens = access_tokens
        self._csrf_tokens = csrf_tokens
        self._cookies = cookies
        self._origins = origins
        self._door = door
        self._door_pages = door_pages
        self._claimants = KnownClaimants(authenticate)
        # A client sends the same headers again and again.
        self._remembered_headers = lru_cache(_REMEMBERED)(self._read_headers)

    def around(self, route: ServedRoute, app: ASGIApp) -> ASGIApp:
        opt = route.opt
        if opt.get("callers"):
            let_in = self._to_callers(opt, app)
            guarded = self._to_claimants(opt["callers"], app, otherwise=let_in) if route.takes_claims else let_in
        elif route.handler.http_methods <= _SAFE_METHODS:
            guarded = app
        else:
            guarded = self._to_public(app, may_be_signed_in=opt.get("may_be_signed_in", False))
        return _telling_successor(opt["successor"], guarded) if "successor" in opt else guarded

    def _to_callers(self, opt: Mapping[str, Any], app: ASGIApp) -> ASGIApp:
        callers, bearer_only = opt["callers"], opt.get("bearer_only", False)
        before_password_change = opt.get("before_password_change", False)

        async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            # Whoever is refused now is known as well, and named in the record of requests.
            shown = self._shown(exchange)
            scope["user"] = actor = await self._recognise(exchange, shown, bearer_only=bearer_only)
            self._check_change(exchange, shown, actor.session_id)
            if actor.role not in callers:
                raise Forbidden
            if actor.must_change_password and not before_password_change:
                raise PasswordChangeRequired
            await app(scope, receive, send)

        return let_in

    def _to_claimants(self, callers: Collection[Role], app: ASGIApp, *, otherwise: ASGIApp) -> ASGIApp:
        """Whatever is refused to a claimant, whether the session stands is said first."""

        async def let_claim(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            shown = self._shown(exchange)
            claimant = self._claimant(exchange, shown)
            if claimant is None or claimant.role not in callers:
                await otherwise(scope, receive, send)
                return
            scope["user"] = claimant
            try:
                await app(scope, receive, send)
            except Exception as error:
                if not exchange.status:
                    await _refuse_unless_standing(scope, claimant, error)
                raise

        return let_claim

    def _claimant(self, exchange: Exchange, shown: Shown) -> Claimant | None:
        """Who is asked about while their work is done. None: first, as whoever waits for leave to send a body."""
        claimant = self._claimants.of(shown.portal_token)
        if claimant is None or b"expect" in exchange.request_headers:
            return None
        try:
            self._check_change(exchange, shown, claimant.session_id)
        except DomainError:
            return None
        return claimant

    def _to_public(self, app: ASGIApp, *, may_be_signed_in: bool) -> ASGIApp:
        async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = exchange_of(scope)
            if exchange.method not in _SAFE_METHODS:
                self._check_public(exchange, may_be_signed_in=may_be_signed_in)
            await app(scope, receive, send)

        return let_in

    def _shown(self, exchange: Exchange) -> Shown:
        headers = exchange.request_headers
        authorization, cookie = headers.get(b"authorization"), headers.get(b"cookie")
        is_long = len(authorization or b"") + len(cookie or b"") > _USUAL_LENGTH
        return (self._read_headers if is_long else self._remembered_headers)(authorization, cookie)

    def _read_headers(self, authorization: bytes | None, cookie: bytes | None) -> Shown:
        bearer = None if authorization is None else bearer_of(authorization)
        return Shown(bearer=bearer) if bearer is not None else Shown(cookies=self._cookies.read(cookie))

    async def _recognise(self, exchange: Exchange, shown: Shown, *, bearer_only: bool) -> Actor:
        """A bearer speaks alone. Of cookies the access token decides, and without one that of the better-auth door."""
        token, secret = shown.bearer, None
        if token is not None:
            secret = self._door.by_bearer(token) if self._door else None
        elif not bearer_only:
            token = shown.cookies.access
            secret = self._door.by_cookie(exchange) if self._door and token is None else None
        if secret is not None:
            return await self._authenticate_by_secret(secret)
        if token is None:
            raise TokenMissing
        return await self._authenticate(token)

    def _check_change(self, exchange: Exchange, shown: Shown, session_id: str) -> None:
        """Under cookies whatever changes something proves that our own page sent it."""
        if exchange.method in _SAFE_METHODS or shown.bearer is not None:
            return
        if shown.cookies.access is None:
            self._door_pages.check(exchange)
        else:
            self._origins.check(exchange)
            self._check_csrf(exchange, shown.cookies, session_id)

    def _check_public(self, exchange: Exchange, *, may_be_signed_in: bool) -> None:
        if bearer_token(exchange) is not None:
            return
        cookies = self._cookies.read(exchange.request_headers.get(b"cookie"))
        claims = self._read(cookies.access) if may_be_signed_in else None
        under_door = may_be_signed_in and claims is None and self._door and self._door.by_cookie(exchange)
        (self._door_pages if under_door else self._origins).check(exchange)
        media_type = exchange.request_headers.get(b"content-type")
        if media_type is not None and not says_json(media_type):
            # Even without a body, which a refresh and a sign-out may have: a foreign form says what it is.
            raise UnsupportedMediaType
        if claims is not None:
            self._check_csrf(exchange, cookies, claims.session_id)

    def _read(self, access: str | None) -> AccessClaims | None:
        try:
            return self._access_tokens.read(access or "")
        except TokenInvalid:
            return None

    def _check_csrf(self, exchange: Exchange, cookies: ReceivedCookies, session_id: str) -> None:
        shown = exchange.request_headers.get(b"x-csrf-token", b"").decode("latin-1")
        same = hmac.compare_digest(shown.encode(), (cookies.csrf or "").encode())
        if not shown or not same or not self._csrf_tokens.belongs(shown, session_id):
            raise CsrfRefused


def _telling_successor(prefix: str, app: ASGIApp) -> ASGIApp:
    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).answer_headers += (_DEPRECATED_SINCE, _link_to_successor(scope, prefix))
        await app(scope, receive, send)

    return tell


async def _refuse_unless_standing(scope: Scope, claimant: Claimant, error: Exception) -> None:
    """Before an error is told. Who gets no answer at the moment is told nothing by that, and the store is not there."""
    kind = error.kind if isinstance(error, DomainError) else None
    if kind is Kind.UNAUTHENTICATED:
        scope["user"] = None
    elif kind is not Kind.UNAVAILABLE:
        try:
            await claimant.confirm()
        except DomainError as refusal:
            if refusal.kind is Kind.UNAUTHENTICATED:
                scope["user"] = None
            raise


def provide_actor(scope: Scope) -> Actor:
    """Who asks. A route that asks for it without naming its callers refuses everybody."""
    actor = scope.get("user")
    if not isinstance(actor, Actor):
        raise TokenMissing
    return actor


def provide_caller(scope: Scope) -> Caller:
    """Who asks, where the handler passes on the question whether the session stands."""
    caller = scope.get("user")
    if not isinstance(caller, Actor | Claimant):
        raise TokenMissing
    return caller


def middleware(container: Container) -> list[RouteLayer]:
    """What the application puts between its router and every handler."""
    providers = container.providers
    settings: ApiSettings = providers["settings"]()
    return [
        Authentication(
            authenticate=providers["authenticate"](),
            authenticate_by_secret=providers["authenticate_by_secret"](),
            access_tokens=providers["access_tokens"](),
            csrf_tokens=providers["csrf_tokens"](),
            cookies=cookies_of(settings),
            origins=Origins(settings),
            door=door_sessions_of(settings, providers["door_signatures"]()),
            door_pages=TrustedPages(settings),
        )
    ]


def dependencies(container: Container) -> dict[str, Provide]:
    """What handlers may ask for by name."""
    providers = container.providers
    edges = session_edges(providers["settings"](), providers["csrf_tokens"](), providers["door_signatures"]())
    return {
        "actor": Provide(provide_actor, sync_to_thread=False),
        "caller": Provide(provide_caller, sync_to_thread=False),
        "session_edge": Provide(edges, sync_to_thread=False),
    }


def _origin(url: str | None) -> bytes | None:
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower().encode()


def _link_to_successor(scope: Scope, prefix: str) -> Header:
    """The same path below `prefix`. It is quoted anew: what stands for an identifier may be any text."""
    below = scope["path"].removeprefix("/auth")
    return b"link", f'<{prefix}{quote(below)}>; rel="successor-version"'.encode()
