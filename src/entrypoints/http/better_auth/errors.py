"""The refusals of the door: flat `{message, code}` bodies, with the codes and messages that its clients know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MESSAGES: Final[Mapping[str, str]] = {
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED": (
        "Cross-site navigation login blocked. This request appears to be a CSRF attack."
    ),
    "EMAIL_ALREADY_VERIFIED": "Email is already verified",
    "EMAIL_CAN_NOT_BE_UPDATED": "Email can not be updated",
    "EMAIL_MISMATCH": "Email mismatch",
    "EMAIL_NOT_VERIFIED": "Email not verified",
    "FAILED_TO_GET_USER_INFO": "Failed to get user info",
    "INTERNAL_SERVER_ERROR": "Something went wrong on the server",
    "INVALID_CALLBACK_URL": "Invalid callbackURL",
    "INVALID_EMAIL": "Invalid email",
    "INVALID_EMAIL_OR_PASSWORD": "Invalid email or password",
    "INVALID_ERROR_CALLBACK_URL": "Invalid errorCallbackURL",
    "INVALID_NEW_USER_CALLBACK_URL": "Invalid newUserCallbackURL",
    "INVALID_ORIGIN": "Invalid origin",
    "INVALID_PASSWORD": "Invalid password",
    "INVALID_REDIRECT_URL": "Invalid redirectURL",
    "INVALID_TOKEN": "Invalid token",
    "INVALID_USER": "Invalid user",
    "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED": (
        "POST method requires deferSessionRefresh to be enabled in session config"
    ),
    "MISSING_OR_NULL_ORIGIN": "Missing or null Origin",
    "NOT_FOUND": "Not found",
    "PASSWORD_COMPROMISED": "The password is too common or too easily guessed. Choose another one.",
    "PASSWORD_TOO_LONG": "Password too long",
    "PASSWORD_TOO_SHORT": "Password too short",
    "PASSWORD_UNCHANGED": "The new password is the present one. Choose another one.",
    "SESSION_EXPIRED": "Session expired. Re-authenticate to perform this action.",
    "SESSION_LIMIT_REACHED": "Too many sessions are open. Sign out elsewhere first.",
    "SESSION_NOT_FRESH": "Session is not fresh",
    "TOKEN_EXPIRED": "Token expired",
    "UNAUTHORIZED": "Unauthorized",
    "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL": "User already exists. Use another email.",
    "USER_NOT_FOUND": "User not found",
    "WRONG_PORTAL": "This door serves students only",
}


class Refused(Exception):
    """The door's answer to what it does not do. Without a message it has no body, without a code none is told."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(code or message or str(status))
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers

    @property
    def body(self) -> dict[str, str]:
        told = {"message": self.message, "code": self.code}
        return {name: text for name, text in told.items() if text is not None}


def refused(status: int, code: str) -> Refused:
    """The refusal with this code and the message that belongs to it."""
    return Refused(status, MESSAGES[code], code)
