"""Exams over HTTP, as administrators see them: a session with all that is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Raw, convert

from application.exam.overseen import AnswerEntryView, EventView, FlagView, OverseenDetail, OverseenRow, OverseenSession
from domain.exam.connection import Connection
from domain.exam.record import EntrySource
from domain.exam.sessions import ExamStatus
from domain.question_bank.certainty import Certainty
from entrypoints.http.exam.bodies import ExamSessionBody, SubmittedExamSession
from entrypoints.http.exam.rules_bodies import ExamRulesBody
from entrypoints.http.fields import Mark, MarkedBody, MaxMark, PageBody, ResponseBody, When
from entrypoints.http.responses import ShownResponse

USER_ID = "usr_01m7y0w5089re0wwbvvzgw20sa"
ADMIN_ID = "usr_01m7y0w5089re0wwbvvzgw20sb"
FLAG_ID = "flg_01m7y0w5089re0wwbvvzgw20sq"
_Slot = Annotated[int, Meta(description="The place of the question in the paper, from 1")]
_Position = Annotated[int, Meta(description="Its place in the record of the session, from 1")]
_ByStaff = Annotated[str | None, Meta(description="The administrator who did it; null where none did")]
_IfAny = Annotated[When | None, Meta(description="Null where it has not happened")]
_Response = Annotated[
    ShownResponse | None, Meta(description="By the ids that the bank gives the options; null: none, or taken back")
]
_Sure = Annotated[Certainty | None, Meta(description="How sure the student said to be; null where that was not asked")]
_IfGraded = Annotated[Decimal | None, Meta(description="Of the latest grade, as a decimal string; null without one")]
_CertaintyMark = Annotated[
    Decimal | None, Meta(description="Marks by certainty, as a decimal string; null where it is not asked for")
]
_Object = {"type": "object", "additionalProperties": True}


class ExamAccommodation(MarkedBody):
    """The time that a student has beyond what the exam allows."""

    multiplier: Annotated[Decimal, Meta(description="What the time is multiplied by, as a decimal string")]
    extra_seconds: Annotated[int, Meta(description="What is added to that")]

    example: ClassVar[Mapping[str, Any]] = {"multiplier": "1.25", "extraSeconds": 0}


class AdminExamSession(ExamSessionBody):
    """An exam session as administrators see it: whose it is, and who interfered."""

    user_id: str
    tier_id: str
    connection: Annotated[
        Connection,
        Meta(
            description="By the last heartbeat, or the start: `connected` up to 30 seconds, `unstable` up to 90, `lost`"
            " beyond; `none` where the session is not active"
        ),
    ]
    accommodation: Annotated[ExamAccommodation, Meta(description="As it was granted when the session began, or later")]
    adjust_seconds: Annotated[int, Meta(description="What administrators gave, or took where it is below 0")]
    paused_seconds: Annotated[int, Meta(description="How long it was paused, but for a pause that goes on")]
    sealed_by: _ByStaff
    seal_note: Annotated[str | None, Meta(description="Why an administrator ended it; null where none did")]
    status_before_invalidation: Annotated[ExamStatus | None, Meta(description="Null unless it was declared invalid")]
    invalidated_at: _IfAny
    invalidated_by: _ByStaff
    invalidation_reason: Annotated[str | None, Meta(description="Null unless it was declared invalid")]

    example: ClassVar[Mapping[str, Any]] = {
        **ExamSessionBody.example,
        "userId": USER_ID,
        "tierId": "tier_01m7y0w5089re0wwbvvzgw20sg",
        "connection": "connected",
        "accommodation": ExamAccommodation.example,
        "adjustSeconds": 300,
        "pausedSeconds": 0,
        "sealedBy": None,
        "sealNote": None,
        "statusBeforeInvalidation": None,
        "invalidatedAt": None,
        "invalidatedBy": None,
        "invalidationReason": None,
    }


class ListedExamSession(AdminExamSession):
    """An exam session in a list, with its student's name."""

    user_name: str
    user_email: str
    open_flags: Annotated[int, Meta(description="How many of its flags are not resolved")]

    example: ClassVar[Mapping[str, Any]] = {
        **AdminExamSession.example,
        "userName": "Ada Lovelace",
        "userEmail": "ada@example.org",
        "openFlags": 0,
    }


