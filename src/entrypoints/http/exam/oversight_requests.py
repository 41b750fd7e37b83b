"""Exams over HTTP: what administrators send to interfere with sessions, and what many at once are answered."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from application.exam.adjusting import MOST_SESSIONS, Adjusted, AdjustedSession, AdjustedSessions, Adjustment
from domain.exam.accommodations import MAX_EXTRA_SECONDS, MAX_MULTIPLIER
from domain.exam.flags import MAX_NOTE, MAX_TYPE
from domain.exam.moves import MAX_REASON
from entrypoints.http.decimals import MULTIPLIER
from entrypoints.http.exam.bodies import SESSION_ID
from entrypoints.http.exam.oversight_bodies import USER_ID
from entrypoints.http.fields import Id, RequestBody, ResponseBody, When
from entrypoints.http.refusals import invalid

_DAY = 24 * 3600
_Text = Annotated[str, Meta(max_length=MAX_REASON)]
# Whether there is one is a rule of exams, with a code of its own.
_Needed = Annotated[_Text, Meta(description="Why: needed, and kept in the audit log and with the session")]
_Optional = Annotated[_Text, Meta(description="Why, for those who read the audit log later")]
_Seconds = Annotated[int, Meta(ge=-_DAY, le=_DAY, description="How many seconds more; below 0: less; not 0")]
_Note = Annotated[Annotated[str, Meta(max_length=MAX_NOTE)] | None, Meta(description="What there is to say about it")]
_REASON = "The fire alarm went off"


class ExamActRequest(RequestBody):
    """Why an exam is interfered with."""

    reason: _Needed = ""

    example: ClassVar[Mapping[str, Any]] = {"reason": _REASON}


class ExamActWithoutNeedRequest(RequestBody):
    """Why an exam is interfered with, where that goes without saying."""

    reason: _Optional = ""

    example: ClassVar[Mapping[str, Any]] = {"reason": "The student asked for it"}


class AdjustTimeRequest(RequestBody):
    """How much time is given or taken, and why."""

    seconds: _Seconds
    reason: _Needed = ""

    example: ClassVar[Mapping[str, Any]] = {"seconds": 300, "reason": _REASON}

    def any_seconds(self) -> int:
        """Refuses none."""
        return _any(self.seconds)


class ReopenExamRequest(RequestBody):
    """Why a session goes on, and how much more time it has."""

    reason: _Needed = ""
    extra_seconds: Annotated[int, Meta(ge=0, le=_DAY, description="How many seconds more it has; 0 unless told")] = 0

    example: ClassVar[Mapping[str, Any]] = {"reason": "The connection of the room failed", "extraSeconds": 900}


class NamedExamSession(RequestBody):
    """One session of somebody."""

    user_id: Id
    session_id: Id

    example: ClassVar[Mapping[str, Any]] = {"userId": USER_ID, "sessionId": SESSION_ID}


_Sessions = Annotated[list[NamedExamSession], Meta(min_length=1, max_length=MOST_SESSIONS)]


class AdjustTimesRequest(RequestBody):
    """How much time is given or taken of many sessions at once, and why."""

    adjustment_id: Annotated[
        Id,
        Meta(
            description="Made up once for every adjustment that is meant: a session takes it once, however often sent"
        ),
    ]
    seconds: _Seconds
    reason: _Needed = ""
    sessions: Annotated[_Sessions | None, Meta(description="Of these sessions; in place of `examPackageId`")] = None
    exam_package_id: Annotated[Id | None, Meta(description="Of all sessions that are live in this package")] = None

    example: ClassVar[Mapping[str, Any]] = {
        "adjustmentId": "alarm-2026-03-02",
        "seconds": 300,
        "reason": _REASON,
        "sessions": [NamedExamSession.example],
    }

    def adjustment(self) -> Adjustment:
        """Refuses sessions and a package, or neither, and no time at all."""
        if (self.sessions is None) == (self.exam_package_id is None):
            raise invalid("/sessions", "ambiguous", "Send sessions or examPackageId, one of them")
        return Adjustment(
            id=self.adjustment_id,
            seconds=_any(self.seconds),
            reason=self.reason,
            sessions=tuple((each.user_id, each.session_id) for each in self.sessions or ()),
            exam_package_id=self.exam_package_id,
        )


class AdjustedExamSession(ResponseBody):
    """What became of one session."""

    user_id: str
    session_id: str
    result: Annotated[Adjusted, Meta(description="`pending`: not decided yet, ask again")]
    deadline: Annotated[When | None, Meta(description="With the time; null where nothing ends it, or it has not")]
    code: Annotated[str | None, Meta(description="Of the refusal; null where there is none")]
    detail: Annotated[str | None, Meta(description="Of the refusal; null where there is none")]


class AdjustedExamSessions(ResponseBody):
    """What became of each session. Unless `complete`, the same request is to be sent again."""

    complete: bool
    adjusted: Annotated[int, Meta(description="How many have the time")]
    refused: Annotated[int, Meta(description="How many cannot have it")]
    pending: Annotated[int, Meta(description="How many are to be asked for again")]
    sessions: list[AdjustedExamSession]

    example: ClassVar[Mapping[str, Any]] = {
        "complete": True,
        "adjusted": 1,
        "refused": 0,
        "pending": 0,
        "sessions": [
            {
                "userId": USER_ID,
                "sessionId": SESSION_ID,
                "result": "adjusted",
                "deadline": "2026-03-02T10:35:00Z",
                "code": None,
                "detail": None,
            }
        ],
    }


class FlagExamRequest(RequestBody):
    """A remark about a session."""

    type: Annotated[str, Meta(min_length=1, max_length=MAX_TYPE, description="In a word, as `second_person`")]
    note: _Note = None

    example: ClassVar[Mapping[str, Any]] = {"type": "second_person", "note": "Somebody came in at 9:20"}


class ResolveFlagRequest(RequestBody):
    """What settles a remark."""

    note: _Note = None

    example: ClassVar[Mapping[str, Any]] = {"note": "It was the invigilator"}


class AccommodationRequest(RequestBody):
    """How much more time somebody has, and why."""

    multiplier: Annotated[
        Annotated[str, Meta(pattern=MULTIPLIER, max_length=6)] | Annotated[int, Meta(ge=1, le=int(MAX_MULTIPLIER))],
        Meta(description="What the time of exams is multiplied by, 1 to 10, as `1.25`; 1 unless told"),
    ] = 1
    extra_seconds: Annotated[
        int, Meta(ge=0, le=MAX_EXTRA_SECONDS, description="What is added to that; 0 unless told")
    ] = 0
    reason: _Needed = ""
    apply_to_live: Annotated[
        bool, Meta(description="Whether exams that are live have it too; none of them ends earlier by it")
    ] = False

    example: ClassVar[Mapping[str, Any]] = {"multiplier": "1.25", "reason": "A certificate of 2026-01-12"}

    @property
    def factor(self) -> Decimal:
        return Decimal(self.multiplier)


def adjusted_body(adjusted: AdjustedSessions) -> AdjustedExamSessions:
    results = [each.result for each in adjusted.sessions]
    return AdjustedExamSessions(
        complete=adjusted.complete,
        adjusted=results.count(Adjusted.ADJUSTED),
        refused=results.count(Adjusted.REFUSED),
        pending=results.count(Adjusted.PENDING),
        sessions=[_adjusted(each) for each in adjusted.sessions],
    )


def _any(seconds: int) -> int:
    """To give no time is nothing that could be put on record."""
    if not seconds:
        raise invalid("/seconds", "out_of_range", "Give some time, or take some")
    return seconds


def _adjusted(each: AdjustedSession) -> AdjustedExamSession:
    return AdjustedExamSession(
        user_id=each.user_id,
        session_id=each.session_id,
        result=each.result,
        deadline=each.deadline,
        code=None if each.refusal is None else each.refusal.code,
        detail=None if each.refusal is None else each.refusal.detail,
    )
