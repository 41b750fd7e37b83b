"""Reading the session of a request: from the copy in its cookies if that will do, else from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from application.auth.cookie_sessions import Reading
from application.auth.views import PersonView
from domain.auth.sessions import Session, SessionEnded
from entrypoints.http.better_auth.cookie_cache import CachedSession
from entrypoints.http.better_auth.cookies import ReceivedCookies
from entrypoints.http.better_auth.endpoint import Ask
from entrypoints.http.better_auth.jar import SessionJar
from entrypoints.http.better_auth.records import session_body, user_body
from entrypoints.http.better_auth.tools import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A session that was read, and how it is told: a copy has its members in another order."""

    reading: Reading
    session_body: Mapping[str, Any] = field(repr=False)
    user_body: Mapping[str, Any] = field(repr=False)


class Sessions:
    """What a request's cookies, or its bearer, open. Reading prolongs a session that is due, and clears the cookies of
    one that is over. `disableCookieCache` and `disableRefresh` in the query are heeded.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._cookies = tools.cookies

    def received(self, ask: Ask) -> ReceivedCookies:
        """What the request brings; nothing of it was looked up."""
        return self._cookies.read(ask.headers.get("cookie"), ask.headers.get("authorization"))

    def grant(
        self, ask: Ask, session: Session, person: PersonView, secret: str, *, remember: bool | None = None
    ) -> None:
        """Hands the session out with the answer; without a word about it remembered as the one that came."""
        jar = self._jar(ask)
        if remember is None:
            remember = not jar.received.dont_remember
        jar.grant(session, person, secret, remember=remember)
        self._put(ask, jar)

    def forget(self, ask: Ask) -> None:
        """Clears the cookies with the answer, and takes back what it was to hand out."""
        jar = self._jar(ask)
        jar.forget()
        kept = [header for header in ask.answer_headers if not self._cookies.hands_out(header)]
        ask.answer_headers[:] = [*kept, *jar.headers()]

    async def read(self, ask: Ask, *, stored: bool) -> Reading | None:
        """The session, None where there is none. `stored` passes the copy over."""
        found = await self.find(ask, stored=stored)
        return None if found is None else found.reading

    async def read_live(self, ask: Ask) -> Reading | None:
        """The session as its copy tells it, if the store knows it still. The cookies of one that is over go."""
        reading = await self.read(ask, stored=False)
        if reading is None:
            return None
        try:
            await self._tools.use("authenticate_by_secret")(reading.secret)
        except SessionEnded:
            self.forget(ask)
            return None
        return reading

    async def find(self, ask: Ask, *, stored: bool = False) -> Found | None:
        """The same with how it is told. The cookies of the answer are put into `ask.answer_headers`."""
        jar = self._jar(ask)
        found = await self._find(jar, ask, stored=stored)
        self._put(ask, jar)
        return found

    def _put(self, ask: Ask, jar: SessionJar) -> None:
        """Cookies may be set again by a later line, what a bearer is told stands once."""
        headers = jar.headers()
        told_anew = {name for name, _ in headers} - {b"set-cookie"}
        ask.answer_headers[:] = [header for header in ask.answer_headers if header[0] not in told_anew] + headers

    def _jar(self, ask: Ask) -> SessionJar:
        return SessionJar(self._cookies, self.received(ask))

    async def _find(self, jar: SessionJar, ask: Ask, *, stored: bool) -> Found | None:
        secret, cached = jar.received.secret, jar.received.cached
        if secret is None:
            return None
        if jar.received.cache_text is not None and cached is None:
            jar.drop_copy()
        if cached is not None and self._cookies.cache.is_kept and not (stored or ask.query.get("disableCookieCache")):
            if cached.is_of(secret, self._cookies.now()):
                return self._told(cached)
            jar.drop_copy()
        return await self._stored(jar, secret, renew=not ask.query.get("disableRefresh"))

    def _told(self, cached: CachedSession) -> Found:
        life = self._tools.use("door_policy").cookie_life
        reading = Reading(
            person=cached.person,
            session=cached.session,
            fresh=life.is_fresh(cached.session, self._cookies.now()),
            secret=cached.secret,
        )
        return Found(reading=reading, session_body=cached.session_body, user_body=cached.user_body)

    async def _stored(self, jar: SessionJar, secret: str, *, renew: bool) -> Found | None:
        renew = renew and not jar.received.dont_remember
        try:
            reading: Reading = await self._tools.use("read_cookie_session")(secret, renew=renew)
        except SessionEnded:
            jar.forget()
            return None
        found = Found(
            reading=reading,
            session_body=session_body(reading.session, secret),
            user_body=user_body(reading.person),
        )
        if reading.renewed:
            jar.grant(reading.session, reading.person, secret, remember=True)
        elif renew:
            jar.keep_copy(reading.session, reading.person, secret, remember=True)
        return found
