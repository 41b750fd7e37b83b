"""What an error of the store means to the core: told by SQLSTATE and class of exception, never by a message's text."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from domain.errors import DomainError, OutcomeUnknown, StoreConflict, StoreRejectedInput, StoreUnavailable

Refusals = Mapping[str, type[DomainError]]

_RETRY_AFTER_SECONDS = 1
_REJECTED_CLASSES = frozenset({"22", "54"})
_CONFLICT_CLASS = "23"
# 40: gave way to another transaction; 53: no room; 57: stopped by an operator or a time limit; 08: connection.
_UNAVAILABLE_CLASSES = frozenset({"40", "53", "57", "08"})
# Lock not available, idle in transaction too long, transaction too long, connected to a stand-by, the disk failed.
_UNAVAILABLE_STATES = frozenset({"55P03", "25P03", "25P04", "25006", "58030"})
_COLLISION_STATES = frozenset({"40001", "40P01"})
_NOT_SERVED = (PoolTimeout, TooManyRequests, PoolClosed)


def is_collision(error: BaseException) -> bool:
    """Whether the transaction gave way to another one and may simply run again."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _COLLISION_STATES


def refusal_for(error: BaseException, refusals: Refusals, *, in_doubt: bool = False) -> DomainError | None:
    """The refusal that `error` means, None for a defect of ours that must stay visible.

    `refusals` names the unique constraints that are rules of the domain. `in_doubt`: the connection was lost after the
    store may have committed.
    """
    if isinstance(error, UnicodeError | RecursionError):
        return StoreRejectedInput()
    if not isinstance(error, psycopg.Error):
        return None
    if in_doubt and not isinstance(error, _NOT_SERVED):
        return outcome_unknown()
    if error.sqlstate is None:
        return _without_state(error)
    return _by_state(error.sqlstate, error.diag.constraint_name, refusals)


def unavailable() -> StoreUnavailable:
    return StoreUnavailable(retry_after_seconds=_RETRY_AFTER_SECONDS)


def outcome_unknown() -> OutcomeUnknown:
    return OutcomeUnknown(retry_after_seconds=_RETRY_AFTER_SECONDS)


def _without_state(error: psycopg.Error) -> DomainError | None:
    """Errors of the driver itself: a value it cannot write, or a connection that broke or was never made."""
    if isinstance(error, psycopg.DataError):
        return StoreRejectedInput()
    return unavailable() if isinstance(error, psycopg.OperationalError) else None


def _by_state(state: str, constraint: str | None, refusals: Refusals) -> DomainError | None:
    family = state[:2]
    if family == _CONFLICT_CLASS:
        return refusals.get(constraint or "", StoreConflict)()
    if family in _REJECTED_CLASSES:
        return StoreRejectedInput()
    if family in _UNAVAILABLE_CLASSES or state in _UNAVAILABLE_STATES:
        return unavailable()
    return None
