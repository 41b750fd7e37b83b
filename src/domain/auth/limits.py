"""Session limits: how many live sessions a person may have, and which of them make room for a new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.auth.people import normalise_name
from domain.auth.sessions import Session
from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

DEFAULT_LIMIT = 3
MAX_LIMIT = 100


class WhenFull(StrEnum):
    """What happens to a sign-in that would be one too many."""

    EVICT_OLDEST = "evict_oldest"
    DENY = "deny"


class LimitSource(StrEnum):
    """Who defines a limit; the first that does decides."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `max_sessions` (1 to 100) live sessions, and what happens to the next one."""

    max_sessions: int
    when_full: WhenFull = WhenFull.EVICT_OLDEST

    def __post_init__(self) -> None:
        if not 1 <= self.max_sessions <= MAX_LIMIT:
            message = f"A session limit is a number from 1 to {MAX_LIMIT}, or null where none is defined"
            raise InvalidInput(message, problems=(FieldProblem("/limit", "invalid_limit", message),))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCandidate:
    """A limit and where it comes from; `subject_id` is the user's or group's id or the role, empty for the default."""

    source: LimitSource
    subject_id: str = ""
    limit: Limit


class SessionLimitReached(DomainError):
    """The account has as many live sessions as it may have, and its limit denies further ones."""

    code = "auth.session_limit_reached"
    kind = Kind.FORBIDDEN
    title = "This account has as many sessions as it may have"


_BUILT_IN = LimitCandidate(source=LimitSource.DEFAULT, limit=Limit(max_sessions=DEFAULT_LIMIT))
_ORDER = tuple(LimitSource)


def effective_limit(defined: Iterable[LimitCandidate]) -> LimitCandidate:
    """The user's own limit; else the lowest of the user's groups, of equal ones the stricter; else the role's; else 3.

    A further group limit never raises the value that the groups give.
    """
    return min((*defined, _BUILT_IN), key=_precedence)


def _precedence(candidate: LimitCandidate) -> tuple[int, int, bool, str]:
    evicts = candidate.limit.when_full is WhenFull.EVICT_OLDEST
    return _ORDER.index(candidate.source), candidate.limit.max_sessions, evicts, candidate.subject_id


def to_admit_one_more(limit: Limit, live: Sequence[Session], now: datetime) -> tuple[Session, ...]:
    """The sessions that end so that a new one is within the limit. Refuses the new one where the limit denies it."""
    if limit.when_full is WhenFull.DENY and len(live) >= limit.max_sessions:
        raise SessionLimitReached
    return _to_give_up(live, limit.max_sessions - 1, now)


def surplus(limit: Limit, live: Sequence[Session], now: datetime, *, keep: str | None = None) -> tuple[Session, ...]:
    """The sessions that end because a limit was lowered, whatever it says about new ones; never the session `keep`."""
    others = [session for session in live if session.id != keep]
    kept = len(live) - len(others)
    return _to_give_up(others, limit.max_sessions - kept, now)


def _to_give_up(live: Sequence[Session], left: int, now: datetime) -> tuple[Session, ...]:
    """All but `left`: the least recently seen first, one through which an exam is sat only when no other is left."""

    def worth(session: Session) -> tuple[bool, datetime, str]:
        sits_exam = session.sits_exam_until is not None and now < session.sits_exam_until
        return sits_exam, session.last_seen_at, session.id

    return tuple(sorted(live, key=worth)[: max(0, len(live) - left)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGroup:
    """People who share a session limit, if the group defines one."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


class SessionGroupNotFound(DomainError):
    """No group has this id."""

    code = "session_group.not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such session group"


class SessionGroupNameTaken(DomainError):
    """Groups are told apart by name, whatever its case."""

    code = "session_group.name_taken"
    kind = Kind.CONFLICT
    title = "Another session group has this name"


class SessionGroupMemberNotFound(DomainError):
    """The person is not a member of the group."""

    code = "session_group.member_not_found"
    kind = Kind.NOT_FOUND
    title = "This person is not a member of the session group"


def normalise_group_name(text: str) -> str:
    """The name in one line, composed and trimmed, as the names of people are; a group is never without one."""
    name = normalise_name(text)
    if not name:
        message = "A session group has a name"
        raise InvalidInput(message, problems=(FieldProblem("/name", "invalid_name", message),))
    return name
