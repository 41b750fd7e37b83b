"""Secrets that nobody can guess."""

from __future__ import annotations

import secrets

from application.auth.ports import TokenSource
from domain.auth.refresh import TOKEN_BYTES


class SystemTokenSource(TokenSource):
    """The operating system's randomness."""

    def new(self) -> bytes:
        return secrets.token_bytes(TOKEN_BYTES)
