"""Time that somebody is granted beyond what exams allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from application.exam.overseeing import Act, act_of, keep
from application.exam.ports.overseeing import OverseeReader, OverseeWork
from application.exam.settling import Held, lapse
from application.ports import AuditEntry, IdGenerator, Transaction
from domain.auth.people import Actor, UserNotFound
from domain.exam.accommodations import GrantedAccommodation, accommodation_of
from domain.exam.moves import accommodate
from domain.exam.sessions import NO_ACCOMMODATION, Accommodation
from domain.progress.students import StudentProgress
from domain.question_bank.authority import require_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class AccommodationView:
    """What a student is granted; `granted` is None where nothing ever was.

    `sessions`: the live sessions that the act which this is the answer to has changed.
    """

    user_id: str
    accommodation: Accommodation
    granted: GrantedAccommodation | None
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccommodation:
    """An admin sees what a student is granted."""

    oversee_reader: OverseeReader

    async def __call__(self, actor: Actor, user_id: str) -> AccommodationView:
        require_admin(actor)
        if not await self.oversee_reader.has_student(user_id):
            raise UserNotFound
        return _view(user_id, await self.oversee_reader.granted(user_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAccommodation:
    """An admin grants a student a multiple of the time and seconds more, for every exam that begins from now on.

    On request also for those that are live, none of which ends earlier by it.
    """

    transact: Transaction[OverseeWork]
    ids: IdGenerator

    async def __call__(
        self,
        actor: Actor,
        user_id: str,
        multiplier: Decimal,
        extra_seconds: int,
        reason: str,
        *,
        apply_to_live: bool = False,
    ) -> AccommodationView:
        act = act_of(actor, "accommodated", "accommodation_applied", reason, needs_reason=True)
        wanted = accommodation_of(multiplier, extra_seconds)

        async def unit(work: OverseeWork) -> AccommodationView:
            if not await work.is_student(user_id):
                raise UserNotFound
            # Held like for a start, so that an exam that begins at this moment has it or is live here.
            student = await work.hold_progress(user_id)
            granted = await _grant(work, act, user_id, wanted)
            sessions = await self._apply(work, act, student, wanted) if apply_to_live else ()
            return replace(_view(user_id, granted), sessions=sessions)

        return await self.transact(unit)

    async def _apply(
        self, work: OverseeWork, act: Act, student: StudentProgress, wanted: Accommodation
    ) -> tuple[str, ...]:
        """The live sessions of the student that have more time by it. What time has ended meanwhile stays so."""
        changed: list[str] = []
        for live in await work.live_sessions_of(student.user_id):
            held = await lapse(work, lambda: self.ids.new("evt"), Held(student=student, session=live))
            student = held.student
            after = accommodate(held.session, wanted, work.now)
            if after != held.session:
                await keep(work, self.ids, act, held, after)
                changed.append(live.id)
        return tuple(changed)


async def _grant(work: OverseeWork, act: Act, user_id: str, wanted: Accommodation) -> GrantedAccommodation:
    """In place of what was granted before; the same again is what was granted then."""
    before = await work.granted(user_id)
    if before is not None and before.accommodation == wanted:
        return before
    granted = GrantedAccommodation(
        user_id=user_id,
        multiplier=wanted.multiplier,
        extra_seconds=wanted.extra_seconds,
        reason=act.reason,
        updated_at=work.now,
        updated_by=act.actor.user_id,
    )
    await work.grant(granted)
    await work.audit(_entry(act, before, granted))
    return granted


def _view(user_id: str, granted: GrantedAccommodation | None) -> AccommodationView:
    accommodation = NO_ACCOMMODATION if granted is None else granted.accommodation
    return AccommodationView(user_id=user_id, accommodation=accommodation, granted=granted)


def _entry(act: Act, before: GrantedAccommodation | None, after: GrantedAccommodation) -> AuditEntry:
    return AuditEntry(
        actor_id=act.actor.user_id,
        action="accommodation.changed",
        subject=after.user_id,
        before=_facts(NO_ACCOMMODATION if before is None else before.accommodation),
        after=_facts(after.accommodation),
        reason=after.reason,
    )


def _facts(accommodation: Accommodation) -> dict[str, object]:
    multiplier = format(accommodation.multiplier.normalize(), "f")
    return {"time_multiplier": multiplier, "extra_seconds": accommodation.extra_seconds}
