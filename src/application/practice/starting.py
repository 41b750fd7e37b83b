"""Beginning to practise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.ports import IdGenerator, Transaction
from application.practice.ports.sessions import PracticeWork
from application.practice.views import PracticeView
from application.progress.estimating import weak_topic_ids
from application.progress.repeating import ScheduleReviews
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired
from domain.practice.admission import Admission, refuse_full_week, refuse_outside_tier
from domain.practice.paper import DrawnQuestion, begin
from domain.practice.plans import FromTemplate, PracticePlan, Source, refuse_unsound
from domain.practice.templates import TemplateNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePracticeSession:
    """An enrolled student practises published questions of a package, as a published template says or as they wish.

    The tier may allow no practice, or a number of sessions in seven days. The questions are those that match, out of
    the source that is wanted, in an order of their own.
    """

    ids: IdGenerator
    transact: Transaction[PracticeWork]
    schedule_reviews: ScheduleReviews

    async def __call__(self, actor: Actor, wish: PracticePlan | FromTemplate) -> PracticeView:
        if isinstance(wish, PracticePlan):
            refuse_unsound(wish)
        session_id = self.ids.new("prs")

        async def start(work: PracticeWork) -> PracticeView:
            return await self.begin(work, actor.user_id, await _plan(work, wish), session_id)

        return await self.transact(start)

    async def begin(self, work: PracticeWork, user_id: str, plan: PracticePlan, session_id: str) -> PracticeView:
        """The same in a unit of work that does more."""
        admission = await _admitted(work, user_id, plan.exam_package_id)
        drawn = await self._draw(work, user_id, plan, session_id)
        paper = begin(plan, session_id, user_id, drawn, work.now, policy=admission.policy)
        await work.add_session(paper.session, paper.slots)
        return PracticeView.of(paper)

    async def _draw(
        self, work: PracticeWork, user_id: str, plan: PracticePlan, session_id: str
    ) -> tuple[DrawnQuestion, ...]:
        if plan.source is Source.WEAK:
            weak = await weak_topic_ids(work, user_id, plan.exam_package_id)
            wanted = tuple(topic for topic in weak if not plan.topic_ids or topic in plan.topic_ids)
            return await work.draw_questions(user_id, replace(plan, topic_ids=wanted), session_id) if wanted else ()
        if plan.source is Source.DUE:
            await self.schedule_reviews(work, user_id)
        return await work.draw_questions(user_id, plan, session_id)


async def _plan(work: PracticeWork, wish: PracticePlan | FromTemplate) -> PracticePlan:
    """What is wished for, or what the template says that is published now."""
    if isinstance(wish, PracticePlan):
        return wish
    template = await work.published_template(wish.template_id)
    if template is None or wish.exam_package_id not in (None, template.plan.exam_package_id):
        raise TemplateNotFound
    return template.plan


async def _admitted(work: PracticeWork, user_id: str, exam_package_id: str) -> Admission:
    """The enrolment is held, so that of several sessions at once no more begin than the tier allows."""
    admission = await work.hold_admission(user_id, exam_package_id)
    if admission is None:
        raise EnrollmentRequired
    refuse_outside_tier(admission)
    if admission.weekly_sessions is not None:
        earliest = await work.nth_latest_start(user_id, exam_package_id, admission.weekly_sessions)
        refuse_full_week(earliest, work.now)
    return admission
