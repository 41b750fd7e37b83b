"""Security events: what became of every attempt to sign in and of every other act that guards an account."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.auth.people import Role
from domain.auth.throttling import account_key

_TELLING = 16


class AuthAct(StrEnum):
    """What was attempted, or happened."""

    SIGN_IN = "sign_in"
    REGISTER = "register"
    SIGN_OUT = "sign_out"
    SIGN_OUT_EVERYWHERE = "sign_out_everywhere"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an act
    PASSWORD_CHANGE_REFUSED = "password_change_refused"  # noqa: S105 - an act
    PASSWORD_CONFIRMED = "password_confirmed"  # noqa: S105 - an act
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an act
    RESET_REQUESTED = "reset_requested"
    VERIFICATION_REQUESTED = "verification_requested"
    EMAIL_VERIFIED = "email_verified"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    SESSIONS_REVOKED = "sessions_revoked"
    ACCOUNT_DELETED = "account_deleted"


class Outcome(StrEnum):
    """What became of it."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    WRONG_CREDENTIALS = "wrong_credentials"
    LOCKED = "locked"
    THROTTLED = "throttled"
    WRONG_PORTAL = "wrong_portal"
    LIMIT_REACHED = "limit_reached"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthEvent:
    """One event. From where it came is known to whoever writes it down; addresses, passwords and tokens are not in it.

    `account` tells apart the accounts that were named, existing or not, without telling their addresses.
    """

    act: AuthAct
    outcome: Outcome = Outcome.SUCCEEDED
    user_id: str | None = None
    account: str | None = None
    session_id: str | None = None
    portal: Role | None = None


def account_of(email: str) -> str:
    """How events name the account that has or would have this address."""
    return account_key(email).partition(":")[2][:_TELLING]
