"""Claimants: who a token says is asking, made once for each token that is shown again and again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from application.auth.claimants import Claimant
from application.auth.staying import Authenticate
from domain.auth.sessions import TokenInvalid

_REMEMBERED: Final = 10_000
# Of a token with our signature whose times are none.
_UNREADABLE: Final = (TokenInvalid, OverflowError, ValueError, OSError)


class KnownClaimants:
    """What tokens say by themselves. It is always the same, so that remembering it decides nothing."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._read = lru_cache(_REMEMBERED)(authenticate.claim)

    def of(self, token: str | None) -> Claimant | None:
        """Who the token says is asking; None where it says nothing that can be relied on, and why is for others."""
        if token is None:
            return None
        try:
            return self._read(token)
        except _UNREADABLE:
            return None
