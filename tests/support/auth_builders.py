"""People, sessions and the use cases of the auth area for tests, on whichever store a test brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from adapters.memory.auth import MemoryAuthReader, MemoryAuthWork, MemoryThrottleWork
from adapters.memory.store import MemoryStore, MemoryTransaction
from adapters.postgres.auth import PostgresAuthReader, PostgresAuthWork, PostgresThrottleWork
from adapters.postgres.database import Database
from adapters.postgres.transaction import PostgresTransaction
from adapters.security.access_tokens import JwtAccessTokens
from adapters.security.token_source import SystemTokenSource
from adapters.system.attempt_gate import LinesOfAttempts
from adapters.system.clock import TimeOrderedIds
from application.auth.events import AuthEvent
from application.auth.opening import EndHeldSession, Grant, IssueAccess, OpenSession, Visit
from application.auth.policy import AuthPolicy
from application.auth.ports import (
    AuthEvents,
    AuthReader,
    AuthWork,
    PasswordHasher,
    QuickRefresh,
    ThrottleWork,
    TokenSource,
    Welcome,
)
from application.auth.registering import (
    CreateUser,
    EnsureUser,
    Examine,
    NewUser,
    RegisterStaff,
    RegisterStudent,
    Registration,
)
from application.auth.signing_in import Credentials, SignIn, SignOut, SignOutEverywhere
from application.auth.staying import Authenticate, ReadProfile, RefreshSession, RefreshWithCare
from application.auth.throttling import GuardAttempts
from application.ports import Transaction
from domain.auth.guessing import GuessingRules
from domain.auth.people import Role, User
from domain.auth.sessions import Busy, Session
from tests.support.postgres import SettableClock

SECRET = "a secret of a test, long enough to sign with"
NOW = SettableClock().now()
EMAIL = "ada@example.org"
PASSWORD = "a sentence that only Ada knows"
STUDENT_VISIT = Visit(portal=Role.STUDENT, ip="192.0.2.7", user_agent="a browser")


def a_user(**changes: Any) -> User:
    """A student called Ada."""
    values: dict[str, Any] = {
        "id": "usr_ada",
        "email": EMAIL,
        "username": "ada",
        "name": "Ada",
        "role": Role.STUDENT,
        "password_hash": "kept:" + PASSWORD,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return User(**values | changes)


def a_session(**changes: Any) -> Session:
    """Ada's session at the students' portal, opened now."""
    values: dict[str, Any] = {
        "id": "ses_ada",
        "user_id": "usr_ada",
        "audience": Role.STUDENT,
        "auth_time": NOW,
        "created_at": NOW,
        "last_seen_at": NOW,
        "idle_expires_at": NOW + timedelta(days=7),
        "absolute_expires_at": NOW + timedelta(days=30),
    }
    return Session(**values | changes)


@dataclass(slots=True)
class CountingHasher(PasswordHasher):
    """Keeps passwords readable, counts what it is asked for, and can be told to be busy or to have new parameters.

    What stands in `meanwhile` happens right after the next checks, one for each.
    """

    checks: list[str | None] = field(default_factory=list)
    hashed: int = 0
    idled: int = 0
    scheme: str = "kept"
    busy_hashing: bool = False
    meanwhile: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def hash(self, password: str) -> str:
        if self.busy_hashing:
            raise Busy
        self.hashed += 1
        return f"{self.scheme}:{password}"

    async def matches(self, password: str, password_hash: str | None) -> bool:
        self.checks.append(password_hash)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return password_hash is not None and password_hash.partition(":")[2] == password

    async def idle(self) -> None:
        self.idled += 1

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(self.scheme + ":")


@dataclass(slots=True)
class CountedTokens(TokenSource):
    """Tokens that two stores can be given alike."""

    made: int = 0

    def new(self) -> bytes:
        self.made += 1
        return self.made.to_bytes(32, "big")


@dataclass(slots=True)
class ToldEvents(AuthEvents):
    """The security events that were told, oldest first."""

    all: list[AuthEvent] = field(default_factory=list)

    def record(self, event: AuthEvent) -> None:
        self.all.append(event)


class WithNothing(Welcome[AuthWork]):
    """Nothing is given to those who register."""

    async def __call__(self, work: AuthWork, user: User, /) -> None:
        pass


@dataclass(kw_only=True)
class Auth:
    """Every use case of the area over one store."""

    transact: Transaction[AuthWork]
    reader: AuthReader
    clock: SettableClock
    policy: AuthPolicy = field(default_factory=AuthPolicy)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    source: TokenSource = field(default_factory=SystemTokenSource)
    tokens: JwtAccessTokens = field(default_factory=lambda: JwtAccessTokens((SECRET,)))
    ids: TimeOrderedIds = field(default_factory=TimeOrderedIds)

    throttle: Transaction[ThrottleWork]
    rules: GuessingRules = field(default_factory=GuessingRules)
    gate: LinesOfAttempts = field(default_factory=LinesOfAttempts)
    events: ToldEvents = field(default_factory=ToldEvents)
    welcome: Welcome[AuthWork] = field(default_factory=WithNothing)
    quick: QuickRefresh | None = None

    @property
    def guard(self) -> GuardAttempts:
        return GuardAttempts(transact=self.throttle, gate=self.gate, hasher=self.hasher, rules=self.rules)

    @property
    def issue_access(self) -> IssueAccess:
        return IssueAccess(tokens=self.tokens, ids=self.ids, policy=self.policy)

    @property
    def open_session(self) -> OpenSession:
        return OpenSession(
            source=self.source,
            issue_access=self.issue_access,
            end_held_session=EndHeldSession(tokens=self.tokens),
            ids=self.ids,
            policy=self.policy,
        )

    @property
    def examine(self) -> Examine:
        return Examine(hasher=self.hasher, ids=self.ids)

    @property
    def register_student(self) -> RegisterStudent[AuthWork, Grant]:
        return RegisterStudent(
            transact=self.transact,
            examine=self.examine,
            open_session=self.open_session,
            policy=self.policy,
            events=self.events,
            welcome=self.welcome,
        )

    @property
    def register_staff(self) -> RegisterStaff:
        return RegisterStaff(
            transact=self.transact,
            people=self.reader,
            examine=self.examine,
            open_session=self.open_session,
            policy=self.policy,
            events=self.events,
        )

    @property
    def create_user(self) -> CreateUser:
        return CreateUser(transact=self.transact, examine=self.examine, policy=self.policy)

    @property
    def ensure_user(self) -> EnsureUser:
        return EnsureUser(people=self.reader, create_user=self.create_user)

    @property
    def sign_in(self) -> SignIn[Grant]:
        return SignIn(
            transact=self.transact,
            people=self.reader,
            hasher=self.hasher,
            guard=self.guard,
            open_session=self.open_session,
            policy=self.policy,
            events=self.events,
        )

    @property
    def sign_out(self) -> SignOut:
        return SignOut(transact=self.transact, end_held_session=EndHeldSession(tokens=self.tokens), events=self.events)

    @property
    def sign_out_everywhere(self) -> SignOutEverywhere:
        return SignOutEverywhere(transact=self.transact, events=self.events)

    @property
    def authenticate(self) -> Authenticate:
        return Authenticate(tokens=self.tokens, people=self.reader, policy=self.policy)

    @property
    def refresh(self) -> RefreshSession | RefreshWithCare:
        """With care, unless the test brings what does it at once."""
        parts: dict[str, Any] = {"source": self.source, "issue_access": self.issue_access, "policy": self.policy}
        with_care = RefreshWithCare(transact=self.transact, events=self.events, **parts)
        return with_care if self.quick is None else RefreshSession(quick=self.quick, with_care=with_care, **parts)

    @property
    def read_profile(self) -> ReadProfile:
        return ReadProfile(people=self.reader)

    async def add(self, user: User) -> None:
        await self.transact(lambda work: work.add_user(user))

    async def register(self, email: str = EMAIL, **values: Any) -> Grant:
        return await self.register_student(Registration(email=email, password=PASSWORD, **values), STUDENT_VISIT)

    async def enter(self, email: str = EMAIL, password: str = PASSWORD, visit: Visit = STUDENT_VISIT) -> Grant:
        return await self.sign_in(Credentials(email=email, password=password), visit)

    async def audited(self) -> Sequence[str]:
        """The actions of all audit rows, oldest first."""
        raise NotImplementedError

    async def change_user(self, user_id: str, **changes: Any) -> None:
        """What an administrator's tools will do: role, status, deleted_at, password_hash."""
        raise NotImplementedError

    async def tokens_of(self, session_id: str) -> list[tuple[int, datetime | None, bytes | None]]:
        """The chain of a session: generation, when it was used, its mask."""
        raise NotImplementedError


