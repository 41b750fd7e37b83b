"""Remarks about a session, by staff or by the system. They are only ever added to: one is settled by another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.errors import DomainError, FieldProblem, InvalidInput, Kind

MAX_TYPE: Final = 64
MAX_NOTE: Final = 2000
RESOLVED: Final = "resolved"
"""The type of a remark that settles another one."""


class FlagNotFound(DomainError):
    """The session has no such flag."""

    code = "exam.flag_not_found"
    kind = Kind.NOT_FOUND
    title = "There is no such flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A remark; `resolves` is the id of the one that it settles. The system has no `created_by`."""

    user_id: str
    session_id: str
    id: str
    type: str
    note: str | None = None
    resolves: str | None = None
    created_at: datetime
    created_by: str | None = None


def type_of(text: str) -> str:
    """What a flag is about, in a word. Refuses nothing but blanks, more than 64 characters, and `resolved`."""
    type_ = text.strip()
    if not type_ or len(type_) > MAX_TYPE or type_ == RESOLVED:
        message = f"1 to {MAX_TYPE} characters that say what it is about, other than `{RESOLVED}`"
        raise InvalidInput(message, problems=(FieldProblem("/type", "wrong_type", message),))
    return type_


def resolution_of(flags: Iterable[Flag], flag_id: str) -> Flag | None:
    """What has settled a flag of a session; None while nothing has. Refuses a flag that there is not."""
    every = tuple(flags)
    if not any(flag.id == flag_id and flag.resolves is None for flag in every):
        raise FlagNotFound
    return next((flag for flag in every if flag.resolves == flag_id), None)
