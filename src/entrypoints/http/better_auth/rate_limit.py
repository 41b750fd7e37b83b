"""How often one client may ask for one thing: a little for what guesses or mails, plenty for the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from application.auth.throttling import TakeQuota
from domain.auth.throttling import Burst, client_network

_PLENTY: Final = Burst(name="door", limit=100, window=timedelta(seconds=10))
_CREDENTIALS: Final = Burst(name="door-credentials", limit=3, window=timedelta(seconds=10))
_MAIL: Final = Burst(name="door-mail", limit=3, window=timedelta(seconds=60))
_OF_CREDENTIALS: Final = ("/sign-in", "/sign-up", "/change-password", "/change-email")
_OF_MAIL: Final = frozenset({"/request-password-reset", "/send-verification-email"})


class RateLimit:
    """Counts a request before anything else is looked at, by the client's network and what it asks for.

    All paths that lead nowhere count together, so that nobody makes us keep a counter for each that they think of.
    """

    def __init__(self, take_quota: TakeQuota) -> None:
        self._take_quota = take_quota

    async def count(self, ip: str, path: str, template: str | None) -> None:
        """Refuses `TooManyAttempts`. While the counters cannot be kept nothing is answered."""
        await self._take_quota(burst_of(path), f"{client_network(ip)}|{template or ''}")


def burst_of(path: str) -> Burst:
    """How often a path may be asked for."""
    if path.startswith(_OF_CREDENTIALS):
        return _CREDENTIALS
    return _MAIL if path in _OF_MAIL else _PLENTY