class ListedExamSessionPage(PageBody):
    """A page of everybody's exam sessions."""

    items: list[ListedExamSession]

    example: ClassVar[Mapping[str, Any]] = {"items": [ListedExamSession.example], "nextCursor": None}


class OverseenExamSlotBody(MarkedBody):
    """What became of one question; its text and its key are in the question bank."""

    slot: _Slot
    section: Annotated[int, Meta(description="The section of the paper, from 0")]
    question_id: str
    version: Annotated[int, Meta(description="The version of the question that is asked")]
    topic_id: Annotated[str | None, Meta(description="Null: the question has no topic")]
    max_mark: MaxMark
    response: _Response
    revision: Annotated[int, Meta(description="How often the answer was changed")]
    certainty: _Sure
    answered_at: Annotated[When | None, Meta(description="The instant that the answer counts for")]
    flagged: Annotated[bool, Meta(description="Whether the student wanted to come back to the question")]
    correct: Annotated[
        bool | None, Meta(description="Whether the answer is wholly right; null without answer or grade")
    ]
    mark: _IfGraded
    certainty_mark: _IfGraded

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "section": 0,
        "questionId": "qst_01m7y0w5089re0wwbvvzgw20sm",
        "version": 3,
        "topicId": None,
        "maxMark": "1",
        "response": ShownResponse.example,
        "revision": 2,
        "certainty": None,
        "answeredAt": "2026-03-02T09:04:10Z",
        "flagged": False,
        "correct": True,
        "mark": "1",
        "certaintyMark": None,
    }


class ExamGradeBody(MarkedBody):
    """One revision of the grade. Revisions are never changed; the last one counts."""

    revision: Annotated[int, Meta(description="From 1")]
    mark: Mark
    max_mark: MaxMark
    certainty_mark: _CertaintyMark
    passed: bool
    mode: Annotated[str, Meta(description="By which keys it was made; `as_asked`: those of the questions as asked")]
    voids: Annotated[list[str], Meta(description="The voided questions that it regards")]
    reason: Annotated[str | None, Meta(description="Why it was graded again; null of the first")]
    graded_at: When
    graded_by: _ByStaff

    example: ClassVar[Mapping[str, Any]] = {
        "revision": 1,
        "mark": "38.5",
        "maxMark": "50",
        "certaintyMark": None,
        "passed": True,
        "mode": "as_asked",
        "voids": [],
        "reason": None,
        "gradedAt": "2026-03-02T10:12:00Z",
        "gradedBy": None,
    }


class ExamFlagBody(ResponseBody):
    """A remark about a session. Remarks are never changed; another one resolves them."""

    id: str
    type: str
    note: Annotated[str | None, Meta(description="What there is to say about it; null: nothing")]
    created_by: Annotated[str | None, Meta(description="The administrator; null: the system")]
    created_at: When
    resolved_at: _IfAny
    resolved_by: _ByStaff
    resolution: Annotated[str | None, Meta(description="What was said when it was resolved")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": FLAG_ID,
        "type": "second_person",
        "note": "Somebody came in at 9:20",
        "createdBy": ADMIN_ID,
        "createdAt": "2026-03-02T09:21:00Z",
        "resolvedAt": None,
        "resolvedBy": None,
        "resolution": None,
    }


class ExamEventCounts(ResponseBody):
    """How many events the record of a session holds."""

    total: Annotated[int, Meta(description="Of all types")]
    by_type: dict[str, int]

    example: ClassVar[Mapping[str, Any]] = {"total": 3, "byType": {"session_started": 1, "focus_lost": 2}}


