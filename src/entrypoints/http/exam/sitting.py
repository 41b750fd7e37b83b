"""Exams over HTTP: students sit them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ControllerRouterHandler

from application.auth.claimants import Caller
from application.exam.answering import SaveAnswer
from application.exam.events import RecordEvent
from application.exam.pausing import PauseOwnExam, ResumeOwnExam
from application.exam.ports.reading import WantedExams
from application.exam.pulse import Heartbeat
from application.exam.reading import ListExamSessions, ReadExamSession, ReadPaper
from application.exam.submitting import SubmitExam
from application.exam.views import EventRecorded
from domain.auth.people import Actor, Role
from domain.exam.refusals import (
    EventRate,
    EventTooLarge,
    EventTypeUnknown,
    ExamAbandoned,
    ExamAlreadySubmitted,
    ExamInvalidated,
    ExamNotActive,
    ExamNotPaused,
    ExamNotStarted,
    ExamPaused,
    ExamSessionNotFound,
    ExamSlotNotFound,
    ExamTerminated,
    ExamTimeExpired,
    NoReturn,
    PackageAmbiguous,
    PausedByStaff,
    PauseNotAllowed,
    SnapshotTooLarge,
    StaleWrite,
)
from domain.question_bank.questions import AnswerInvalid
from entrypoints.http.exam.answers import (
    HeartbeatRequest,
    NothingRequest,
    RecordExamEventRequest,
    SaveExamAnswerRequest,
    SubmitExamRequest,
)
from entrypoints.http.exam.bodies import (
    ExamEvent,
    ExamHeartbeat,
    ExamPaperInTime,
    ExamSessionBody,
    ExamSessionPage,
    ExamSessionWithSnapshot,
    SavedExamAnswer,
    SubmittedExamSession,
    event_body,
    heartbeat_body,
    paper_body,
    saved_body,
    session_body,
    snapshot_body,
    submitted_body,
)
from entrypoints.http.exam.filters import OnlyPackage, OnlyStatuses, statuses_of
from entrypoints.http.exam.starting import STARTING
from entrypoints.http.idempotency import once
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.replies import Reply
from entrypoints.http.requests import ApiRequest

_SLOT: Final = re.compile(r"[1-9][0-9]{0,8}")
_STUDENTS: Final = {"callers": (Role.STUDENT,)}
_ONE: Final = {**_STUDENTS, "refusals": (ExamSessionNotFound,)}
_OVER: Final = (ExamNotActive, ExamTerminated, ExamInvalidated)
_ANSWERING: Final = (ExamSlotNotFound, AnswerInvalid, NoReturn, StaleWrite)


@get("/exam-sessions", summary="List own exam sessions", operation_id="listExamSessions", opt=_STUDENTS)
async def list_sessions(
    request: ApiRequest,
    actor: NamedDependency[Actor],
    paging: NamedDependency[Paging],
    list_exam_sessions: Injected[ListExamSessions],
    exam_package_id: OnlyPackage = None,
    statuses: OnlyStatuses = None,
) -> Response[ExamSessionPage]:
    """The caller's exam sessions, the newest first. What time has ended is told as ended."""
    before: tuple[datetime, str] | None = paging.after(datetime, str)
    wanted = WantedExams(exam_package_id=exam_package_id, statuses=statuses_of(statuses))
    found = await list_exam_sessions(actor, wanted, before, paging.limit + 1)
    return page(
        request,
        paging,
        found,
        key=lambda view: (view.created_at, view.id),
        item=session_body,
        body=ExamSessionPage,
    )


@get("/exam-sessions/{session_id:str}", summary="Read an exam session", operation_id="getExamSession", opt=_ONE)
async def get_session(
    session_id: FromPath[str], actor: NamedDependency[Actor], read_exam_session: Injected[ReadExamSession]
) -> ExamSessionWithSnapshot:
    """An exam session as it stands, with the last snapshot that its client left."""
    return snapshot_body(await read_exam_session(actor, session_id))


@get(
    "/exam-sessions/{session_id:str}/paper",
    summary="Read the paper",
    operation_id="getExamPaper",
    opt={**_STUDENTS, "refusals": (ExamSessionNotFound, ExamNotStarted, *_OVER)},
)
async def get_paper(
    session_id: FromPath[str], actor: NamedDependency[Actor], read_paper: Injected[ReadPaper]
) -> ExamPaperInTime:
    """All that a browser needs to go on: the paper, the own answers with their revisions, and the time that is left."""
    return paper_body(await read_paper(actor, session_id))


@post(
    "/exam-sessions/{session_id:str}/heartbeat",
    summary="Send a sign of life",
    operation_id="sendExamHeartbeat",
    status_code=200,
    opt={
        **_STUDENTS,
        "refusals": (
            ExamSessionNotFound,
            SnapshotTooLarge,
            ExamNotStarted,
            *_OVER,
            PackageAmbiguous,
            *STARTING,
        ),
        "claimant": True,
    },
)
async def send_heartbeat(
    session_id: FromPath[str],
    caller: Injected[Caller],
    data: JSONBody[HeartbeatRequest],
    heartbeat: Injected[Heartbeat],
) -> ExamHeartbeat:
    """Every 10 seconds: the exam is still being sat. The answer tells how the session stands and what to do.

    A heartbeat that comes after a later one, by `seq`, changes nothing. Under the id of a session that is not known yet
    it starts an exam of the package that the caller is enrolled in. Repeating it is safe; `Idempotency-Key` is not
    looked at.
    """
    return heartbeat_body(await heartbeat(caller, session_id, data.beat()))


