"""The quotas of the core, which hold at the better-auth door as they do at the portals."""

from __future__ import annotations

from domain.auth.throttling import client_network
from entrypoints.http.better_auth.endpoint import Ask
from entrypoints.http.better_auth.tools import Tools


async def take(tools: Tools, ask: Ask, quota: str) -> None:
    """Counts a request by who is signed in, else by where it comes from, or refuses it with `TooManyAttempts`."""
    caller = client_network(ask.ip) if ask.reading is None else ask.reading.person.id
    await tools.use("take_quota")(tools.use("quotas")[quota], caller)
