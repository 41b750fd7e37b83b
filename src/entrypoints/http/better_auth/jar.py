"""What one request brings of a session, and what its answer hands out."""

from __future__ import annotations

from application.auth.views import PersonView
from domain.auth.sessions import Session
from entrypoints.http.better_auth.cookie_cache import pieces_of
from entrypoints.http.better_auth.cookies import DoorCookies, ReceivedCookies
from entrypoints.http.better_auth.records import session_body, user_body
from entrypoints.http.exchange import Header


class SessionJar:
    """Collects the cookies of one answer. A cookie that is removed is not also set: whoever reads the raw answer finds
    no value in it that was taken back.
    """

    def __init__(self, cookies: DoorCookies, received: ReceivedCookies) -> None:
        self._cookies = cookies
        self._lines: list[tuple[str, str]] = []
        self._token: str | None = None
        self.received = received

    def grant(self, session: Session, person: PersonView, secret: str, *, remember: bool) -> None:
        """The session is in the hands of the browser, until it is closed unless it is to be remembered."""
        self._set(self._cookies.token, self._cookies.signed(secret), self._cookies.max_age if remember else None)
        self._token = secret
        if not remember:
            self._set(self._cookies.dont_remember, self._cookies.signed("true"))
        self.keep_copy(session, person, secret, remember=remember)

    def keep_copy(self, session: Session, person: PersonView, secret: str, *, remember: bool) -> None:
        """A copy for the next readings, where such are kept; pieces of an older one are removed. There is none of
        somebody whose password must be changed first, because a copy does not tell.
        """
        cookies, cache = self._cookies, self._cookies.cache
        if not cache.is_kept or person.must_change_password:
            return
        text = cache.write(session_body(session, secret), user_body(person), cookies.now(), remember=remember)
        max_age = cache.seconds if remember else None
        pieces = pieces_of(cookies.data, text, secure=cookies.secure, max_age=max_age)
        for name in dict.fromkeys((*self.received.cache_names, *pieces)):
            if name in pieces:
                self._set(name, pieces[name], max_age)
            else:
                self._set(name, "", 0)

    def drop_copy(self) -> None:
        """The copy that came is good for nothing."""
        data = self._cookies.data
        self._lines = [(name, line) for name, line in self._lines if name != data and not name.startswith(f"{data}.")]
        self._set(data, "", 0)

    def forget(self) -> None:
        """The browser has no session any more."""
        cookies = self._cookies
        self._lines, self._token = [], None
        for name in (cookies.token, cookies.data, *self.received.cache_names, cookies.dont_remember):
            self._set(name, "", 0)

    def headers(self) -> list[Header]:
        """The headers of the answer. Where bearers are taken, a session that is handed out is told in one, too."""
        headers = [(b"set-cookie", line.encode("ascii")) for _, line in self._lines]
        if self._token is not None and self._cookies.takes_bearer:
            headers.append((b"set-auth-token", self._cookies.signed(self._token).encode("ascii")))
            headers.append((b"access-control-expose-headers", b"set-auth-token"))
        return headers

    def _set(self, name: str, value: str, max_age: int | None = None) -> None:
        self._lines.append((name, self._cookies.line(name, value, max_age)))
