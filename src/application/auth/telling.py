"""One security event for each attempt, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from application.auth.events import AuthEvent, Outcome
from application.auth.opening import Opened
from application.auth.ports import AuthEvents
from domain.auth.guessing import ConfirmationLocked, LockedOut
from domain.auth.limits import SessionLimitReached
from domain.auth.people import User
from domain.auth.sessions import CurrentPasswordWrong, InvalidCredentials, WrongPortal
from domain.auth.throttling import TooManyAttempts
from domain.errors import DomainError, Kind

OpenedT = TypeVar("OpenedT", bound=Opened)

_OUTCOMES: Final[Mapping[type[DomainError], Outcome]] = {
    InvalidCredentials: Outcome.WRONG_CREDENTIALS,
    CurrentPasswordWrong: Outcome.WRONG_CREDENTIALS,
    LockedOut: Outcome.LOCKED,
    ConfirmationLocked: Outcome.LOCKED,
    TooManyAttempts: Outcome.THROTTLED,
    WrongPortal: Outcome.WRONG_PORTAL,
    SessionLimitReached: Outcome.LIMIT_REACHED,
}


@dataclass(slots=True)
class Record:
    """What is known so far of an attempt that is still being made."""

    event: AuthEvent

    def named(self, user: User) -> None:
        """The account that was named exists; who named it may still be anybody."""
        self.event = replace(self.event, user_id=user.id)

    def granted(self, grant: OpenedT) -> OpenedT:
        session_id = None if grant.session is None else grant.session.id
        self.event = replace(self.event, user_id=grant.person.id, session_id=session_id)
        return grant


@contextmanager
def telling(events: AuthEvents, event: AuthEvent) -> Iterator[Record]:
    """Tells the event when the block is left, with what was learnt in it and how it was left."""
    record, outcome = Record(event), Outcome.UNAVAILABLE
    try:
        yield record
        outcome = Outcome.SUCCEEDED
    except DomainError as refusal:
        outcome = _outcome_of(refusal)
        raise
    finally:
        events.record(replace(record.event, outcome=outcome))


def _outcome_of(refusal: DomainError) -> Outcome:
    other = Outcome.UNAVAILABLE if refusal.kind is Kind.UNAVAILABLE else Outcome.REFUSED
    return _OUTCOMES.get(type(refusal), other)
