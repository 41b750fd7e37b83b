"""Claims of a student to a session: one that stands, and each way in which one does not."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from application.auth.claimants import Claimant
from domain.auth.people import Actor, Role
from domain.auth.sessions import TokenInvalid
from domain.errors import DomainError
from tests.support.postgres import ClonedDatabase

_SIGNED_IN: Final = """
set session_replication_role = replica;
insert into users (id, email, role, status, password_hash, created_at, updated_at)
values ('{0}', '{0}@ace.example', 'student', 'active', '', now(), now()) on conflict (id) do nothing;
insert into auth_sessions (user_id, id, door, audience, auth_time, created_at, last_seen_at, idle_expires_at,
                           absolute_expires_at)
values ('{0}', '{1}', 'portal', 'student', now(), now(), now(), now() + interval '1 hour', now() + interval '1 hour');
set session_replication_role = origin;
"""
_THE_SESSION = "update auth_sessions set {} where user_id = %s"
_THE_PERSON = "update users set {} where id = %s"
# What makes a session open nothing any more.
CHANGES: Final = {
    "revoked": _THE_SESSION.format("revoked_at = now(), revoke_reason = 'sign_out'"),
    "idle for too long": _THE_SESSION.format("idle_expires_at = now()"),
    "at its end": _THE_SESSION.format("idle_expires_at = now(), absolute_expires_at = now()"),
    "of another portal": _THE_SESSION.format("audience = 'admin'"),
    "of somebody disabled": _THE_PERSON.format("status = 'disabled'"),
    "of somebody deleted": _THE_PERSON.format("deleted_at = now()"),
    "of somebody with another role": _THE_PERSON.format("role = 'instructor'"),
    "of somebody who must change the password": _THE_PERSON.format("must_change_password = true"),
    "gone": "delete from auth_sessions where user_id = %s",
}
_FAR: Final = timedelta(hours=1)
# What makes a token say something else than the store knows.
TOKENS: Final[dict[str, dict[str, Any]]] = {
    "to nobody's session": {"session_id": "ses_none"},
    "to somebody else's session": {"session_id": "ses_usr_other"},
    "in another role": {"role": Role.INSTRUCTOR},
    "not valid yet": {"valid_from": datetime.now(UTC) + _FAR},
    "valid no longer": {"valid_until": datetime.now(UTC) - _FAR},
}
FAULTS: Final = [*CHANGES, *TOKENS]


async def told(call: Awaitable[Any]) -> Any:
    """What is answered, or the class of the refusal."""
    try:
        return await call
    except DomainError as refusal:
        return type(refusal)


@dataclass(slots=True)
class Claims:
    """Students who are signed in, and what their tokens say. Whom the store is asked to confirm is kept."""

    database: ClonedDatabase
    confirmed: list[str] = field(default_factory=list)

    def of(self, user_id: str) -> Claimant:
        """A claim that stands, of somebody who signs in now. Confirming refuses, as if it did not."""
        self.database.keeper.execute(_SIGNED_IN.format(user_id, session_of(user_id)).encode())

        async def confirm() -> Actor:
            self.confirmed.append(user_id)
            raise TokenInvalid

        now = datetime.now(UTC)
        return Claimant(
            user_id=user_id,
            session_id=session_of(user_id),
            role=Role.STUDENT,
            valid_from=now - _FAR,
            valid_until=now + _FAR,
            confirm=confirm,
        )

    def spoilt(self, claim: Claimant, fault: str) -> Claimant:
        """The claim with one fault, in the store or in the token."""
        if fault in TOKENS:
            return replace(claim, **TOKENS[fault])
        self.database.keeper.execute(CHANGES[fault].encode(), [claim.user_id])
        return claim


def session_of(user_id: str) -> str:
    return f"ses_{user_id}"
