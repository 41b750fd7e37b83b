"""Being dealt questions by asking for them, as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports import IdGenerator, Transaction
from application.practice.ports.sessions import PracticeWork
from application.practice.starting import CreatePracticeSession
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.plans import PracticePlan, refuse_unsound
from domain.practice.refusals import StudyUnderWay


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPractice:
    """A student is dealt questions of a package, and the very same ones again until the first of them is answered.

    There are clients that read their questions, and what is read may be read again: by a page that is reloaded, or a
    request whose reply was lost. Were each reading a session of its own, these would use up the week. Of several
    readings at once the enrolment lets one after the other, so that all of them are dealt the same.

    Where one round at a time is wanted (`alone`), it is refused while another session like it is under way, whatever
    package that is of; then the student's own row lets one after the other, in whatever packages they deal.
    """

    ids: IdGenerator
    transact: Transaction[PracticeWork]
    create: CreatePracticeSession

    async def __call__(self, actor: Actor, plan: PracticePlan, *, alone: bool = False) -> str:
        """The id of the session."""
        refuse_unsound(plan)
        session_id = self.ids.new("prs")

        async def deal(work: PracticeWork) -> str:
            if alone:
                await _refuse_second(work, actor.user_id, plan)
            if await work.hold_admission(actor.user_id, plan.exam_package_id) is None:
                raise EnrollmentRequired
            untouched = await work.find_untouched(actor.user_id, plan)
            if untouched is not None:
                return untouched
            await self.create.begin(work, actor.user_id, plan, session_id)
            return session_id

        return await self.transact(deal)


async def _refuse_second(work: PracticeWork, user_id: str, plan: PracticePlan) -> None:
    """A session that was asked for in these words and is not begun yet is no other: it is dealt again."""
    await work.hold_progress(user_id)
    if await work.find_round(user_id, plan) != await work.find_untouched(user_id, plan):
        raise StudyUnderWay