class ExamSessionDetail(ListedExamSession):
    """An exam session with all that is kept of it but the texts of its questions."""

    rules: ExamRulesBody
    snapshot: Annotated[
        Raw,
        Meta(
            description="The object that the last heartbeat brought; null without one",
            extra_json_schema={"type": ["object", "null"], "additionalProperties": True},
        ),
    ]
    slots: list[OverseenExamSlotBody]
    grades: Annotated[list[ExamGradeBody], Meta(description="The first first")]
    flags: Annotated[list[ExamFlagBody], Meta(description="The first first")]
    events: ExamEventCounts
    record_length: Annotated[int, Meta(description="How many entries its record has, answers and events")]
    record_hash: Annotated[str, Meta(description="The last link of its record, 64 hexadecimal digits; empty: no entry")]

    example: ClassVar[Mapping[str, Any]] = {
        **ListedExamSession.example,
        **SubmittedExamSession.example,
        "connection": "none",
        "rules": ExamRulesBody.example,
        "snapshot": {"slot": 3, "draft": "10.1"},
        "slots": [OverseenExamSlotBody.example],
        "grades": [ExamGradeBody.example],
        "flags": [ExamFlagBody.example],
        "events": ExamEventCounts.example,
        "recordLength": 8,
        "recordHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }


class OverseenExamEvent(ResponseBody):
    """An event of the record: something that the student's browser told, that staff did, or that time brought."""

    position: _Position
    id: str
    type: str
    source: EntrySource
    actor_id: Annotated[str | None, Meta(description="The administrator; null where it was none")]
    at: Annotated[When, Meta(description="When it was recorded")]
    effective_at: Annotated[When, Meta(description="What it tells of: for a gap, the last sign of life before it")]
    client_event_id: Annotated[str | None, Meta(description="The name that its maker gave it; null: none")]
    client_ts: Annotated[When | None, Meta(description="When it happened by the client's clock")]
    payload: Annotated[Raw, Meta(description="An object, as it is kept", extra_json_schema=_Object)]

    example: ClassVar[Mapping[str, Any]] = {
        "position": 4,
        "id": "evt_01m7y0w5089re0wwbvvzgw20sn",
        "type": "focus_lost",
        "source": "student",
        "actorId": None,
        "at": "2026-03-02T09:10:00Z",
        "effectiveAt": "2026-03-02T09:10:00Z",
        "clientEventId": "b1f4",
        "clientTs": None,
        "payload": {"seconds": 4},
    }


class OverseenExamEventPage(PageBody):
    """A page of the events of a session."""

    items: list[OverseenExamEvent]

    example: ClassVar[Mapping[str, Any]] = {"items": [OverseenExamEvent.example], "nextCursor": None}


class ExamAnswerEntry(ResponseBody):
    """One answer that was accepted, whether or not it was the last one."""

    position: _Position
    slot: _Slot
    revision: Annotated[int, Meta(description="Which answer to the question it was, from 1")]
    response: _Response
    certainty: _Sure
    autosave: Annotated[bool, Meta(description="Whether the client saved it by itself")]
    at: Annotated[When, Meta(description="When it was received")]
    effective_at: Annotated[When, Meta(description="The instant that it counts for, never after the deadline")]

    example: ClassVar[Mapping[str, Any]] = {
        "position": 3,
        "slot": 1,
        "revision": 2,
        "response": ShownResponse.example,
        "certainty": None,
        "autosave": False,
        "at": "2026-03-02T09:04:10Z",
        "effectiveAt": "2026-03-02T09:04:10Z",
    }


class ExamAnswerEntryPage(PageBody):
    """A page of the answers of a session."""

    items: list[ExamAnswerEntry]

    example: ClassVar[Mapping[str, Any]] = {"items": [ExamAnswerEntry.example], "nextCursor": None}


def overseen_body(view: OverseenSession) -> AdminExamSession:
    return convert(_together(view.session, view), AdminExamSession, from_attributes=True)


def listed_body(row: OverseenRow) -> ListedExamSession:
    return convert(_together(row.overseen.session, row.overseen, row), ListedExamSession, from_attributes=True)


def detail_body(view: OverseenDetail) -> ExamSessionDetail:
    told = _together(view.row.overseen.session, view.row.overseen, view.row, view)
    told.events = ExamEventCounts(total=sum(view.events.values()), by_type=dict(view.events))
    told.record_length, told.record_hash = view.record_count, view.record_hash.hex()
    told.snapshot = Raw(view.snapshot or b"null")
    return convert(told, ExamSessionDetail, from_attributes=True)


def overseen_event_body(view: EventView) -> OverseenExamEvent:
    told = _together(view)
    told.client_ts, told.payload = view.client_at, Raw(view.content.encode())
    return convert(told, OverseenExamEvent, from_attributes=True)


def answer_entry_body(view: AnswerEntryView) -> ExamAnswerEntry:
    return convert(view, ExamAnswerEntry, from_attributes=True)


def flag_body(view: FlagView) -> ExamFlagBody:
    return convert(view, ExamFlagBody, from_attributes=True)


def _together(*views: Any) -> SimpleNamespace:
    """Several views as one, for a body that does not nest them."""
    return SimpleNamespace(**{each.name: getattr(view, each.name) for view in views for each in fields(view)})
