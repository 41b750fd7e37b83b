"""The three cookies of a session: how they are named, read, set and cleared; and one request's dealings with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from litestar.types import Scope

from application.auth.opening import HeldTokens, Visit
from application.auth.ports import CsrfTokens, Signatures
from domain.auth.people import Role
from domain.auth.sessions import Session
from entrypoints.http.better_auth.settings import DoorSettings
from entrypoints.http.door_sessions import DoorSessions, door_sessions_of
from entrypoints.http.exchange import Exchange, Header, exchange_of

_ACCESS, _REFRESH, _CSRF = "ace_access", "ace_refresh", "ace_csrf"
_NAME: Final = b"set-cookie"
_CLEAR_SITE_DATA: Final[Header] = (b"clear-site-data", b'"storage"')


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCookies:
    """What a browser sent; each may be missing."""

    access: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    csrf: str | None = field(default=None, repr=False)


class SessionCookies:
    """Under https the names carry `__Host-`, which binds a cookie to this very host; scripts may read only `ace_csrf`.

    The headers are written as bytes, because the framework takes 20 µs for each cookie.
    """

    def __init__(self, *, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self._fields = {f"{prefix}{_ACCESS}": "access", f"{prefix}{_REFRESH}": "refresh", f"{prefix}{_CSRF}": "csrf"}
        self._access, self._refresh, self._csrf = self._fields
        self._common = "; Path=/; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, header: bytes | None) -> ReceivedCookies:
        """The first cookie of each name; others are none of our business."""
        if not header:
            return ReceivedCookies()
        found: dict[str, str] = {}
        for part in header.decode("latin-1").split(";"):
            name, _, value = part.strip().partition("=")
            if value and name in self._fields:
                found.setdefault(self._fields[name], value)
        return ReceivedCookies(**found)

    def granted(
        self, *, access: str, refresh: str, csrf: str, access_seconds: int, session_seconds: int | None
    ) -> list[Header]:
        """Headers that set all three. Without `session_seconds` they last until the browser is closed."""
        until_closed = session_seconds is None
        return [
            self._set(self._access, access, None if until_closed else access_seconds),
            self._set(self._refresh, refresh, session_seconds),
            self._set(self._csrf, csrf, session_seconds, script=True),
        ]

    def cleared(self) -> list[Header]:
        """Headers that remove all three, and what pages have stored."""
        cookies = [self._set(name, "", 0, script=field == "csrf") for name, field in self._fields.items()]
        return [*cookies, _CLEAR_SITE_DATA]

    def _set(self, name: str, value: str, max_age: int | None, *, script: bool = False) -> Header:
        age = "" if max_age is None else f"; Max-Age={max_age}"
        http_only = "" if script else "; HttpOnly"
        return _NAME, f"{name}={value}{age}{self._common}{http_only}".encode("ascii")


class EdgeSettings(Protocol):
    """The settings that say how clients reach the server."""

    @property
    def public_url(self) -> str | None: ...
    @property
    def cors_origins(self) -> tuple[str, ...]: ...


class ApiSettings(EdgeSettings, DoorSettings, Protocol):
    """With those that say what of the better-auth door counts here."""


def cookies_of(settings: EdgeSettings) -> SessionCookies:
    """The cookies as clients of this installation must see them."""
    return SessionCookies(secure=(settings.public_url or "").startswith("https://"))


def bearer_token(exchange: Exchange) -> str | None:
    """The token of an `Authorization: Bearer` header, None if there is no such header. Foreign pages cannot send it."""
    header = exchange.request_headers.get(b"authorization")
    return None if header is None else bearer_of(header)


def bearer_of(header: bytes) -> str | None:
    """The token of the value of an `Authorization` header, None if it is of another scheme."""
    scheme, _, token = header.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class SessionEdge:
    """What one request brings of a session, and what its answer hands out."""

    def __init__(
        self, exchange: Exchange, cookies: SessionCookies, csrf_tokens: CsrfTokens, door: DoorSessions | None
    ) -> None:
        self._exchange = exchange
        self._cookies = cookies
        self._csrf_tokens = csrf_tokens
        self._door = door
        self.received = cookies.read(exchange.request_headers.get(b"cookie"))

    def held(self) -> HeldTokens:
        """Whatever the request can show of sessions, the better-auth door's too; a bearer speaks for no cookie."""
        bearer, door = bearer_token(self._exchange), self._door
        if bearer is not None:
            return HeldTokens(access=bearer, secret=door.by_bearer(bearer) if door else None)
        secret = door.by_cookie(self._exchange) if door else None
        return HeldTokens(access=self.received.access, refresh=self.received.refresh, secret=secret)

    def visit(self, portal: Role, *, remember: bool = False) -> Visit:
        """Who comes to sign in, with the cookies of the session that this one replaces."""
        return Visit(
            portal=portal,
            ip=self._exchange.ip,
            user_agent=self._exchange.request_headers.get(b"user-agent", b"").decode("latin-1"),
            remember=remember,
            held=HeldTokens(access=self.received.access, refresh=self.received.refresh),
        )

    def csrf_token(self, session: Session) -> str:
        """The token that the page has already, if it is of this session: another tab may be using it."""
        kept = self.received.csrf
        if kept is not None and self._csrf_tokens.belongs(kept, session.id):
            return kept
        return self._csrf_tokens.issue(session.id)

    def hand_out(self, session: Session, *, access: str, refresh: str, csrf: str, access_seconds: int) -> None:
        """Sets the cookies; those of a session that is to be remembered outlast the browser's window."""
        left = int((session.idle_expires_at - session.last_seen_at).total_seconds())
        self._exchange.answer_headers += self._cookies.granted(
            access=access,
            refresh=refresh,
            csrf=csrf,
            access_seconds=access_seconds,
            session_seconds=left if session.remember else None,
        )

    def clear(self) -> None:
        """Removes the cookies and what pages have stored; those of the better-auth door where the browser has them."""
        self._exchange.answer_headers += self._cookies.cleared()
        if self._door is not None and bearer_token(self._exchange) is None:
            self._exchange.answer_headers += self._door.cleared(self._exchange)

    def clear_current(self) -> None:
        """The same after the end of the session that the request was made through, and of no other."""
        if self.received.access is None:
            self.clear()
        else:
            self._exchange.answer_headers += self._cookies.cleared()


def session_edges(
    settings: ApiSettings, csrf_tokens: CsrfTokens, signatures: Signatures
) -> Callable[[Scope], SessionEdge]:
    """What gives each request its own, of parts that are the same for all."""
    cookies, door = cookies_of(settings), door_sessions_of(settings, signatures)

    def provide_session_edge(scope: Scope) -> SessionEdge:
        return SessionEdge(exchange_of(scope), cookies, csrf_tokens, door)

    return provide_session_edge
