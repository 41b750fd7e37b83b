"""The endpoints of the better-auth door, reviewed by hand. What is not in here is not served: a test compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ANYBODY: Final = "anybody"
SIGNED_IN: Final = "signed in"
FRESHLY: Final = "signed in lately"

# Moving to another address and deleting oneself without the password need a fresh sign-in too: their use cases say so.
_REVIEWED: Final[Mapping[str, str]] = {
    ANYBODY: """
        GET /ok
        GET /error
        POST /sign-up/email
        POST /sign-in/email
        POST /sign-out
        GET /get-session
        POST /get-session
        POST /request-password-reset
        GET /reset-password/{token}
        POST /reset-password
        POST /send-verification-email
        GET /verify-email
        GET /delete-user/callback
    """,
    SIGNED_IN: """
        POST /revoke-session
        POST /revoke-sessions
        POST /revoke-other-sessions
        POST /update-user
        POST /change-password
        POST /verify-password
        POST /delete-user
        POST /change-email
    """,
    FRESHLY: """
        GET /list-sessions
    """,
}

ENDPOINTS: Final[Mapping[tuple[str, str], str]] = {
    (method, f"/api/auth{path}"): who
    for who, text in _REVIEWED.items()
    for line in text.strip().splitlines()
    for method, path in [line.split()]
}
# What changes anything, and so what a foreign page must not reach.
UNSAFE: Final = tuple(path for method, path in ENDPOINTS if method == "POST")
# A body that each of them takes, whatever becomes of it.
BODIES: Final[Mapping[str, Mapping[str, object]]] = {
    "/api/auth/sign-up/email": {"name": "Eve", "email": "eve@example.org", "password": "a fine long sentence"},
    "/api/auth/sign-in/email": {"email": "eve@example.org", "password": "a fine long sentence"},
    "/api/auth/request-password-reset": {"email": "eve@example.org"},
    "/api/auth/reset-password": {"newPassword": "a fine long sentence", "token": "x"},
    "/api/auth/send-verification-email": {"email": "eve@example.org"},
    "/api/auth/revoke-session": {"token": "x"},
    "/api/auth/update-user": {"name": "Eve"},
    "/api/auth/change-password": {"currentPassword": "x", "newPassword": "a fine long sentence"},
    "/api/auth/verify-password": {"password": "x"},
    "/api/auth/change-email": {"newEmail": "eve@example.org"},
}
