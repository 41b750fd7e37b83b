"""Exams over HTTP: a session, its paper, and what is told of an answer, a heartbeat or an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Raw, convert

from application.exam.views import AnswerSaved, EventRecorded, Instruction, PaperView, Pulse, SessionView
from domain.enrollment.settings import Navigation
from domain.exam.sessions import ExamStatus, SealReason
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import TextFormat
from domain.question_bank.kinds import QuestionKind
from entrypoints.http.fields import Mark, MarkedBody, MaxMark, PageBody, ResponseBody, When
from entrypoints.http.responses import ShownResponse

_Slot = Annotated[int, Meta(description="The place of the question in the paper, from 1")]
_Deadline = Annotated[
    When | None, Meta(description="When the time is over; of a paused exam as if it went on now. Null: nothing ends it")
]
_Remaining = Annotated[
    int | None, Meta(description="Whole seconds to the deadline, rounded up; null without one, and once it is over")
]
_AttemptNo = Annotated[int, Meta(description="Which attempt of the student in this package it is, from 1")]
_LastSeq = Annotated[int, Meta(description="The highest number of a heartbeat so far")]
_Revision = Annotated[int, Meta(description="How often the answer was changed: what the next one is based on")]
SESSION_ID = "exs_01m7y0w5089re0wwbvvzgw20sk"
_QUESTION_ID = "qst_01m7y0w5089re0wwbvvzgw20sm"


class ExamTotals(MarkedBody):
    """What a finished exam came to."""

    mark: Mark
    max_mark: MaxMark
    percent: Annotated[Decimal, Meta(description="Of the marks that can be had, as a decimal string, two places")]
    passed: Annotated[bool, Meta(description="Whether the pass mark was reached")]

    example: ClassVar[Mapping[str, Any]] = {
        "mark": "38.5",
        "maxMark": "50",
        "percent": "77",
        "passed": True,
    }


class ExamSessionBody(ResponseBody):
    """An exam session: one attempt."""

    id: str
    exam_package_id: str
    status: ExamStatus
    attempt_no: _AttemptNo
    created_at: When
    started_at: Annotated[When | None, Meta(description="Null while the start waits to be authorised")]
    deadline: _Deadline
    remaining_seconds: _Remaining
    paused_at: Annotated[When | None, Meta(description="Null unless it is paused")]
    paused_by_staff: Annotated[bool, Meta(description="Whether only staff can end the pause")]
    submitted_at: Annotated[When | None, Meta(description="When it ended, whatever ended it; null while it is live")]
    seal_reason: Annotated[SealReason | None, Meta(description="What ended it; null while it is live")]
    late: Annotated[bool, Meta(description="Whether it was handed in after the deadline")]
    last_seq: _LastSeq
    last_heartbeat_at: Annotated[When | None, Meta(description="Null until the first one")]
    result: Annotated[ExamTotals | None, Meta(description="Null unless it is finished")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf",
        "status": "active",
        "attemptNo": 1,
        "createdAt": "2026-03-02T09:00:00Z",
        "startedAt": "2026-03-02T09:00:00Z",
        "deadline": "2026-03-02T10:30:00Z",
        "remainingSeconds": 5400,
        "pausedAt": None,
        "pausedByStaff": False,
        "submittedAt": None,
        "sealReason": None,
        "late": False,
        "lastSeq": 0,
        "lastHeartbeatAt": None,
        "result": None,
    }


class ExamSessionWithSnapshot(ExamSessionBody):
    """An exam session with what its client left to find again."""

    snapshot: Annotated[
        Raw,
        Meta(
            description="The object that the last heartbeat brought; null without one",
            extra_json_schema={"type": ["object", "null"], "additionalProperties": True},
        ),
    ]

    example: ClassVar[Mapping[str, Any]] = {
        **ExamSessionBody.example,
        "lastSeq": 7,
        "lastHeartbeatAt": "2026-03-02T09:10:00Z",
        "remainingSeconds": 4800,
        "snapshot": {"slot": 3, "draft": "10.1"},
    }


class SubmittedExamSession(ExamSessionBody):
    """An exam session as it was handed in, with what it came to."""

    example: ClassVar[Mapping[str, Any]] = {
        **ExamSessionBody.example,
        "status": "finished",
        "remainingSeconds": None,
        "submittedAt": "2026-03-02T10:12:00Z",
        "sealReason": "student",
        "result": ExamTotals.example,
    }


class ExamSessionPage(PageBody):
    """A page of exam sessions."""

    items: list[ExamSessionBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [SubmittedExamSession.example], "nextCursor": None}


class ExamChoice(ResponseBody):
    """An option of a question."""

    id: str
    text: str
    format: TextFormat


class ExamPaperSlot(MarkedBody):
    """A question as it is asked, with the caller's own answer: no key, no explanation."""

    slot: _Slot
    section: Annotated[int, Meta(description="The section of the paper, from 0")]
    question_id: str
    kind: QuestionKind
    stem: Annotated[str, Meta(description="The text of the question")]
    stem_format: TextFormat
    choices: Annotated[list[ExamChoice], Meta(description="In the order of this paper; their ids are its own")]
    prompts: Annotated[list[ExamChoice], Meta(description="What options are matched to; none of other kinds")]
    max_mark: MaxMark
    response: Annotated[ShownResponse | None, Meta(description="The caller's own answer; null without one")]
    revision: _Revision
    certainty: Annotated[
        Certainty | None, Meta(description="How sure the caller said to be; null without an answer or where not asked")
    ]
    answered_at: Annotated[When | None, Meta(description="The instant that the answer counts for")]
    flagged: Annotated[bool, Meta(description="Whether the caller wants to come back to the question")]

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "section": 0,
        "questionId": _QUESTION_ID,
        "kind": "single",
        "stem": "Which address is private?",
        "stemFormat": "plain",
        "choices": [
            {"id": "B", "text": "10.1.2.3", "format": "plain"},
            {"id": "A", "text": "8.8.8.8", "format": "plain"},
        ],
        "prompts": [],
        "maxMark": "1",
        "response": None,
        "revision": 0,
        "certainty": None,
        "answeredAt": None,
        "flagged": False,
    }