@post(
    "/exam-sessions/{session_id:str}/events",
    summary="Record an event",
    operation_id="recordExamEvent",
    opt={
        **_STUDENTS,
        "refusals": (ExamSessionNotFound, EventTypeUnknown, EventTooLarge, *_OVER, EventRate),
        "also_answers": (200,),
    },
)
async def record(
    request: ApiRequest,
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    data: JSONBody[RecordExamEventRequest],
    record_event: Injected[RecordEvent],
) -> Response[ExamEvent]:
    """Something happened where the exam is sat. It is kept, and changes nothing about the exam.

    An event that the client has named is recorded once: sent again, it is answered as it was recorded, with 200.
    """
    event = data.event()
    return await once(request, actor, lambda: record_event(actor, session_id, event), _recorded)


@put(
    "/exam-sessions/{session_id:str}/answers/{slot:str}",
    summary="Save an answer",
    operation_id="saveExamAnswer",
    opt={
        **_STUDENTS,
        "refusals": (
            ExamSessionNotFound,
            ExamNotStarted,
            ExamPaused,
            ExamTimeExpired,
            ExamAlreadySubmitted,
            *_OVER,
            *_ANSWERING,
        ),
        "claimant": True,
    },
)
async def save(
    request: ApiRequest,
    session_id: FromPath[str],
    slot: FromPath[str],
    caller: Injected[Caller],
    data: JSONBody[SaveExamAnswerRequest],
    save_answer: Injected[SaveAnswer],
) -> Response[SavedExamAnswer]:
    """Answer a question, as often as one likes until the end. Once this is answered, the answer is kept.

    `baseRevision` says which answer is changed. Has it been changed since, in another tab perhaps, the answer is
    refused with `currentRevision`; an `autosave` is answered with `stale` instead. The same answer again, and a flag by
    itself, make no new revision: whoever lost the reply sends the same once more.
    """
    answer = data.answer(_slot_number(slot))
    return await once(request, caller, lambda: save_answer(caller, session_id, answer), saved_body)


@post(
    "/exam-sessions/{session_id:str}/submit",
    summary="Hand an exam in",
    operation_id="submitExam",
    status_code=200,
    opt={
        **_STUDENTS,
        "refusals": (
            ExamSessionNotFound,
            ExamNotStarted,
            ExamPaused,
            ExamTimeExpired,
            ExamAbandoned,
            ExamTerminated,
            ExamInvalidated,
            *_ANSWERING,
        ),
    },
)
async def submit(
    request: ApiRequest,
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    submit_exam: Injected[SubmitExam],
    data: JSONBody[SubmitExamRequest | None] = None,
) -> Response[SubmittedExamSession]:
    """The exam is handed in and graded at once. Last answers may come with it: all of them are taken, or nothing is.

    Handing in again is answered with what came of the first time, whatever is sent with it.
    """
    answers = () if data is None else data.given()
    return await once(request, actor, lambda: submit_exam(actor, session_id, answers), submitted_body)


@post(
    "/exam-sessions/{session_id:str}/pause",
    summary="Pause an exam",
    operation_id="pauseOwnExam",
    status_code=200,
    opt={
        **_STUDENTS,
        "refusals": (ExamSessionNotFound, ExamNotStarted, ExamTimeExpired, *_OVER, PauseNotAllowed),
    },
)
async def pause(
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    pause_own_exam: Injected[PauseOwnExam],
    data: JSONBody[NothingRequest | None] = None,
) -> ExamSessionBody:
    """Interrupt an exam, where its package allows that and no time is running. Pausing again changes nothing."""
    return session_body(await pause_own_exam(actor, session_id))


@post(
    "/exam-sessions/{session_id:str}/resume",
    summary="Go on with an exam",
    operation_id="resumeOwnExam",
    status_code=200,
    opt={
        **_STUDENTS,
        "refusals": (ExamSessionNotFound, ExamNotPaused, *_OVER, PausedByStaff, PauseNotAllowed),
    },
)
async def resume(
    session_id: FromPath[str],
    actor: NamedDependency[Actor],
    resume_own_exam: Injected[ResumeOwnExam],
    data: JSONBody[NothingRequest | None] = None,
) -> ExamSessionBody:
    """Go on with an exam that one paused oneself. One that is going on stays as it is."""
    return session_body(await resume_own_exam(actor, session_id))


def _recorded(view: EventRecorded) -> Reply:
    return Reply(event_body(view), status=201 if view.created else 200)


def _slot_number(slot: str) -> int:
    """The number of a slot in a path; what is none names no slot."""
    if not _SLOT.fullmatch(slot):
        raise ExamSlotNotFound
    return int(slot)


handlers: Sequence[ControllerRouterHandler] = [
    list_sessions,
    get_session,
    get_paper,
    send_heartbeat,
    record,
    save,
    submit,
    pause,
    resume,
]
