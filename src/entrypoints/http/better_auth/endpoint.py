"""What an endpoint of the door is: its address, the shape of what it takes, who may ask, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, TypeAlias

from application.auth.cookie_sessions import Reading
from application.auth.opening import HeldTokens, Visit
from domain.auth.people import Role
from domain.auth.sessions import Door
from entrypoints.http.better_auth.errors import refused
from entrypoints.http.better_auth.schemas import Shape
from entrypoints.http.exchange import Header

BASE: Final = "/api/auth"
# Where a browser says that it was led from: a page of ours or nowhere; an old browser, or none, says nothing.
_OWN_SITE: Final = frozenset({"", "none", "same-origin"})
_NO_LISTS: Final = frozenset({"authorization", "content-length", "content-type", "host", "referer", "user-agent"})


class Guard(Enum):
    """What an endpoint asks for once the shape of the request is right. An endpoint has one guard at most."""

    NONE = auto()
    # a form of a foreign site must not sign anybody in, not even one who has no cookie yet
    FORM = auto()
    # the page of `callbackURL` in the query is a trusted one
    CALLBACK = auto()
    # somebody is signed in, be it by the cookie cache
    SESSION = auto()
    # somebody is signed in as the store knows it
    STORED_SESSION = auto()
    # the same, and the sign-in is not long ago
    FRESH_SESSION = auto()

    @property
    def needs_session(self) -> bool:
        return self in _SESSION_GUARDS


_SESSION_GUARDS: Final = frozenset({Guard.SESSION, Guard.STORED_SESSION, Guard.FRESH_SESSION})


class Headers:
    """The headers of a request. A name that came several times has its values joined, as the protocol says; of what
    cannot be a list the first counts.
    """

    def __init__(self, sent: list[Header]) -> None:
        self._values: dict[str, str] = {}
        for name, value in sent:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
            if key not in self._values:
                self._values[key] = text
            elif key not in _NO_LISTS:
                self._values[key] += f"{'; ' if key == 'cookie' else ', '}{text}"

    def get(self, name: str) -> str:
        """The value, empty where the header is absent."""
        return self._values.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self._values


@dataclass(slots=True, kw_only=True)
class Ask:
    """One request to the door, after its body and query were found to have the endpoint's shape.

    `base_url` is where the caller has found the door, with `/api/auth`. What is put into `answer_headers` goes along
    with the answer and with a refusal alike, cookies in their order.
    """

    method: str
    path: str
    headers: Headers
    ip: str
    base_url: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    answer_headers: list[Header] = field(default_factory=list)
    reading: Reading | None = None

    @property
    def session(self) -> Reading:
        """The session of whoever asks, at an endpoint whose guard has made sure of it."""
        if self.reading is None:
            raise refused(401, "UNAUTHORIZED")
        return self.reading

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent")

    def visit(self, *, remember: bool = False, callback: str | None = None, held: HeldTokens | None = None) -> Visit:
        """Whoever asks, as the use cases know visitors."""
        return Visit(
            portal=Role.STUDENT,
            door=Door.COOKIE,
            callback=callback,
            ip=self.ip,
            user_agent=self.user_agent,
            remember=remember,
            foreign=self.headers.get("sec-fetch-site") not in _OWN_SITE,
            held=held or HeldTokens(),
        )

    def add_header(self, name: str, value: str) -> None:
        """One more header of the answer."""
        self.answer_headers.append((name.encode("latin-1"), value.encode("latin-1")))

    def set_cookies(self, *values: str) -> None:
        """One more `Set-Cookie` for each of these."""
        for value in values:
            self.add_header("set-cookie", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: `body` is written as JSON, or as it is where it is bytes; `media_type` None says nothing of it."""

    body: object = None
    status: int = 200
    media_type: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def redirect(cls, address: str) -> Reply:
        """Go there instead; the address is ASCII, percent-encoded."""
        return cls(body=b"", status=302, headers=(("location", address),))


Run: TypeAlias = Callable[[Ask], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What answers at `path` (below `/api/auth`; `:name` is a part of its own, found in `params`) to these methods.

    Without a shape the body, or the query, is not looked at: `body` is then empty, `query` has all texts as they came.
    """

    path: str
    run: Run
    methods: tuple[str, ...] = ("POST",)
    body: Shape | None = None
    query: Shape | None = None
    guard: Guard = Guard.NONE
    takes_forms: bool = False

    @property
    def template(self) -> str:
        """The address as logs, metrics and documents tell it."""
        parts = [f"{{{part[1:]}}}" if part.startswith(":") else part for part in self.path.split("/")]
        return BASE + "/".join(parts)
