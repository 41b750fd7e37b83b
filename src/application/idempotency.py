"""Doing one thing once: the memory of a request that carries an idempotency key.

An entrypoint puts a `OnceOnly` into `once_only` around a use case; the transaction of that use case keeps the answer in
the unit of work of the effect itself, so that there is never an effect without its answer or an answer without effect.
A refusal is no effect, also where a unit returns it to keep what time did: it is not kept, so that the same request is
taken once it can be, when a pause is over, say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from domain.errors import DomainError, Kind


class KeyReused(DomainError):
    """The key was sent before with another request."""

    code = "idempotency.key_reused"
    kind = Kind.INVALID
    title = "This Idempotency-Key belongs to another request"


class RequestInFlight(DomainError):
    """The same request is being carried out right now."""

    code = "idempotency.in_flight"
    kind = Kind.CONFLICT
    title = "The same request is still being carried out"


@dataclass(slots=True, kw_only=True)
class OnceOnly:
    """A caller's key, the fingerprint of what was sent, and how the result becomes the answer to keep."""

    user_id: str
    key: str
    fingerprint: bytes
    render: Callable[[object], bytes]
    claimed: bool = field(default=False)

    def claim(self) -> bool:
        """True for the first transaction of the request, which is the one that keeps the answer."""
        first, self.claimed = not self.claimed, True
        return first


class Replayed(Exception):
    """The effect happened before; `answer` is what was answered then."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("replayed")
        self.answer = answer


once_only: ContextVar[OnceOnly | None] = ContextVar("once_only", default=None)


@contextmanager
def only_looking() -> Iterator[None]:
    """Transactions in here change nothing: the answer is kept by the first one after them."""
    token = once_only.set(None)
    try:
        yield
    finally:
        once_only.reset(token)
