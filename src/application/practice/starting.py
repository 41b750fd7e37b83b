"""Beginning to practise."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports import IdGenerator, Transaction
from application.practice.ports import PracticeWork
from application.practice.views import PracticeView
from domain.auth.people import Actor
from domain.practice.plans import PracticePlan, begin, refuse_unsound
from domain.practice.refusals import EnrollmentRequired


@dataclass(frozen=True, slots=True)
class CreatePracticeSession:
    """An enrolled student practises published questions of a package: those that match, in an order of their own."""

    ids: IdGenerator
    transact: Transaction[PracticeWork]

    async def __call__(self, actor: Actor, plan: PracticePlan) -> PracticeView:
        refuse_unsound(plan)
        session_id = self.ids.new("prs")

        async def start(work: PracticeWork) -> PracticeView:
            if not await work.holds_enrollment(actor.user_id, plan.exam_package_id):
                raise EnrollmentRequired
            drawn = await work.draw_questions(plan, session_id)
            paper = begin(plan, session_id, actor.user_id, drawn, work.now)
            await work.add_session(paper.session, paper.slots)
            return PracticeView.of(paper)

        return await self.transact(start)
