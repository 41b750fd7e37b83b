"""Watching over live exams over HTTP: one stream of events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, TypeAlias

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.exam.boards import News, Ping, Snapshot
from application.exam.monitoring import MonitorsBusy, TooManyMonitors, Watch, WatchExams
from application.exam.ports.monitoring import LiveExam
from domain.auth.people import Actor, Role
from domain.exam.connection import Connection
from domain.exam.sessions import ExamStatus
from entrypoints.http.event_stream import HEADERS, MEDIA_TYPE, PING, event, retry, stop_with_server
from entrypoints.http.exchange import exchange_of
from entrypoints.http.fields import ID_PATTERN, ResponseBody, When
from entrypoints.http.injection import Injected
from entrypoints.http.requests import ApiRequest

_RETRY_MILLISECONDS: Final = 2_000
_EVENTS_REMEMBERED: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Package: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="examPackageId", min_length=1, max_length=64, pattern=ID_PATTERN, description="Only of this package"
    ),
]


class LiveExamBody(ResponseBody):
    """A live exam session, as the monitor tells it."""

    user_id: str
    session_id: str
    exam_package_id: str
    attempt_no: Annotated[int, Meta(description="Which attempt of the student it is")]
    status: ExamStatus
    started_at: Annotated[When | None, Meta(description="Null while the start waits to be authorised")]
    deadline: Annotated[When | None, Meta(description="Null while the session is paused, and where nothing ends it")]
    is_due: Annotated[bool, Meta(description="The time is over, and what became of the session not yet written down")]
    last_heartbeat_at: Annotated[When | None, Meta(description="Null before the first heartbeat")]
    connection: Annotated[
        Connection,
        Meta(
            description="By the last heartbeat, or the start: `connected` up to 30 seconds, `unstable` up to 90, `lost`"
            " beyond; `none` where the session is not active"
        ),
    ]
    open_flags: Annotated[int, Meta(description="Flags that nobody has resolved")]
    answered_count: Annotated[int | None, Meta(description="Null until it was counted")]

    example: ClassVar[Mapping[str, Any]] = {
        "userId": "usr_01J9Z2E8R4T6Y8U0",
        "sessionId": "exs_01J9Z3A5B7C9D1E3",
        "examPackageId": "pkg_01J9Z0K2M4N6P8Q0",
        "attemptNo": 1,
        "status": "active",
        "startedAt": "2026-03-02T09:00:04Z",
        "deadline": "2026-03-02T10:30:04Z",
        "isDue": False,
        "lastHeartbeatAt": "2026-03-02T09:41:50Z",
        "connection": "connected",
        "openFlags": 0,
        "answeredCount": 31,
    }


class EndedExamBody(ResponseBody):
    """A session that is live no more."""

    user_id: str
    session_id: str
    exam_package_id: str
    status: Annotated[ExamStatus, Meta(description="What became of it")]
    sealed_at: Annotated[When | None, Meta(description="The instant that its end counts for")]

    example: ClassVar[Mapping[str, Any]] = {
        "userId": "usr_01J9Z2E8R4T6Y8U0",
        "sessionId": "exs_01J9Z3A5B7C9D1E3",
        "examPackageId": "pkg_01J9Z0K2M4N6P8Q0",
        "status": "finished",
        "sealedAt": "2026-03-02T10:12:31Z",
    }


class ExamMonitorSnapshot(ResponseBody):
    """The data of an event `snapshot`: every live session. It takes the place of all that was told before."""

    at: When
    sessions: list[LiveExamBody]

    example: ClassVar[Mapping[str, Any]] = {"at": "2026-03-02T09:41:52Z", "sessions": [LiveExamBody.example]}


class ExamMonitorChanges(ResponseBody):
    """The data of an event `changes`: sessions that began, that are no longer as they were told, that ended."""

    at: When
    added: list[LiveExamBody]
    changed: list[LiveExamBody]
    ended: list[EndedExamBody]

    example: ClassVar[Mapping[str, Any]] = {
        "at": "2026-03-02T10:12:32Z",
        "added": [],
        "changed": [],
        "ended": [EndedExamBody.example],
    }


@get(
    "/admin/exam-sessions/monitor",
    summary="Watch the live exam sessions",
    operation_id="monitorExamSessions",
    media_type=MEDIA_TYPE,
    response_description="Events: `snapshot` (`ExamMonitorSnapshot`), then `changes` (`ExamMonitorChanges`)",
    opt={
        "callers": (Role.ADMIN,),
        "refusals": (MonitorsBusy, TooManyMonitors),
        "events": (ExamMonitorSnapshot, ExamMonitorChanges),
    },
)
async def monitor_exam_sessions(
    request: ApiRequest, actor: Injected[Actor], watch_exams: Injected[WatchExams], exam_package_id: _Package = None
) -> Stream:
    """All live exam sessions as server-sent events, at most two seconds behind what happens.

    The first event is a `snapshot` of all of them, or of those of one package; what follows are `changes`, each with
    whole sessions. A client that reads too slowly gets what it has missed at once, or another `snapshot`. Where nothing
    happens for ten seconds a comment is sent. The stream ends after a quarter of an hour, when the server stops, and
    within five seconds when its admin is signed out or is no admin any more: connect again, which browsers do by
    themselves, and begin with the new `snapshot`.
    """
    watch = await watch_exams(actor, exam_package_id)
    if exchange_of(request.scope).method == "HEAD":
        watch.stop()
    stop_with_server(request.scope, watch.stop)
    return Stream(_told(watch), headers=dict(HEADERS))


async def _told(watch: Watch) -> AsyncIterator[bytes]:
    async with aclosing(watch.events()) as events:
        yield retry(_RETRY_MILLISECONDS)
        async for news in events:
            yield PING if isinstance(news, Ping) else _encoded(news)


@lru_cache(_EVENTS_REMEMBERED)
def _encoded(news: News) -> bytes:
    """The text of an event, made once for all who are told the same."""
    number = (news.at - _EPOCH) // timedelta(microseconds=1)
    if isinstance(news, Snapshot):
        snapshot = ExamMonitorSnapshot(at=news.at, sessions=[_live_body(exam) for exam in news.exams])
        return event("snapshot", number, msgspec.json.encode(snapshot))
    changes = ExamMonitorChanges(
        at=news.at,
        added=[_live_body(exam) for exam in news.added],
        changed=[_live_body(exam) for exam in news.changed],
        ended=[msgspec.convert(exam, EndedExamBody, from_attributes=True) for exam in news.ended],
    )
    return event("changes", number, msgspec.json.encode(changes))


def _live_body(exam: LiveExam) -> LiveExamBody:
    return msgspec.convert(exam, LiveExamBody, from_attributes=True)


handlers: list[ControllerRouterHandler] = [monitor_exam_sessions]