@dataclass(kw_only=True)
class AuthInMemory(Auth):
    """Dictionaries."""

    store: MemoryStore

    async def audited(self) -> Sequence[str]:
        return [entry.action for entry in self.store.audit_log]

    async def change_user(self, user_id: str, **changes: Any) -> None:
        users = self.store.tables["users"]
        users[user_id] = replace(users[user_id], **changes)

    async def tokens_of(self, session_id: str) -> list[tuple[int, datetime | None, bytes | None]]:
        links = [link for link in self.store.tables["auth_refresh_tokens"].values() if link.session_id == session_id]
        return [(link.generation, link.used_at, link.successor_masked) for link in links]


@dataclass(kw_only=True)
class AuthOnPostgres(Auth):
    """The real database."""

    database: Database

    async def audited(self) -> Sequence[str]:
        return [row["action"] for row in await self.database.fetch_all("select action from audit_log order by id")]

    async def change_user(self, user_id: str, **changes: Any) -> None:
        for name, value in changes.items():
            await self.database.fetch_one(
                {
                    "role": "update users set role = %(value)s where id = %(id)s returning id",
                    "status": "update users set status = %(value)s where id = %(id)s returning id",
                    "deleted_at": "update users set deleted_at = %(value)s where id = %(id)s returning id",
                    "password_hash": "update users set password_hash = %(value)s where id = %(id)s returning id",
                }[name],
                {"id": user_id, "value": value},
            )

    async def tokens_of(self, session_id: str) -> list[tuple[int, datetime | None, bytes | None]]:
        rows = await self.database.fetch_all(
            "select generation, used_at, successor_masked from auth_refresh_tokens"
            " where session_id = %(id)s order by 1",
            {"id": session_id},
        )
        return [(row["generation"], row["used_at"], row["successor_masked"]) for row in rows]


