"""What happens around an exam, as the student's browser tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.exam.ports.sessions import ExamWork
from application.exam.settling import accepted, hold, refused
from application.exam.views import EventRecorded
from application.ports import IdGenerator, Transaction
from domain.auth.people import Actor
from domain.errors import DomainError
from domain.exam.events import refuse_flood, refuse_too_large, refuse_unknown
from domain.exam.lifecycle import Command, taken
from domain.exam.record import Draft, EntryKind, append

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event. `payload` is a JSON object, kept letter for letter; `client_event_id` is what the browser calls it."""

    type: str
    client_event_id: str | None = None
    client_at: datetime | None = None
    payload: bytes = b"{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent:
    """Events of a live exam go into its record, in the order in which they come in, and change nothing else.

    They are of known types, not large, and at most 60 in a minute. One that its browser names is recorded once however
    often it is sent, and is answered with what was recorded also after the exam.
    """

    transact: Transaction[ExamWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, session_id: str, event: NewEvent) -> EventRecorded:
        refuse_unknown(event.type)
        refuse_too_large(len(event.payload))
        draft = self._draft(event)

        async def record(work: ExamWork) -> EventRecorded | DomainError:
            held = await hold(work, lambda: self.ids.new("evt"), actor.user_id, session_id)
            session = held.session
            if event.client_event_id is not None:
                known = await work.find_event(actor.user_id, session_id, event.client_event_id)
                if known is not None:
                    return EventRecorded.of(known, created=False)
            try:
                taken(session.status, Command.RECORD_EVENT)
                refuse_flood(await work.count_events(actor.user_id, session_id, work.now - _MINUTE))
            except DomainError as refusal:
                return refused(held, refusal)
            session, entry = append(session, draft, work.now)
            await work.add_entries([entry])
            await work.save_session(session)
            return EventRecorded.of(entry)

        return accepted(await self.transact(record))

    def _draft(self, event: NewEvent) -> Draft:
        return Draft(
            kind=EntryKind.EVENT,
            id=self.ids.new("evt"),
            type=event.type,
            client_event_id=event.client_event_id,
            client_at=event.client_at,
            content=event.payload.decode(),
        )
