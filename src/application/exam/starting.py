"""Beginning an exam."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from application.exam.ports.sessions import Entitlement, ExamWork, StartWork
from application.exam.settling import Held, Note, accepted, hold, lapse, refused, settle
from application.exam.views import PaperView, SessionView, SlotView
from application.idempotency import only_looking
from application.ports import AuditEntry, IdGenerator, Transaction
from application.question_bank.ports.papers import PaperReader
from domain.auth.people import Actor
from domain.errors import DomainError, StoreConflict
from domain.exam.attempts import next_attempt_no, refuse_full_week, refuse_outside_tier, refuse_retake
from domain.exam.moves import begin, refuse_outside_window
from domain.exam.record import EntrySource, append
from domain.exam.refusals import ExamEnrollmentRequired, ExamSessionNotFound, PackageAmbiguous
from domain.exam.sessions import ExamSession, ExamSlot, ExamStatus
from domain.exam.starting import (
    Attempt,
    Drawn,
    arranged,
    compose,
    foreseen,
    freeze,
    rules_of,
    sitting_until,
    wanted_sections,
)
from domain.exam.told import beginning
from domain.question_bank.authority import require_admin
from domain.question_bank.questions import PublicQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A session that is live, and its paper; None while somebody has yet to let it start. `new`: it began just now."""

    session: SessionView
    paper: PaperView | None
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """What was drawn, by which seed, for a package that then said this."""

    seed: str
    drawn_for: Entitlement
    questions: tuple[Drawn, ...]

    def fits(self, entitlement: Entitlement) -> bool:
        """Whether the package still asks for this paper."""
        before, now = self.drawn_for, entitlement
        return (before.blueprint, before.settings.question_count) == (now.blueprint, now.settings.question_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExam:
    """An enrolled student begins an exam of a package, as often and as soon as the package and the tier allow.

    Who has a live session in the package gets that one, with what was answered so far. The paper, the rules, the tier
    and the extra time of the student are frozen. It is drawn before the unit of work that keeps it and not for those
    who may not start; what the package asks for must be the same in both. With a `session_id` the session has that id,
    and whoever is enrolled nowhere learns no more than that there is no such session.
    """

    ids: IdGenerator
    transact: Transaction[StartWork]
    paper_reader: PaperReader

    async def __call__(self, actor: Actor, exam_package_id: str | None, *, session_id: str | None = None) -> Started:
        package_id = exam_package_id or await self._only_package(actor, named=session_id is not None)
        paper = await self._paper(actor.user_id, package_id)

        async def start(work: StartWork) -> Started | DomainError:
            student = await work.hold_progress(actor.user_id)
            live, held = await work.live_session(actor.user_id, package_id), None
            if live is not None:
                held = await lapse(work, self._event_id, Held(student=student, session=live))
                if held.session.is_live:
                    return await _resumed(work, actor, held.session)
            try:
                attempts, entitlement = await _admitted(work, actor.user_id, package_id)
            except DomainError as refusal:
                return _refused(held, await _as_seen_from(work, actor, refusal, named=session_id is not None))
            if isinstance(paper, DomainError):
                return _refused(held, paper)
            if paper is None or not paper.fits(entitlement):
                raise StoreConflict
            attempt = Attempt(
                user_id=actor.user_id,
                session_id=session_id or self.ids.new("exs"),
                exam_package_id=package_id,
                tier_id=entitlement.tier_id,
                number=next_attempt_no(attempts),
                accommodation=await work.accommodation_of(actor.user_id),
            )
            return await self._begun(work, actor, attempt, entitlement, paper)

        return accepted(await self.transact(start))

    async def _only_package(self, actor: Actor, *, named: bool) -> str:
        async def look(work: StartWork) -> tuple[str, ...]:
            return await work.enrolled_packages(actor.user_id)

        with only_looking():
            enrolled = await self.transact(look)
        if len(enrolled) > 1:
            raise PackageAmbiguous
        if not enrolled:
            raise ExamSessionNotFound if named else ExamEnrollmentRequired
        return enrolled[0]

    async def _paper(self, user_id: str, package_id: str) -> _Paper | DomainError | None:
        """A paper for who may start, as far as can be told beforehand; None for who has a live session."""

        async def look(work: StartWork) -> Entitlement | DomainError | None:
            # Held, so that no start at the same time makes a session live between one look and the next.
            await work.hold_progress(user_id)
            live = await work.live_session(user_id, package_id)
            if live is not None and foreseen(live, work.now).is_live:
                return None
            try:
                return (await _admitted(work, user_id, package_id))[1]
            except DomainError as refusal:
                return refusal

        with only_looking():
            entitlement = await self.transact(look)
        return (
            await self._drawn(user_id, package_id, entitlement) if isinstance(entitlement, Entitlement) else entitlement
        )

    async def _drawn(self, user_id: str, package_id: str, entitlement: Entitlement) -> _Paper | DomainError:
        seed, settings, blueprint = self.ids.new("see"), entitlement.settings, entitlement.blueprint
        wanted = wanted_sections(settings, blueprint)
        pool = await self.paper_reader.pool(package_id, wanted, student_id=user_id, seed=seed) or ()
        try:
            slots = await asyncio.to_thread(compose, settings, blueprint, pool, seed)
        except DomainError as refusal:
            return refusal
        questions = await self.paper_reader.questions(slots)
        topics = {candidate.question_id: candidate.topic_id for candidate in pool}
        drawn = (
            Drawn(question=question, section=slot.section, topic_id=topics[slot.question_id], marks=slot.marks)
            for slot, question in zip(slots, questions, strict=True)
        )
        return _Paper(seed=seed, drawn_for=entitlement, questions=tuple(drawn))

    async def _begun(
        self, work: StartWork, actor: Actor, attempt: Attempt, entitlement: Entitlement, paper: _Paper
    ) -> Started:
        settings = entitlement.settings
        rules = rules_of(settings, entitlement.duration_seconds, entitlement.pass_mark)
        drawn = arranged(paper.questions, settings)
        session, slots = freeze(attempt, rules, settings, drawn, paper.seed, work.now)
        if session.status is ExamStatus.CREATED:
            await work.add_session(session, slots)
            return Started(session=SessionView.of(session, work.now), paper=None, new=True)
        note = _started(self._event_id, EntrySource.STUDENT, actor, session, slots)
        session, entry = append(session, note.draft, work.now)
        await work.add_session(session, slots)
        await work.add_entries([entry])
        await work.mark_sitting(actor.user_id, actor.session_id, sitting_until(session, work.now))
        return _started_with(work, session, slots, [each.question for each in drawn], new=True)

    def _event_id(self) -> str:
        return self.ids.new("evt")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseExam:
    """Where a package wants it, an admin lets a student begin whose session waits for that; its time runs from then on.

    A session that has begun goes on as it is.
    """

    ids: IdGenerator
    transact: Transaction[ExamWork]

    async def __call__(self, actor: Actor, user_id: str, session_id: str, reason: str = "") -> ExamSession:
        require_admin(actor)

        def event_id() -> str:
            return self.ids.new("evt")

        async def authorise(work: ExamWork) -> ExamSession | DomainError:
            held = await hold(work, event_id, user_id, session_id)
            try:
                after = begin(held.session, work.now)
            except DomainError as refusal:
                return refused(held, refusal)
            if after == held.session:
                return after
            slots = [asked.slot for asked in await work.hold_slots(after)]
            note = _started(event_id, EntrySource.STAFF, actor, after, slots)
            session = (await settle(work, event_id, held, after, note)).session
            await work.audit(
                AuditEntry(
                    actor_id=actor.user_id,
                    action="exam_session.authorised",
                    subject=session_id,
                    before={"status": held.session.status.value},
                    after={"user_id": user_id, "status": session.status.value},
                    reason=reason.strip() or None,
                )
            )
            return session

        return accepted(await self.transact(authorise))


def _refused(held: Held | None, refusal: DomainError) -> DomainError:
    """Returned only where time has ended the session before, which has to be kept."""
    if held is None:
        raise refusal
    return refused(held, refusal)


async def _admitted(work: StartWork, user_id: str, package_id: str) -> tuple[tuple[ExamSession, ...], Entitlement]:
    """Every attempt so far, and what the enrolment opens. It is held, so that no more begin at once than may.

    Refuses, in this order: no enrolment, a tier without exams, a full week, a window that is not open, and another
    attempt where there is none or not yet.
    """
    entitlement = await work.hold_entitlement(user_id, package_id)
    if entitlement is None:
        raise ExamEnrollmentRequired
    weekly, settings = entitlement.weekly_sessions, entitlement.settings
    refuse_outside_tier(weekly)
    if weekly is not None:
        refuse_full_week(await work.nth_latest_start(user_id, package_id, weekly), work.now)
    refuse_outside_window(settings.opens_at, settings.closes_at, work.now)
    attempts = tuple(foreseen(each, work.now) for each in await work.attempts(user_id, package_id))
    refuse_retake(attempts, settings, work.now)
    return attempts, entitlement


async def _as_seen_from(work: StartWork, actor: Actor, refusal: DomainError, *, named: bool) -> DomainError:
    """Whoever is enrolled nowhere and names a session names one that there is not."""
    if named and isinstance(refusal, ExamEnrollmentRequired) and not await work.enrolled_packages(actor.user_id):
        return ExamSessionNotFound()
    return refusal


async def _resumed(work: StartWork, actor: Actor, session: ExamSession) -> Started:
    if session.status is ExamStatus.CREATED:
        return Started(session=SessionView.of(session, work.now), paper=None, new=False)
    await work.mark_sitting(actor.user_id, actor.session_id, sitting_until(session, work.now))
    slots = [asked.slot for asked in await work.hold_slots(session)]
    return _started_with(work, session, slots, await work.questions(session), new=False)


def _started_with(
    work: StartWork, session: ExamSession, slots: Sequence[ExamSlot], questions: Sequence[PublicQuestion], *, new: bool
) -> Started:
    views = [SlotView.of(slot, question) for slot, question in zip(slots, questions, strict=True)]
    return Started(session=SessionView.of(session, work.now), paper=PaperView.of(session, views, work.now), new=new)


def _started(
    new_id: Callable[[], str], source: EntrySource, actor: Actor, session: ExamSession, slots: Sequence[ExamSlot]
) -> Note:
    told = beginning(session, slots)
    return Note(id=new_id(), type="session_started", source=source, actor_id=actor.user_id, told=told)