class ClockedReader(PostgresAuthReader):
    """The reader on PostgreSQL, with the time that a test sets instead of the server's."""

    def __init__(self, database: Database, clock: SettableClock) -> None:
        super().__init__(database)
        self._clock = clock

    async def read_standing(self, user_id: str, session_id: str) -> Any:
        standing = await super().read_standing(user_id, session_id)
        return None if standing is None else replace(standing, now=self._clock.now())

    async def find_cookie_session(self, token_hash: bytes) -> Any:
        standing = await super().find_cookie_session(token_hash)
        return None if standing is None else replace(standing, now=self._clock.now())


def auth_in_memory(**parts: Any) -> AuthInMemory:
    store, clock = MemoryStore(), parts.pop("clock", None) or SettableClock()
    transact: Transaction[AuthWork] = MemoryTransaction(store, MemoryAuthWork, clock)
    throttle: Transaction[ThrottleWork] = MemoryTransaction(store, MemoryThrottleWork, clock)
    return AuthInMemory(
        transact=transact, throttle=throttle, reader=MemoryAuthReader(store, clock), clock=clock, store=store, **parts
    )


def auth_on_postgres(database: Database, clock: SettableClock, **parts: Any) -> AuthOnPostgres:
    ids = TimeOrderedIds()
    transact: Transaction[AuthWork] = PostgresTransaction(database, PostgresAuthWork, ids, clock)
    throttle: Transaction[ThrottleWork] = PostgresTransaction(database, PostgresThrottleWork, ids, clock)
    return AuthOnPostgres(
        transact=transact,
        throttle=throttle,
        reader=ClockedReader(database, clock),
        clock=clock,
        database=database,
        ids=ids,
        **parts,
    )


def a_new_user(**changes: Any) -> NewUser:
    """An instructor to be made by an operator."""
    values: dict[str, Any] = {"role": Role.INSTRUCTOR, "email": "grace@example.org", "password": PASSWORD}
    return NewUser(**values | changes)