class ExamPaper(ResponseBody):
    """The questions of an exam, and how they may be answered."""

    navigation: Annotated[Navigation, Meta(description="Whether a question that was passed may be answered again")]
    certainty: Annotated[bool, Meta(description="Whether each answer is asked how sure it is")]
    pause_allowed: Annotated[bool, Meta(description="Whether the student may pause, where no time is running")]
    furthest_slot: Annotated[int, Meta(description="In a linear exam what lies before this slot stays as it is")]
    slots: list[ExamPaperSlot]

    example: ClassVar[Mapping[str, Any]] = {
        "navigation": "free",
        "certainty": False,
        "pauseAllowed": False,
        "furthestSlot": 0,
        "slots": [ExamPaperSlot.example],
    }


class ExamSessionWithPaper(ExamSessionBody):
    """An exam session with its paper."""

    paper: Annotated[ExamPaper | None, Meta(description="Null while the start waits to be authorised")]

    example: ClassVar[Mapping[str, Any]] = {**ExamSessionBody.example, "paper": ExamPaper.example}


class ExamPaperInTime(ExamPaper):
    """The paper of an exam, and how much time is left for it."""

    id: Annotated[str, Meta(description="The session")]
    status: ExamStatus
    attempt_no: _AttemptNo
    deadline: _Deadline
    remaining_seconds: _Remaining
    last_seq: _LastSeq

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "status": "active",
        "attemptNo": 1,
        "deadline": "2026-03-02T10:30:00Z",
        "remainingSeconds": 4800,
        "lastSeq": 7,
        **ExamPaper.example,
    }


class ExamHeartbeat(ResponseBody):
    """How a session stands. `id` is another one's where another session of the exam is live."""

    id: str
    status: ExamStatus
    server_time: When
    deadline: _Deadline
    remaining_seconds: _Remaining
    last_seq: _LastSeq
    stale: Annotated[bool, Meta(description="Whether it came after a later one, or for another session than `id`")]
    instructions: Annotated[
        list[Instruction], Meta(description="`paused`: ask for no answers; `submit`: hand in now, the time is over")
    ]

    example: ClassVar[Mapping[str, Any]] = {
        "id": SESSION_ID,
        "status": "active",
        "serverTime": "2026-03-02T09:10:00Z",
        "deadline": "2026-03-02T10:30:00Z",
        "remainingSeconds": 4800,
        "lastSeq": 7,
        "stale": False,
        "instructions": [],
    }


class SavedExamAnswer(ResponseBody):
    """The answer that stands. `stale`: it is another one than was sent, and was changed meanwhile."""

    slot: _Slot
    revision: _Revision
    saved_at: Annotated[When | None, Meta(description="The instant that it counts for; null while there is none")]
    flagged: bool
    stale: bool

    example: ClassVar[Mapping[str, Any]] = {
        "slot": 1,
        "revision": 1,
        "savedAt": "2026-03-02T09:04:10Z",
        "flagged": False,
        "stale": False,
    }


class ExamEvent(ResponseBody):
    """An event in the record of a session."""

    id: str
    type: str
    at: Annotated[When, Meta(description="When it was recorded")]
    client_event_id: Annotated[str | None, Meta(description="The client's name for it; null without one")]

    example: ClassVar[Mapping[str, Any]] = {
        "id": "evt_01m7y0w5089re0wwbvvzgw20sn",
        "type": "focus_lost",
        "at": "2026-03-02T09:10:00Z",
        "clientEventId": "b1f4",
    }


def session_body(view: SessionView) -> ExamSessionBody:
    return convert(view, ExamSessionBody, from_attributes=True)


def submitted_body(view: SessionView) -> SubmittedExamSession:
    return convert(view, SubmittedExamSession, from_attributes=True)


def snapshot_body(view: SessionView) -> ExamSessionWithSnapshot:
    told = _attributes(view)
    told.snapshot = Raw(view.snapshot or b"null")
    return convert(told, ExamSessionWithSnapshot, from_attributes=True)


def started_body(session: SessionView, paper: PaperView | None) -> ExamSessionWithPaper:
    told = _attributes(session)
    told.paper = paper
    return convert(told, ExamSessionWithPaper, from_attributes=True)


def paper_body(view: PaperView) -> ExamPaperInTime:
    return convert(_attributes(view.session, view), ExamPaperInTime, from_attributes=True)


def heartbeat_body(view: Pulse) -> ExamHeartbeat:
    return convert(view, ExamHeartbeat, from_attributes=True)


def saved_body(view: AnswerSaved) -> SavedExamAnswer:
    return convert(view, SavedExamAnswer, from_attributes=True)


def event_body(view: EventRecorded) -> ExamEvent:
    return convert(view, ExamEvent, from_attributes=True)


def _attributes(*views: Any) -> SimpleNamespace:
    """Several views as one, for a body that does not nest them."""
    return SimpleNamespace(**{field.name: getattr(view, field.name) for view in views for field in fields(view)})
