"""Passwords by their length, as the clients of the better-auth door count it."""

from __future__ import annotations

from domain.auth.passwords import MAX_PASSWORD_LENGTH
from entrypoints.http.better_auth.errors import refused


def check_length(password: str, shortest: int) -> None:
    """Refuses a new password by its length in UTF-16 units, before anything else is looked at. The core counts its own
    way afterwards.
    """
    units = len(password.encode("utf-16-le", "surrogatepass")) // 2
    if units < shortest:
        raise refused(400, "PASSWORD_TOO_SHORT")
    if units > MAX_PASSWORD_LENGTH:
        raise refused(400, "PASSWORD_TOO_LONG")
