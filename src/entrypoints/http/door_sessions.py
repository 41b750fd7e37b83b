"""Sessions of the better-auth door at the routes of the API: what shows one, and how the API lets go of it."""

from __future__ import annotations

from application.auth.ports import Signatures
from domain.auth.cookie_sessions import is_secret
from entrypoints.http.better_auth.cookie_cache import is_piece
from entrypoints.http.better_auth.cookies import DoorCookies, door_cookies_of
from entrypoints.http.better_auth.settings import DoorSettings
from entrypoints.http.exchange import Exchange, Header


class DoorSessions:
    """Whoever signed in at the door is signed in at the API as well: by its signed cookie, or by its token where the
    door takes bearers. The session itself is looked up every time; a cached copy in a cookie opens nothing here.
    """

    def __init__(self, cookies: DoorCookies) -> None:
        self._cookies = cookies

    def by_cookie(self, exchange: Exchange) -> str | None:
        """The secret in the door's cookie, if the signature is ours."""
        header = exchange.request_headers.get(b"cookie")
        return self._cookies.read(header.decode("latin-1")).secret if header else None

    def by_bearer(self, token: str) -> str | None:
        """The secret that a bearer shows, with its signature or without. An access token is none: it has two dots."""
        secret = None if token.count(".") > 1 else self._cookies.bearer(f"Bearer {token}")
        return secret if secret is not None and is_secret(secret) else None

    def cleared(self, exchange: Exchange) -> list[Header]:
        """Headers that remove the door's cookies from a browser that sent any of them, pieces of a copy included."""
        sent, cookies = exchange.request_headers.get(b"cookie", b"").decode("latin-1"), self._cookies
        names = dict.fromkeys(part.partition("=")[0].strip() for part in sent.split(";"))
        pieces = [name for name in names if is_piece(cookies.data, name)]
        if not pieces and names.keys().isdisjoint({cookies.token, cookies.data, cookies.dont_remember}):
            return []
        return [*cookies.cleared(), *((b"set-cookie", cookies.line(name, "", 0).encode("ascii")) for name in pieces)]


def door_sessions_of(settings: DoorSettings, signatures: Signatures) -> DoorSessions | None:
    """None where the door is closed: then nothing of it opens anything."""
    return DoorSessions(door_cookies_of(settings, signatures)) if settings.better_auth.served else None
