"""The life of an exam session as one pure function: what each command does to a session of each status.

Every cell of the matrix stands here, and nothing else decides whether a command is taken. What a command needs beyond
the status (a reason, time that is left) is asked by `domain.exam.moves`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from domain.errors import DomainError
from domain.exam.refusals import (
    AwaitingResult,
    ExamAbandoned,
    ExamAlreadySubmitted,
    ExamInvalidated,
    ExamNotActive,
    ExamNotGraded,
    ExamNotInvalidated,
    ExamNotPaused,
    ExamNotReopenable,
    ExamNotSealed,
    ExamNotStarted,
    ExamPaused,
    ExamTerminated,
    ExamTimeExpired,
)
from domain.exam.sessions import ExamStatus


class Command(StrEnum):
    """What can be asked of a session."""

    START = "start"
    HEARTBEAT = "heartbeat"
    SAVE_ANSWER = "save_answer"
    SUBMIT = "submit"
    RECORD_EVENT = "record_event"
    EXPIRE = "expire"
    PAUSE = "pause"
    RESUME = "resume"
    ADJUST_TIME = "adjust_time"
    FORCE_SUBMIT = "force_submit"
    TERMINATE = "terminate"
    INVALIDATE = "invalidate"
    REINSTATE = "reinstate"
    REOPEN = "reopen"
    COMPLETE_GRADING = "complete_grading"
    REGRADE = "regrade"
    FLAG = "flag"


class Rule(StrEnum):
    """Where a command leads when the status alone does not say it."""

    NEW_SESSION = "new_session"
    EXPIRY_POLICY = "expiry_policy"
    PRIOR_STATUS = "prior_status"


@dataclass(frozen=True, slots=True)
class Leads:
    """The command is carried out, and the session has this status afterwards; None: the one it had."""

    to: ExamStatus | Rule | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """The command changes nothing and is answered with what is stored."""


Cell: TypeAlias = Leads | Nothing | type[DomainError]
_STAYS, _NOOP = Leads(), Nothing()
_S = ExamStatus
_ALL_LIVE = (_S.CREATED, _S.ACTIVE, _S.PAUSED, _S.OVERDUE)
_OVER: Final[Mapping[ExamStatus, Cell]] = {
    _S.SUBMITTED: ExamNotActive,
    _S.FINISHED: ExamNotActive,
    _S.ABANDONED: ExamNotActive,
    _S.TERMINATED: ExamTerminated,
    _S.INVALIDATED: ExamInvalidated,
}


def _everywhere(cell: Cell) -> dict[ExamStatus, Cell]:
    return dict.fromkeys(ExamStatus, cell)


MATRIX: Final[Mapping[Command, Mapping[ExamStatus, Cell]]] = {
    Command.START: {
        _S.CREATED: Leads(_S.ACTIVE),
        _S.ACTIVE: _NOOP,
        _S.PAUSED: _NOOP,
        _S.OVERDUE: _NOOP,
        _S.SUBMITTED: AwaitingResult,
        _S.FINISHED: Leads(Rule.NEW_SESSION),
        _S.ABANDONED: Leads(Rule.NEW_SESSION),
        _S.TERMINATED: Leads(Rule.NEW_SESSION),
        _S.INVALIDATED: Leads(Rule.NEW_SESSION),
    },
    Command.HEARTBEAT: {
        **_OVER,
        _S.CREATED: ExamNotStarted,
        _S.ACTIVE: _STAYS,
        _S.PAUSED: _NOOP,
        _S.OVERDUE: _NOOP,
    },
    Command.SAVE_ANSWER: {
        **_OVER,
        _S.CREATED: ExamNotStarted,
        _S.ACTIVE: _STAYS,
        _S.PAUSED: ExamPaused,
        _S.OVERDUE: ExamTimeExpired,
        _S.SUBMITTED: ExamAlreadySubmitted,
        _S.FINISHED: ExamAlreadySubmitted,
    },
    Command.SUBMIT: {
        _S.CREATED: ExamNotStarted,
        _S.ACTIVE: Leads(_S.SUBMITTED),
        _S.PAUSED: ExamPaused,
        _S.OVERDUE: Leads(_S.SUBMITTED),
        _S.SUBMITTED: _NOOP,
        _S.FINISHED: _NOOP,
        _S.ABANDONED: ExamAbandoned,
        _S.TERMINATED: ExamTerminated,
        _S.INVALIDATED: ExamInvalidated,
    },
    Command.RECORD_EVENT: {**_OVER, **dict.fromkeys(_ALL_LIVE, _STAYS)},
    Command.EXPIRE: {
        **_everywhere(_NOOP),
        _S.CREATED: Leads(_S.ABANDONED),
        _S.ACTIVE: Leads(Rule.EXPIRY_POLICY),
        _S.PAUSED: Leads(Rule.EXPIRY_POLICY),
        _S.OVERDUE: Leads(_S.ABANDONED),
    },
    Command.PAUSE: {
        **_OVER,
        _S.CREATED: ExamNotStarted,
        _S.ACTIVE: Leads(_S.PAUSED),
        _S.PAUSED: _NOOP,
        _S.OVERDUE: ExamTimeExpired,
    },
    Command.RESUME: {
        **_OVER,
        _S.CREATED: ExamNotPaused,
        _S.ACTIVE: _NOOP,
        _S.PAUSED: Leads(_S.ACTIVE),
        _S.OVERDUE: ExamNotPaused,
    },
    Command.ADJUST_TIME: {
        **_OVER,
        _S.CREATED: _STAYS,
        _S.ACTIVE: _STAYS,
        _S.PAUSED: _STAYS,
        _S.OVERDUE: Leads(_S.ACTIVE),
    },
    Command.FORCE_SUBMIT: {
        **_everywhere(Leads(_S.SUBMITTED)),
        _S.CREATED: ExamNotStarted,
        _S.SUBMITTED: _NOOP,
        _S.FINISHED: _NOOP,
        _S.INVALIDATED: ExamInvalidated,
    },
    Command.TERMINATE: {
        **_everywhere(Leads(_S.TERMINATED)),
        _S.SUBMITTED: ExamAlreadySubmitted,
        _S.FINISHED: ExamAlreadySubmitted,
        _S.TERMINATED: _NOOP,
        _S.INVALIDATED: ExamInvalidated,
    },
    Command.INVALIDATE: {
        **_everywhere(Leads(_S.INVALIDATED)),
        _S.CREATED: ExamNotStarted,
        _S.INVALIDATED: _NOOP,
    },
    Command.REINSTATE: {**_everywhere(ExamNotInvalidated), _S.INVALIDATED: Leads(Rule.PRIOR_STATUS)},
    Command.REOPEN: {
        **dict.fromkeys(_ALL_LIVE, ExamNotReopenable),
        _S.SUBMITTED: Leads(_S.ACTIVE),
        _S.FINISHED: Leads(_S.ACTIVE),
        _S.ABANDONED: Leads(_S.ACTIVE),
        _S.TERMINATED: Leads(_S.PAUSED),
        _S.INVALIDATED: ExamInvalidated,
    },
    Command.COMPLETE_GRADING: {
        **_everywhere(ExamNotSealed),
        _S.SUBMITTED: Leads(_S.FINISHED),
        _S.FINISHED: _NOOP,
        _S.INVALIDATED: _NOOP,
    },
    Command.REGRADE: {**_everywhere(ExamNotGraded), _S.FINISHED: _STAYS, _S.INVALIDATED: _STAYS},
    Command.FLAG: _everywhere(_STAYS),
}


def outcome(status: ExamStatus, command: Command) -> Cell:
    """What the matrix says of a command that meets a session of this status."""
    return MATRIX[command][status]


def taken(status: ExamStatus, command: Command) -> Leads | None:
    """Where the command leads; None where it changes nothing. Refuses what the matrix refuses."""
    cell = outcome(status, command)
    if isinstance(cell, Nothing):
        return None
    if isinstance(cell, Leads):
        return cell
    raise cell
