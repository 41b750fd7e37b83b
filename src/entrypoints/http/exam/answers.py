"""Exams over HTTP: what students send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Raw, field

from application.exam.answering import GivenAnswer
from application.exam.events import NewEvent
from application.exam.pulse import Beat
from domain.errors import DomainError
from domain.exam.answers import placed
from domain.question_bank.blueprints import MAX_PAPER
from domain.question_bank.certainty import Certainty
from domain.question_bank.questions import Response
from entrypoints.http.exam.json_objects import json_object
from entrypoints.http.fields import Id, Moment, RequestBody, SmallCount
from entrypoints.http.responses import GivenResponse

# What every client can count to; one more still fits where the store counts on.
_LAST_SEQ: Final = 2**53 - 1
_SlotNumber = Annotated[int, Meta(ge=1, le=2**31 - 1, description="The place of the question in the paper, from 1")]
_Object = {"type": "object", "additionalProperties": True}
_Given = Annotated[
    GivenResponse | None, Meta(description="The answer; null, or one without anything in it, takes the answer back")
]
_Base = Annotated[SmallCount, Meta(description="The `revision` of the answer that is changed, as it was last seen")]
_Sure = Annotated[
    Certainty | None, Meta(description="How sure the answer is, in an exam that asks for it: unsaid is `low`")
]
_Flag = Annotated[bool | None, Meta(description="Whether to come back to the question; null leaves that as it is")]


class StartExamRequest(RequestBody):
    """Which exam."""

    exam_package_id: Id

    example: ClassVar[Mapping[str, Any]] = {"examPackageId": "pkg_01m7y0w5089re0wwbvvzgw20sf"}


class HeartbeatRequest(RequestBody):
    """A sign of life, with what the client wants to find again if it has to begin anew."""

    exam_package_id: Annotated[
        Id | None, Meta(description="Which exam is begun, where the session is not known yet")
    ] = None
    seq: Annotated[
        Annotated[int, Meta(ge=0, le=_LAST_SEQ)] | None,
        Meta(description="Numbers the heartbeats of a session; one that comes after a later one is `stale`"),
    ] = None
    client_ts: Annotated[Moment | None, Meta(description="What the client's clock shows")] = None
    snapshot: Annotated[
        Raw, Meta(description="Any object of at most 64 KiB; the last one is kept", extra_json_schema=_Object)
    ] = field(default_factory=Raw)

    example: ClassVar[Mapping[str, Any]] = {
        "seq": 7,
        "clientTs": "2026-03-02T09:10:00Z",
        "snapshot": {"slot": 3, "draft": "10.1"},
    }

    def beat(self) -> Beat:
        """Refuses a snapshot that is no object."""
        snapshot = json_object(self.snapshot, "/snapshot")
        return Beat(exam_package_id=self.exam_package_id, seq=self.seq, client_at=self.client_ts, snapshot=snapshot)


class SaveExamAnswerRequest(RequestBody):
    """An answer to one question, and which one it takes the place of."""

    response: _Given
    base_revision: _Base
    certainty: _Sure = None
    autosave: Annotated[
        bool, Meta(description="The client saves by itself: where the answer was changed meanwhile, nothing happens")
    ] = False
    flagged: _Flag = None

    example: ClassVar[Mapping[str, Any]] = {"response": {"choiceIds": ["B"]}, "baseRevision": 0}

    def answer(self, slot: int) -> GivenAnswer:
        return GivenAnswer(
            slot=slot,
            response=_response(self.response, ""),
            base_revision=self.base_revision,
            certainty=self.certainty,
            autosave=self.autosave,
            flagged=self.flagged,
        )


class FinalExamAnswer(RequestBody):
    """An answer that is handed in together with the exam."""

    slot: _SlotNumber
    response: _Given
    base_revision: _Base
    certainty: _Sure = None
    flagged: _Flag = None

    def answer(self, pointer: str) -> GivenAnswer:
        return GivenAnswer(
            slot=self.slot,
            response=_response(self.response, pointer),
            base_revision=self.base_revision,
            certainty=self.certainty,
            flagged=self.flagged,
        )


class SubmitExamRequest(RequestBody):
    """The last answers, where there are any that were not saved before."""

    answers: Annotated[
        list[FinalExamAnswer],
        Meta(max_length=MAX_PAPER, description="Taken like any answer; one that is refused refuses the submission"),
    ] = field(default_factory=list)

    example: ClassVar[Mapping[str, Any]] = {
        "answers": [{"slot": 3, "response": {"choiceIds": ["B"]}, "baseRevision": 1}]
    }

    def given(self) -> tuple[GivenAnswer, ...]:
        return tuple(each.answer(f"/answers/{place}") for place, each in enumerate(self.answers))


class RecordExamEventRequest(RequestBody):
    """Something that happened where the exam is sat."""

    type: Annotated[str, Meta(min_length=1, max_length=64, description="As `focus_lost`; docs/exams.md lists them")]
    client_event_id: Annotated[
        Id | None, Meta(description="The client's name for it: sent again, it is the same event")
    ] = None
    client_ts: Annotated[Moment | None, Meta(description="When it happened by the client's clock")] = None
    payload: Annotated[Raw, Meta(description="Any object of at most 8 KiB", extra_json_schema=_Object)] = field(
        default_factory=Raw
    )

    example: ClassVar[Mapping[str, Any]] = {
        "type": "focus_lost",
        "clientEventId": "b1f4",
        "clientTs": "2026-03-02T09:10:00Z",
        "payload": {"seconds": 4},
    }

    def event(self) -> NewEvent:
        """Refuses a payload that is no object."""
        payload = json_object(self.payload, "/payload") or b"{}"
        return NewEvent(type=self.type, client_event_id=self.client_event_id, client_at=self.client_ts, payload=payload)


def _response(given: GivenResponse | None, pointer: str) -> Response | None:
    """What is wrong with it is told by its place in the body."""
    try:
        return None if given is None else given.response()
    except DomainError as refusal:
        raise placed(refusal, f"{pointer}/response") from None


class NothingRequest(RequestBody):
    """There is nothing to say."""

    example: ClassVar[Mapping[str, Any]] = {}
